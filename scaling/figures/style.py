"""Set the style of every figure: fonts, colours on light and dark paper, and a canvas.

The canvas has the finding as its title and the provenance as its footer.
"""

from __future__ import annotations

import colorsys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.style import use as use_style

from scaling.figures import units

_HERE = Path(__file__).parent
STYLE_FILE = _HERE / "style.mplstyle"
FONT_FILES = (_HERE / "fonts" / "ScalingSans-Regular.otf", _HERE / "fonts" / "ScalingSans-SemiBold.otf")
SPARE_FAMILY = "DejaVu Sans"
"""Fallback font family shipped with matplotlib, for letters that the style's font lacks."""


@dataclass(frozen=True, kw_only=True)
class Paper:
    """The colours of one background, light or dark."""

    background: str
    """Colour of the sheet."""
    ink: str
    """Colour of titles, numbers and the main line."""
    muted: str
    """Colour of axis labels, references and footers; contrast at least 4.5 : 1 against the sheet."""
    faint: str
    """Colour of the grid and of hairlines."""


LIGHT = Paper(background="#ffffff", ink="#15181c", muted="#59636e", faint="#dfe3e8")
DARK = Paper(background="#14171a", ink="#edf0f2", muted="#9da7b1", faint="#333a41")
PAPERS = {"light": LIGHT, "dark": DARK}

BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = "#0072b2", "#c44e00", "#00805d", "#a8467f", "#a06000", "#1f77a8"
"""Colours of Okabe and Ito, darkened until text in them is readable on white (4.5 : 1)."""
CYCLE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
MARKERS = ("o", "s", "^", "v", "P", "X", "p", "h", "<", ">")
"""Marker shapes that repeat what the colour shows; the diamond is reserved for optima."""

RAMP = LinearSegmentedColormap.from_list("budget", ["#3448b5", "#7b41a8", "#b53b86", "#cc4154", "#bd5a10"])
"""Colour ramp of ordered quantities, blue to orange through purple.

Its steps stay distinct under colour blindness and are readable as text on white.
"""
STEPS = 24


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2), from 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def for_dark(colour: str) -> str:
    """Return a colour for dark paper: paper colours swap, data colours are lightened to 4.5 : 1 contrast."""
    swapped = dict(zip(vars(LIGHT).values(), vars(DARK).values(), strict=True))
    if colour.lower() in swapped:
        return str(swapped[colour.lower()])
    hue, lightness, saturation = colorsys.rgb_to_hls(*to_rgb(colour))
    lightened = colour
    while contrast(lightened, DARK.background) < 4.5 and lightness < 0.95:
        lightness += 0.02
        lightened = to_hex(colorsys.hls_to_rgb(hue, lightness, min(saturation, 0.85)))
    return lightened


def tone(colour: str) -> str:
    """Return a data colour as it appears on the paper in use."""
    return for_dark(colour) if mpl.rcParams["figure.facecolor"] == DARK.background else colour


def paper() -> Paper:
    """Return the paper in use."""
    return DARK if mpl.rcParams["figure.facecolor"] == DARK.background else LIGHT


def ramp(position: float) -> str:
    """Return the colour of an ordered quantity at `position` in [0, 1], rounded to one of `STEPS` steps."""
    step = round(min(max(position, 0.0), 1.0) * (STEPS - 1)) / (STEPS - 1)
    return tone(to_hex(RAMP(step)))


def add_fonts() -> None:
    """Register the style's fonts with matplotlib, once.

    The fallback family has no semibold. Its bold is registered as semibold, because matplotlib would
    otherwise print a warning on stderr for every title.
    """
    listed = font_manager.fontManager.ttflist
    known = {Path(f.fname) for f in listed}
    for file in FONT_FILES:
        if file not in known:
            font_manager.fontManager.addfont(file)
    spare = [f for f in listed if f.name == SPARE_FAMILY and f.style == "normal"]
    if not any(f.weight == 600 for f in spare):
        listed.extend(replace(f, weight=600) for f in spare if f.weight in (700, "bold"))


@contextmanager
def printed_on(sheet: Paper = LIGHT) -> Iterator[None]:
    """Draw everything inside the context in this style, on this paper, ignoring the user's own settings."""
    add_fonts()
    colours = {
        "figure.facecolor": sheet.background,
        "axes.facecolor": sheet.background,
        "savefig.facecolor": sheet.background,
        "text.color": sheet.ink,
        "axes.titlecolor": sheet.ink,
        "axes.labelcolor": sheet.muted,
        "axes.edgecolor": sheet.muted,
        "xtick.color": sheet.muted,
        "ytick.color": sheet.muted,
        "grid.color": sheet.faint,
    }
    with mpl.rc_context(), warnings.catch_warnings():
        # a letter that no font has is drawn as a box
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        mpl.rcdefaults()
        mpl.rcParams["backend"] = "agg"
        use_style(STYLE_FILE)
        mpl.rcParams.update(cast(Any, colours))
        yield


