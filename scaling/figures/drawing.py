"""Turn results into a figure's JSON, and that JSON alone into SVG and PNG, always the same bytes."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from scaling import files
from scaling.errors import TableError
from scaling.figures import style
from scaling.figures.catalogue import CATALOGUE, RUNS, figure
from scaling.figures.source import Source
from scaling.terminal.text import visible

SVG_DOTS = 200.0
"""Dots an inch of what an SVG holds as pixels: clouds of very many marks."""


def to_json(data: dict[str, Any]) -> str:
    """Canonical JSON: the bytes depend on the content alone."""
    return json.dumps(_plain(data), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """Numbers, text, lists and objects only; numbers to 10 digits; what is not finite becomes null."""
    if isinstance(value, dict):
        return {visible(str(k)): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(f"{float(value):.10g}") if np.isfinite(value) else None
    return value if value is None else visible(str(value))


def data(name: str, *arguments: Any, **options: Any) -> dict[str, Any]:
    """Return what a figure shows, as the JSON that is written beside it. The rest goes to its `data`."""
    content: dict[str, Any] = json.loads(to_json(figure(name).data(*arguments, **options)))
    return content


def of(source: Source, names: Iterable[str] = ()) -> dict[str, dict[str, Any]]:
    """Return the JSON of the named figures of a sweep, by name; without names of all that it can have."""
    named = list(names)
    contents = {name: data(name, source) for name in named or RUNS}
    return contents if named else {name: c for name, c in contents.items() if not c.get("needless")}


def draw(data: dict[str, Any], sheet: style.Paper = style.LIGHT) -> Figure:
    """Return the figure of one JSON, or a sentence on what is missing where its data were not there."""
    spec = figure(str(data.get("figure")))
    with style.printed_on(sheet):
        return style.not_drawn(str(data["missing"])) if data.get("missing") else spec.draw(_short(data, {}))


_LONG = re.compile(r"\S{41,}")


def _short(value: Any, words: dict[str, str]) -> Any:
    """Return the JSON with every word of more than 40 letters cut in its middle, as `words` cut it before."""
    if isinstance(value, dict):
        return {_short(key, words): _short(entry, words) for key, entry in value.items()}
    if isinstance(value, list):
        return [_short(entry, words) for entry in value]
    return _LONG.sub(lambda found: _cut(found[0], words), value) if isinstance(value, str) else value


def _cut(word: str, words: dict[str, str]) -> str:
    if word not in words:
        cut = f"{word[:24]}…{word[-12:]}"
        words[word] = cut if cut not in words.values() else f"{word[:24]}…{len(words)}"
    return words[word]


def to_svg(data: dict[str, Any], sheet: style.Paper = style.LIGHT, dots: float | None = None) -> bytes:
    """SVG bytes with selectable text, no date, no machine; clouds of marks are pixels, `dots` an inch if
    given."""
    # A bold superscript that the fonts lack falls back quietly.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    with style.printed_on(sheet):
        out = io.BytesIO()
        title, alt = data.get("title", "Not drawn yet"), data.get("alt", data.get("missing", ""))
        metadata = {"Date": None, "Creator": None, "Title": title, "Description": alt}
        draw(data, sheet).savefig(out, format="svg", metadata=metadata, dpi=dots or SVG_DOTS)
    return out.getvalue()


def to_png(data: dict[str, Any], sheet: style.Paper = style.LIGHT) -> bytes:
    """PNG bytes at 200 dots an inch."""
    with style.printed_on(sheet):
        out = io.BytesIO()
        draw(data, sheet).savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def save(
    data: dict[str, Any], folder: Path, sheet: style.Paper = style.LIGHT, *, option: str = files.RESULTS
) -> list[Path]:
    """Write NAME.json, NAME.svg and NAME.png into `folder` and return their paths.

    The pictures are drawn from the JSON as written; on dark paper they are NAME.dark. `option` is how a
    person names another folder. Raises StorageError.
    """
    text = to_json(data)
    again = json.loads(text)
    name = figure(str(data.get("figure"))).name
    stem = name if sheet is style.LIGHT else f"{name}.dark"
    paths = [folder / f"{name}.json", folder / f"{stem}.svg", folder / f"{stem}.png"]
    for path, content in zip(paths, (text.encode(), to_svg(again, sheet), to_png(again, sheet)), strict=True):
        files.write(path, content, "the figure", option=option)
    return paths


def load(path: Path) -> dict[str, Any]:
    """Return the JSON behind a figure. Raises TableError when the file holds none."""
    content: dict[str, Any] = files.read_json(
        path, "make it again with `scaling figures SWEEP` or `scaling trends figures FOLDER`"
    )
    if content.get("figure") not in CATALOGUE:
        raise TableError(
            f"{path} is not the JSON of a figure; it needs a key 'figure' that is one of "
            f"{', '.join(map(repr, CATALOGUE))}"
        )
    return content
