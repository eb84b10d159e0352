"""Filter a series to its frontier: the rows among the best on the day they appeared."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scaling.errors import ConfigError, one_of
from scaling.trends.series import Series


def rank_at_release(s: Series, *, falling: bool = False) -> np.ndarray:
    """Return the rank of each row among all rows dated on or before its day, [n]; 1 is the best.

    falling: whether smaller values are better.
    """
    y = -s.log if falling else s.log
    rank = np.empty(len(s), int)
    for i in range(len(s)):
        rank[i] = 1 + int(np.sum(y[s.year <= s.year[i]] > y[i]))
    return rank


def top(s: Series, count: int, *, falling: bool = False) -> Series:
    """Return the rows among the best `count` on their day."""
    return s.take(rank_at_release(s, falling=falling) <= count)


def record(s: Series, *, falling: bool = False) -> Series:
    """Return the running record: rows that exceed or equal everything before them."""
    return top(s, 1, falling=falling)


def percentile(s: Series, share: float, *, years: float = 2.0, falling: bool = False) -> Series:
    """Return the rows at or above the `share` quantile of the rows of the last `years` years.

    Raises `ConfigError` for a share outside (0, 1).
    """
    if not 0 < share < 1:
        raise ConfigError(f"the percentile share is {share:g}; it must lie between 0 and 1, for example 0.75")
    y = -s.log if falling else s.log
    keep = np.zeros(len(s), bool)
    for i in range(len(s)):
        recent = (s.year <= s.year[i]) & (s.year > s.year[i] - years)
        keep[i] = y[i] >= np.quantile(y[recent], share)
    return s.take(keep)


FILTERS: dict[str, Callable[[Series], Series]] = {
    "all": lambda s: s,
    "top-1": lambda s: top(s, 1),
    "top-3": lambda s: top(s, 3),
    "top-5": lambda s: top(s, 5),
    "top-10": lambda s: top(s, 10),
    "top-20": lambda s: top(s, 20),
    "p75": lambda s: percentile(s, 0.75),
    "p90": lambda s: percentile(s, 0.9),
}


def frontier(s: Series, name: str) -> Series:
    """Return a series after a named filter. Raises `ConfigError` for an unknown name."""
    if name not in FILTERS:
        raise ConfigError(one_of("frontier filter", name, FILTERS))
    return FILTERS[name](s)