def wrapped(text: str, inches: float, size: float, weight: int = 400) -> list[str]:
    """Return `text` split into lines no wider than `inches` in the style's font."""
    agg: Any = RendererAgg
    renderer, font = agg(10, 10, 720), FontProperties(size=size, weight=weight)
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and renderer.get_text_width_height_descent(longer, font, ismath=False)[0] <= inches * 716:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def canvas(
    data: Mapping[str, Any],
    *,
    columns: int = 1,
    rows: Sequence[float] = (1.0,),
    width: float = 7.2,
    height: float = 4.7,
    left: float = 0.72,
    right: float = 0.3,
    gap: float = 0.75,
    row_gap: float = 0.22,
    head: float = 0.2,
) -> tuple[Figure, list[list[Axes]]]:
    """Return a figure with a title, a subtitle and a footer, and its axes as rows of columns.

    data: the figure's JSON, of which `title`, `subtitle` and `footer` are used. Lengths are in inches. rows:
    relative heights of the rows of panels.
    """
    figure = Figure(figsize=(width, height))
    # margins for very long names leave the panels a third of the width
    most = (width - gap * (columns - 1)) * 2 / 3
    if left + right > most:
        left, right = max(min(left, most / 2), most - right), max(min(right, most / 2), most - left)
    room = width - 2 * 0.2
    heads = wrapped(data["title"], room, 12.5, 600)
    subs = wrapped(data["subtitle"], room, 9)
    foot = [line for part in data["footer"] if part for line in wrapped(part, room, 7.1)]
    y = height - 0.30
    for line in heads:
        figure.text(0.2 / width, y / height, line, fontsize=12.5, fontweight=600, va="baseline")
        y -= 0.225
    for line in subs:
        figure.text(0.2 / width, y / height, line, fontsize=9, color=paper().muted, va="baseline")
        y -= 0.175
    for i, line in enumerate(reversed(foot)):
        figure.text(
            0.2 / width, (0.14 + 0.14 * i) / height, line, fontsize=7.1, color=paper().muted, va="baseline"
        )
    bottom, top = 0.14 + 0.14 * len(foot) + 0.52, y - head
    inner = top - bottom - row_gap * (len(rows) - 1)
    panel = (width - left - right - gap * (columns - 1)) / columns
    grid: list[list[Axes]] = []
    edge = top
    for share in rows:
        tall = inner * share / sum(rows)
        edge -= tall
        grid.append(
            [
                figure.add_axes(
                    ((left + c * (panel + gap)) / width, edge / height, panel / width, tall / height)
                )
                for c in range(columns)
            ]
        )
        edge -= row_gap
    return figure, grid


def not_drawn(why: str) -> Figure:
    """Return a figure that states the reason why there is nothing to draw."""
    figure, ((axes,),) = canvas({"title": "Not drawn yet", "subtitle": why, "footer": []}, height=2.2)
    axes.set_axis_off()
    return figure


def size_ruler(axes: Axes, low: float, high: float, lift: float = 0.10) -> None:
    """Draw the colour scale of model sizes `lift` inches above the right end of the axes.

    Where all models have one size, only that size is written.
    """
    if units.count(low) == units.count(high):
        axes.annotate(
            f"parameters N  {units.count(low)}",
            (1, 1),
            xycoords="axes fraction",
            xytext=(0, 72 * lift),
            textcoords="offset points",
            ha="right",
            fontsize=8,
        )
        return
    box, dots = axes.get_window_extent(), axes.figure.dpi
    wide, tall, lift = 1.0 * dots / box.width, 0.075 * dots / box.height, lift * dots / box.height
    end = 1 - 0.5 * dots / box.width
    ruler = axes.inset_axes((end - wide, 1 + lift, wide, tall))
    for i in range(STEPS):
        ruler.axvspan(i / STEPS, 1, color=ramp(i / (STEPS - 1)), lw=0)
    ruler.set_xlim(0, 1)
    ruler.set_ylim(0, 1)
    ruler.set_axis_off()
    ruler.annotate(
        units.count(high), (1, 0.5), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8
    )
    ruler.annotate(
        f"parameters N  {units.count(low)}",
        (0, 0.5),
        xytext=(-5, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=8,
    )
