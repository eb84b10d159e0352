"""Where two JSON values differ by more than another processor's arithmetic can make of them."""

from __future__ import annotations

import math
import re
from typing import Any

MADE = {"made", "created", "versions", "command"}
ENDS = ("interval", "lower", "upper", "band", "quantile", "draws")
"""Words in the paths of interval ends and of what they are made from."""
VALUE, END = 1e-6, 1e-2
"""Relative tolerances of values and of interval ends; an end may also move by that part of the width."""
NUMBERS = re.compile(r"[-−⁻]?[\d⁰¹²³⁴⁵⁶⁷⁸⁹][\d.,·⁰¹²³⁴⁵⁶⁷⁸⁹]*(e[+-]?\d+)?")


def drift(old: Any, new: Any, where: str = "") -> list[str]:
    """Return one line a difference: values beyond 1e-6, interval ends beyond a hundredth of the width, words
    other than the same. Numbers within a text are rounded and may differ in the last digit."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            line
            for key in sorted(({*old, *new}) - MADE)
            for line in drift(old.get(key), new.get(key), f"{where}.{key}")
        ]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        if where.endswith("interval") and len(old) == 2 and all(_number(v) for v in (*old, *new)):
            width = abs(old[1] - old[0])
            if all(
                math.isclose(a, b, rel_tol=VALUE, abs_tol=END * width) for a, b in zip(old, new, strict=True)
            ):
                return []
            return [f"{where}: {old!r} became {new!r}"]
        pairs = enumerate(zip(old, new, strict=True))
        return [line for i, pair in pairs for line in drift(*pair, f"{where}[{i}]")]
    if _number(old) and _number(new) and same(old, new, where):
        return []
    if isinstance(old, str) and isinstance(new, str) and alike(old, new):
        return []
    return [] if old == new else [f"{where}: {old!r} became {new!r}"]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def same(old: float, new: float, where: str) -> bool:
    """Return whether two numbers are one."""
    return math.isclose(old, new, rel_tol=END if any(word in where for word in ENDS) else VALUE, abs_tol=1e-9)


def alike(old: str, new: str) -> bool:
    """Return whether two texts have the same words and numbers that differ by rounding at most."""
    if NUMBERS.sub("#", old) != NUMBERS.sub("#", new):
        return False
    pairs = zip(NUMBERS.finditer(old), NUMBERS.finditer(new), strict=True)
    return all(a[0] == b[0] or _rounded(a[0], b[0]) for a, b in pairs)


def _rounded(old: str, new: str) -> bool:
    """Return whether two written numbers differ by one in the last digit, or in a hundredth."""
    try:
        one, two = (float(text.replace(",", "").replace("−", "-").rstrip(".")) for text in (old, new))
    except ValueError:
        return False
    digits = len(old.partition("e")[0].partition(".")[2])
    return math.isclose(one, two, rel_tol=END, abs_tol=1.01 * 10.0**-digits if digits else 0.0)
