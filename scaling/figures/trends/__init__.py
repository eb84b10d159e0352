"""F1 to F12: trends against the calendar. Each figure is `data()` → plain JSON and `draw(json)` →
picture, as in the catalogue of runs.

Most come from the shipped facts alone. `families` (F5) needs a sweep, `gain` (F6) what `scaling compare`
wrote.
"""

from __future__ import annotations

import io
import json
import logging
from importlib import import_module
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from scaling import files
from scaling.errors import ConfigError, one_of
from scaling.figures import catalogue, style

_WHERE = {
    "growth": "growth",
    "compute": "compute",
    "forest": "forest",
    "multiverse": "multiverse",
    "families": "family_curves",
    "gain": "gain",
    "exchange": "exchange",
    "decomposition": "decomposition",
    "calendar": "calendar",
    "costs": "costs",
    "hardware": "hardware",
    "doubling": "doubling",
}
NAMES = tuple(_WHERE)
"""F1 … F12 in order."""
FROM_FACTS = tuple(n for n in NAMES if n not in {"families", "gain"})
"""Those that need nothing but the shipped facts."""


def module(name: str) -> Any:
    """The module of a figure, with `data` and `draw`. Raises ConfigError with the nearest names."""
    if name not in _WHERE:
        raise ConfigError(one_of("trend figure", name, NAMES))
    return import_module(f"scaling.figures.trends.{_WHERE[name]}")


def data(name: str, *arguments: Any, **options: Any) -> dict[str, Any]:
    """What a figure shows, as the JSON that is written beside it."""
    found: dict[str, Any] = json.loads(catalogue.to_json(module(name).data(*arguments, **options)))
    return found


def draw(found: dict[str, Any], sheet: style.Paper = style.LIGHT) -> Figure:
    """The figure of one JSON."""
    with style.printed_on(sheet):
        if found.get("missing"):
            return style.not_drawn(str(found["missing"]))
        drawn: Figure = module(str(found["figure"])).draw(found)
        return drawn


def rendered(found: dict[str, Any], kind: str, sheet: style.Paper = style.LIGHT) -> bytes:
    """Bytes of one figure as `svg` or `png`: the same JSON gives the same bytes."""
    about = {
        "svg": {
            "Date": None,
            "Creator": None,
            "Title": str(found.get("title", "Not drawn yet")),
            "Description": str(found.get("alt", found.get("missing"))),
        },
        "png": {"Software": None},
    }
    # a bold superscript that the fonts lack falls back quietly
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    with style.printed_on(sheet):
        out = io.BytesIO()
        draw(found, sheet).savefig(out, format=kind, metadata=about[kind])
    return out.getvalue()


def load(path: Path) -> dict[str, Any]:
    """The JSON behind a figure. Raises TableError when it is none."""
    return catalogue.load(path, NAMES, "scaling trends figures DIR")


def write(found: dict[str, Any], folder: Path, sheet: style.Paper = style.LIGHT) -> list[Path]:
    """Writes NAME.json, NAME.svg and NAME.png of one figure into `folder`; returns their paths. On dark paper
    the pictures are NAME.dark."""
    name = str(found["figure"])
    stem = name if sheet is style.LIGHT else f"{name}.dark"
    paths = [folder / f"{name}.json", folder / f"{stem}.svg", folder / f"{stem}.png"]
    contents = (
        catalogue.to_json(found).encode(),
        rendered(found, "svg", sheet),
        rendered(found, "png", sheet),
    )
    for path, content in zip(paths, contents, strict=True):
        files.write(path, content, "the figure", option="--figures FOLDER")
    return paths


def save(name: str, folder: Path, sheet: style.Paper = style.LIGHT, **options: Any) -> list[Path]:
    """Makes a figure and writes it into `folder`; returns its paths. Options go to the figure's `data`."""
    return write(data(name, **options), folder, sheet)
