"""Run a multiverse analysis: the growth rate under every combination of filter, window and estimator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scaling.errors import ScalingError
from scaling.trends.growth.frontier import FILTERS, frontier
from scaling.trends.growth.rate import LEVEL, Rate, rate
from scaling.trends.series import Series

ESTIMATORS = ("ols", "theil-sen", "median")


@dataclass(frozen=True, kw_only=True)
class World:
    """One combination of filter, window and estimator, with its growth rate."""

    filter: str
    """Name of the frontier filter."""
    start: float
    """First decimal year of the window; the filter also uses earlier rows."""
    estimator: str
    """`ols`, `theil-sen` or `median`."""
    rate: Rate
    """Growth rate under this combination."""


@dataclass(frozen=True, kw_only=True)
class Multiverse:
    """All combinations of choices for one series."""

    quantity: str
    """What grows."""
    worlds: tuple[World, ...]
    """Every combination with enough rows."""

    def span(self, filter: str | None = None) -> tuple[float, float]:
        """Return the smallest and largest factor per year, over all combinations or those of one filter."""
        rates = [w.rate.times_per_year for w in self.worlds if filter is None or w.filter == filter]
        return min(rates), max(rates)

    def filters(self) -> list[str]:
        """Return the filters with enough rows, the smallest ratio of largest to smallest rate first."""
        names = list(dict.fromkeys(w.filter for w in self.worlds))
        return sorted(names, key=lambda f: self.span(f)[1] / self.span(f)[0])

    def median(self) -> float:
        """Return the median factor per year."""
        return float(np.median([w.rate.times_per_year for w in self.worlds]))

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "quantity": self.quantity,
            "choices": len(self.worlds),
            "times_per_year": {"lowest": self.span()[0], "median": self.median(), "highest": self.span()[1]},
            "by_filter": {f: list(self.span(f)) for f in self.filters()},
            "worlds": [
                {
                    "filter": w.filter,
                    "start": w.start,
                    "estimator": w.estimator,
                    "n": w.rate.n,
                    "times_per_year": w.rate.times_per_year if w.rate.trending else None,
                    "interval": [10**w.rate.low, 10**w.rate.high],
                    "level": w.rate.level,
                }
                for w in self.worlds
            ],
        }


def multiverse(
    s: Series,
    *,
    filters: Sequence[str] = tuple(FILTERS),
    starts: Sequence[float] = (2010, 2012, 2014, 2016, 2018),
    end: float = np.inf,
    estimators: Sequence[str] = ESTIMATORS,
    level: float = LEVEL,
    least_rows: int = 8,
) -> Multiverse:
    """Fit a rate for every filter × window × estimator with at least `least_rows` rows.

    starts, end: decimal years. Raises `ScalingError` when no combination has enough rows.
    """
    worlds: list[World] = []
    for name in filters:
        front = frontier(s, name)
        for start in starts:
            part = front.between(start, end)
            if len(part) < least_rows:
                continue
            worlds.extend(
                World(filter=name, start=float(start), estimator=e, rate=rate(part, method=e, level=level))
                for e in estimators
            )
    if not worlds:
        raise ScalingError(
            f"no filter and window of {s.quantity.name} leaves {least_rows} rows; lower `least_rows`"
        )
    return Multiverse(quantity=s.quantity.name, worlds=tuple(worlds))
