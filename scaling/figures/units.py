"""Format numbers with human units, and label log axes with them.

Examples: 16 k parameters, 1.3 M tokens, 250 GFLOP for 2.5e11 FLOP, 3.3 min for 200 s.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

SPACE = "\u202f"
"""Narrow no-break space between a number and its unit."""

_COUNTS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_FLOPS = (
    (1e24, "YFLOP"),
    (1e21, "ZFLOP"),
    (1e18, "EFLOP"),
    (1e15, "PFLOP"),
    (1e12, "TFLOP"),
    (1e9, "GFLOP"),
    (1e6, "MFLOP"),
    (1e3, "kFLOP"),
    (1.0, "FLOP"),
)
_SECONDS = ((31_557_600.0, "y"), (86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"))
_SUPERSCRIPT = str.maketrans("0123456789-.", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻·")


def digits(value: float, significant: int = 2) -> str:
    """Return `value` with `significant` digits and no trailing zeros.

    Values from 10⁶ on and below 10⁻⁵ are written with a power of ten.
    """
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "–"
    if not 1e-5 <= abs(value) < 1e6:
        lead, _, exponent = f"{value:.{significant - 1}e}".partition("e")
        return f"{digits(float(lead), significant)}×10{superscript(int(exponent))}"
    places = significant - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, places)
    text = f"{rounded:.{max(places, 0)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", "−")


def _scaled(value: float, units: Sequence[tuple[float, str]], significant: int) -> str:
    if value is None or not math.isfinite(value):
        return "–"
    for factor, unit in units:
        # 999.6 k is written as 1 M
        if abs(float(f"{value / factor:.{significant - 1}e}")) >= 1:
            return f"{digits(value / factor, significant)}{SPACE}{unit}".rstrip(SPACE)
    factor, unit = units[-1]
    return f"{digits(value / factor, significant)}{SPACE}{unit}".rstrip(SPACE)


def count(value: float, significant: int = 2) -> str:
    """Return a count of parameters, tokens or runs with its unit: 16 k, 1.3 M, 6.4 B."""
    return _scaled(value, _COUNTS, significant)


def flops(value: float, significant: int = 2) -> str:
    """Return floating-point operations with their unit: 16 GFLOP, 1.1 TFLOP; a power of ten from 10²⁷ on."""
    if value is not None and math.isfinite(value) and value >= 1e27:
        exponent = math.floor(math.log10(value))
        return f"{digits(value / 10**exponent, significant)}×10{superscript(exponent)}{SPACE}FLOP"
    return _scaled(value, _FLOPS, significant)


def seconds(value: float, significant: int = 2) -> str:
    """Return a duration with its unit: 45 s, 3.3 min, 2 h, 1.5 d."""
    return _scaled(value, _SECONDS, significant)


def money(value: float, significant: int = 2) -> str:
    """Return an amount of dollars: $0.012, $40, $1.3 M."""
    return "–" if value is None or not math.isfinite(value) else f"${count(value, significant)}"


def things(number: int, noun: str) -> str:
    """Return a number with its noun, singular or plural: 1 run, 55 runs."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def superscript(value: float | str) -> str:
    """Return a number in superscript characters: 0.46 → ⁰·⁴⁶."""
    return str(value).replace("−", "-").translate(_SUPERSCRIPT)


def power(symbol: str, exponent: float, places: int = 2) -> str:
    """Return a symbol raised to a rounded exponent, such as `C⁰·⁴⁶`."""
    return f"{symbol}{superscript(f'{exponent:.{places}f}')}"


def percent(share: float, significant: int = 2) -> str:
    """Return a share as a percentage: 0.0039 → 0.39 %."""
    return f"{digits(100 * share, significant)}{SPACE}%"


def formula(text: str) -> str:
    """Return a law's formula for print: Greek letters, minus signs, and A/N^α for A N^-alpha."""
    text = re.sub(r"(\w+) (\w+)\^-(\w+)", r"\1/\2^\3", text)
    for name, letter in (
        ("alpha", "α"),
        ("beta", "β"),
        ("gamma", "γ"),
        ("delta", "δ"),
        ("^-", "^−"),
        (" - ", " − "),
    ):
        text = text.replace(name, letter)
    return text


