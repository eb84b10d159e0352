"""Share the axes, lines, footers and durations of the trend figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from scaling.figures import style, units

KINDS = {
    "models": (style.BLUE, "o"),
    "hardware": (style.VERMILION, "s"),
    "money": (style.GREEN, "^"),
    "algorithms": (style.PURPLE, "v"),
    "ability": (style.ORANGE, "P"),
}
"""Colour and shape of each kind of growth line."""
DASHED = (0, (3.6, 2.2))


def tone(kind: str) -> str:
    """Return the colour of a kind on the paper in use."""
    return style.tone(KINDS[kind][0])


def footer(*, n: str, window: str, interval: str, source: str, command: str) -> list[str]:
    """Return the footer: n, window and interval with its level, then the source and the redraw command."""
    return [f"{n} · {window} · {interval}", f"Source: {source} · redraw: {command}"]


def flops(value: float) -> str:
    """Return FLOP with its unit, also beyond 10²⁷ (ronna, quetta)."""
    if value < 1e27:
        return units.flops(value)
    size, unit = (1e27, "RFLOP") if value < 1e30 else (1e30, "QFLOP")
    return f"{value / size:.0f}{units.SPACE}{unit}"


def years(axes: Axes, low: float, high: float, step: int | None = None) -> None:
    """Set up a calendar axis with few round years."""
    axes.set_xlim(low, high)
    step = step or next(s for s in (1, 2, 5, 10, 20) if (high - low) / s <= 9)
    axes.xaxis.set_major_locator(FixedLocator(list(range(math.ceil(low / step) * step, int(high) + 1, step))))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.0f}"))


def powers(
    axes: Axes, low: float, high: float, say: Callable[[float], str] | None = None, most: int = 7
) -> None:
    """Set up a log axis from 10^low to 10^high; each tick is a power of ten after its human unit."""
    axes.set_yscale("log")
    axes.set_ylim(10**low, 10**high)
    step = max(1, math.ceil((high - low) / most))
    step = next(s for s in (1, 2, 3, 5, 6, 10) if s >= step)
    ticks = [10.0**e for e in range(math.ceil(low / step) * step, math.floor(high) + 1, step)]
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_minor_locator(NullLocator())

    def label(v: float, _: object) -> str:
        power = f"10{units.superscript(round(math.log10(v)))}"
        return power if say is None else f"{say(v)}  {power}"

    axes.yaxis.set_major_formatter(FuncFormatter(label))


def line(
    axes: Axes,
    at: Callable[[np.ndarray], np.ndarray],
    window: Sequence[float],
    until: float | None,
    colour: str,
    *,
    width: float = 1.6,
) -> None:
    """Draw a fitted line, solid over its data and dashed beyond. `at` maps years to values."""
    x = np.linspace(window[0], window[1], 80)
    axes.plot(x, at(x), color=colour, lw=width, zorder=4)
    if until is not None and until > window[1]:
        x = np.linspace(window[1], until, 40)
        axes.plot(x, at(x), color=colour, lw=width * 0.8, ls=DASHED, zorder=3)


def span(years_: float) -> str:
    """Return a duration in words: `7.7 months`, `2.1 years`, `39 days`."""
    if years_ < 0.25:
        return f"{years_ * 365.25:.0f} days"
    return f"{units.digits(years_ * 12, 2)} months" if years_ < 2.5 else f"{units.digits(years_, 2)} years"


def span_short(years_: float) -> str:
    """Return a duration in short: `7.7 mo`."""
    return (
        span(years_)
        .replace(" months", f"{units.SPACE}mo")
        .replace(" years", f"{units.SPACE}y")
        .replace(" days", f"{units.SPACE}d")
    )


def exponential(year: np.ndarray | float, slope: float, at: float, height: float = 0.0) -> np.ndarray:
    """Return 10^(height + slope (year - at)), a growth line."""
    return np.asarray(10 ** (height + slope * (np.asarray(year, float) - at)))


def halo() -> list[object]:
    """Return an outline in the colour of the sheet, which keeps a word readable over dots."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=2.4, foreground=style.paper().background)]


def months(value: float) -> str:
    """Return a duration in months as an axis label: `9 d`, `6 mo`, `2 y`."""
    if value < 1:
        return f"{units.digits(value * 30.44, 2)}{units.SPACE}d"
    if value < 24:
        return f"{units.digits(value, 2)}{units.SPACE}mo"
    return f"{units.digits(value / 12, 2)}{units.SPACE}y"


def window_words(window: Sequence[float]) -> str:
    """Return a window as `2010–2025`."""
    return f"{int(window[0])}–{int(window[1])}"
