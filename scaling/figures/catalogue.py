"""The catalogue: every figure by name, from a folder of results to JSON, and from that JSON alone to SVG
and PNG, always the same bytes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from scaling import files
from scaling.errors import ConfigError, TableError, one_of
from scaling.figures import style
from scaling.figures.belief import forecasts, profiles
from scaling.figures.compare import changes, conventions, exponents, families, multiverse
from scaling.figures.laws import contours, optimum, residuals, ridges, surface
from scaling.figures.runs import collapse, curves, isoflop, positions, price, progress, seeds
from scaling.figures.source import Source


@dataclass(frozen=True, kw_only=True)
class Plate:
    """One figure of the catalogue."""

    name: str
    """Its file name without ending."""
    data: Callable[[Source], dict[str, Any]]
    """Folder of results → what is shown, as plain JSON."""
    draw: Callable[[dict[str, Any]], Figure]
    """That JSON → figure."""


SVG_DOTS = 200.0
"""Dots an inch of what an SVG holds as pixels: clouds of very many marks."""
_MODULES = (
    isoflop,
    optimum,
    curves,
    surface,
    contours,
    exponents,
    conventions,
    multiverse,
    families,
    changes,
    residuals,
    ridges,
    profiles,
    forecasts,
    seeds,
    collapse,
    positions,
    price,
    progress,
)
CATALOGUE = {m.NAME: Plate(name=m.NAME, data=m.data, draw=m.draw) for m in _MODULES}
"""In the order in which a report shows them."""


def plate(name: str) -> Plate:
    """One figure by name. Raises ConfigError with the nearest names."""
    if name not in CATALOGUE:
        raise ConfigError(one_of("figure", name, CATALOGUE))
    return CATALOGUE[name]


def to_json(data: dict[str, Any]) -> str:
    """Canonical JSON: the bytes depend on the content alone."""
    return json.dumps(_plain(data), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """Numbers, text, lists and objects only; numbers to 10 digits; what is not finite becomes null."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(f"{float(value):.10g}") if np.isfinite(value) else None
    return value if value is None else str(value)


def draw(data: dict[str, Any], sheet: style.Paper = style.LIGHT) -> Figure:
    """The figure of one JSON. A figure whose data were not there says in words what is missing."""
    found = plate(str(data.get("figure")))
    with style.printed_on(sheet):
        if data.get("missing"):
            return style.not_drawn(str(data["missing"]))
        return found.draw(data)


def to_svg(data: dict[str, Any], sheet: style.Paper = style.LIGHT, dots: float | None = None) -> bytes:
    """SVG bytes with selectable text, no date, no machine; clouds of marks are pixels, `dots` an inch if
    given."""
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


def save(data: dict[str, Any], folder: Path, sheet: style.Paper = style.LIGHT) -> list[Path]:
    """Writes NAME.json, NAME.svg and NAME.png into `folder` and returns their paths; the pictures are
    drawn from the JSON as written."""
    text = to_json(data)
    again = json.loads(text)
    name = plate(str(data.get("figure"))).name
    stem = name if sheet is style.LIGHT else f"{name}.dark"
    paths = [folder / f"{name}.json", folder / f"{stem}.svg", folder / f"{stem}.png"]
    for path, content in zip(paths, (text.encode(), to_svg(again, sheet), to_png(again, sheet)), strict=True):
        files.write(path, content, "the figure")
    return paths


def load(
    path: Path, names: Collection[str] = CATALOGUE, redraw: str = "scaling figures SWEEP"
) -> dict[str, Any]:
    """The JSON behind a figure, one of `names`; `redraw` is the command that makes it. Raises TableError when
    it is none."""
    data = files.read_json(path, f"redraw it with `{redraw}`")
    if data.get("figure") not in names:
        raise TableError(
            f"{path} is not the JSON of a figure that `{redraw}` makes; it needs a key 'figure' that is one "
            f"of {', '.join(map(repr, names))}"
        )
    return data


def of(source: Source, names: Iterable[str] = ()) -> dict[str, dict[str, Any]]:
    """The JSON of the named figures, by name; without names of all that a study like this one can have."""
    wanted = list(names)
    found = {name: json.loads(to_json(plate(name).data(source))) for name in wanted or CATALOGUE}
    return found if wanted else {name: data for name, data in found.items() if not data.get("needless")}
