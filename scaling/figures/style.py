"""The look: fonts, colours for light and dark paper, and a canvas with a title that says the finding and
a footer that says where it is from."""

from __future__ import annotations

import colorsys
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
"""Comes with matplotlib; has the letters of names that the style's font does not know."""


@dataclass(frozen=True, kw_only=True)
class Paper:
    """What a figure is printed on."""

    background: str
    """The sheet."""
    ink: str
    """Titles, numbers, the main line."""
    muted: str
    """Axis labels, references, footers; at least 4.5 : 1 against the sheet."""
    faint: str
    """Grid and hairlines."""


LIGHT = Paper(background="#ffffff", ink="#15181c", muted="#59636e", faint="#dfe3e8")
DARK = Paper(background="#14171a", ink="#edf0f2", muted="#9da7b1", faint="#333a41")
PAPERS = {"light": LIGHT, "dark": DARK}

BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = "#0072b2", "#c44e00", "#00805d", "#a8467f", "#a06000", "#1f77a8"
"""Okabe and Ito's colours, darkened until they can be read as text on white (4.5 : 1)."""
CYCLE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
MARKERS = ("o", "s", "^", "v", "P", "X", "p", "h", "<", ">")
"""Shape says again what colour says; the diamond is kept for optima."""

RAMP = LinearSegmentedColormap.from_list("budget", ["#3448b5", "#7b41a8", "#b53b86", "#cc4154", "#bd5a10"])
"""Ordered quantities: blue to orange through purple, so that no kind of colour blindness folds it; every
step is readable as text on white."""
STEPS = 24


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (WCAG 2.2): 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def for_dark(colour: str) -> str:
    """The same hue on dark paper: papers swap, data colours are lightened until they read at 4.5 : 1."""
    swapped = dict(zip(vars(LIGHT).values(), vars(DARK).values(), strict=True))
    if colour.lower() in swapped:
        return str(swapped[colour.lower()])
    hue, lightness, saturation = colorsys.rgb_to_hls(*to_rgb(colour))
    found = colour
    while contrast(found, DARK.background) < 4.5 and lightness < 0.95:
        lightness += 0.02
        found = to_hex(colorsys.hls_to_rgb(hue, lightness, min(saturation, 0.85)))
    return found


def tone(colour: str) -> str:
    """A data colour on the paper that is in use."""
    return for_dark(colour) if mpl.rcParams["figure.facecolor"] == DARK.background else colour


def paper() -> Paper:
    """The paper in use."""
    return DARK if mpl.rcParams["figure.facecolor"] == DARK.background else LIGHT


def ramp(position: float) -> str:
    """The colour of an ordered quantity at `position` in 0…1, in one of a few steps."""
    step = round(min(max(position, 0.0), 1.0) * (STEPS - 1)) / (STEPS - 1)
    return tone(to_hex(RAMP(step)))


def add_fonts() -> None:
    """Makes the style's fonts known to matplotlib, once.

    The family that stands in for missing letters has no semibold; its bold is entered as one, or matplotlib
    would say on stderr, at every headline, that it took the bold.
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
    """Everything inside is drawn in the style, on this paper, whatever a person's own settings are."""
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
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams["backend"] = "agg"
        use_style(STYLE_FILE)
        mpl.rcParams.update(cast(Any, colours))
        yield


def wrapped(text: str, inches: float, size: float, weight: int = 400) -> list[str]:
    """`text` in lines that are no wider than so many inches in the style's font."""
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
    """A sheet with a finding on top, panels in the middle and provenance at the foot; lengths in inches.

    `data` is the figure's JSON, of which `title`, `subtitle` and `footer` are written here.

    Returns the figure and its axes as rows of columns. `rows` are the relative heights of the rows.
    """
    figure = Figure(figsize=(width, height))
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
    """A sheet that says in words why a figure is not there."""
    figure, ((axes,),) = canvas({"title": "Not drawn yet", "subtitle": why, "footer": []}, height=2.2)
    axes.set_axis_off()
    return figure


def size_ruler(axes: Axes, low: float, high: float, lift: float = 0.10) -> None:
    """A small ruler `lift` inches above the right end of the axes, from the smallest to the largest model in
    their colours; where all are of one size, that size alone."""
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