def interval(bounds: Sequence[float] | None, places: int = 2) -> str:
    """Return an interval as `[0.41, 0.52]`; an empty string where there is none."""
    if not bounds or any(b is None or not math.isfinite(b) for b in bounds):
        return ""
    return f"[{bounds[0]:.{places}f}, {bounds[1]:.{places}f}]".replace("-", "−")


def spoken_range(low: float, high: float, say: Callable[[float], str]) -> str:
    """Return a range such as `16 to 250 GFLOP`; both units are written where they differ."""
    first, last = say(low), say(high)
    if first == last:
        return first
    one, two = first.split(SPACE), last.split(SPACE)
    return f"{one[0]} to {last}" if len(one) == len(two) == 2 and one[1] == two[1] else f"{first} to {last}"


def log_ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Return at most `most` round numbers in [low, high] on a log scale: decades, else 1-3, else 1-2-5, else
    finer; even ones on a linear scale that reaches zero."""
    if low <= 0:
        even = MaxNLocator(max(most - 1, 1), steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
        return [float(t) for t in even if low <= t <= high][:most]
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    best: list[float] = []
    finest: list[float] = []
    for leading in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)):
        finest = [d * 10.0**e for e in exponents for d in leading if low <= d * 10.0**e <= high]
        if len(best) < len(finest) <= most:
            best = finest
        if leading == (1.0,) and len(finest) > most:
            return finest[:: math.ceil(len(finest) / most)]
    if len(best) >= min(3, most) or (len(best) == 2 and high > 10 * low) or (len(best) == 1 and most <= 2):
        return best
    even = MaxNLocator(max(most - 1, 1), steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    linear = [float(t) for t in even if low <= t <= high and t > 0][:most]
    return linear if len(linear) > len(best) else best


_TIMES = (
    *(d * 10.0**e for e in range(-3, 0) for d in (1, 2, 5)),
    *(1.0, 2.0, 5.0, 10.0, 20.0, 30.0),
    *(60.0 * m for m in (1, 2, 5, 10, 20, 30)),
    *(3600.0 * h for h in (1, 2, 4, 8, 12)),
    *(86_400.0 * d for d in (1, 2, 5, 10, 20, 50, 100, 200)),
)


def time_ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Return at most `most` round durations in [low, high] seconds."""
    inside = [t for t in _TIMES if low <= t <= high]
    return inside[:: math.ceil(len(inside) / most)] if len(inside) > 1 else log_ticks(low, high, most)


def say_axis(axis: Axis, say: Callable[[float], str], most: int = 7) -> None:
    """Label an axis in human units, with few round ticks and no minor ticks."""
    choose = time_ticks if say is seconds else log_ticks
    low, high = sorted(axis.get_view_interval())
    ticks = choose(low, high, most)
    box, figure = axis.axes.get_window_extent(), axis.axes.get_figure(root=True)
    across = axis is axis.axes.xaxis
    points = (box.width if across else box.height) * 72 / (figure.dpi if figure else 72)
    scale = points / (math.log(high / low) if axis.get_scale() == "log" else high - low)
    log = axis.get_scale() == "log"
    while len(ticks) > 1 and _crowded(ticks, say, scale, across, log):
        ticks = ticks[::2]
    if len(ticks) == 1:  # one tick gives no scale, so use the outermost two of a finer set where both fit
        finer = choose(low, high, 7)
        ends = [finer[0], finer[-1]]
        ticks = ends if ends[0] < ends[1] and not _crowded(ends, say, scale, across, log) else ticks
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: say(value)))


def _crowded(
    ticks: Sequence[float], say: Callable[[float], str], scale: float, across: bool, log: bool
) -> bool:
    """Return whether two labels would touch, at 4.7 points per letter and 14 per line.

    scale: points per unit of the axis.
    """
    for one, two in pairwise(ticks):
        apart = scale * (math.log(two / one) if log else two - one)
        if apart < (4.7 * (len(say(one)) + len(say(two))) / 2 + 8 if across else 14):
            return True
    return False


def plain(value: float) -> str:
    """Return a number without unit, with up to three significant digits."""
    return digits(value, 3)
