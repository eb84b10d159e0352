"""Fit the growth rate of a series: factor per year and doubling or halving time, with intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scaling.errors import ConfigError, one_of
from scaling.trends import dates
from scaling.trends.growth import intervals
from scaling.trends.series import Series, needs

LOG2 = math.log10(2.0)
LEVEL = 0.9


@dataclass(frozen=True, kw_only=True)
class Rate:
    """One fitted growth rate. Use `slope` for arithmetic; show a rate only where `trending` is true."""

    quantity: str
    """What grows."""
    slope: float
    """Slope, orders of magnitude per year."""
    low: float
    """Low end of the slope's interval, orders of magnitude per year."""
    high: float
    """High end of the slope's interval, orders of magnitude per year."""
    level: float
    """Level of the interval."""
    method: str
    """Method of the interval."""
    at: float
    """Decimal year of the centroid."""
    height: float
    """log10 of the line's value at `at`."""
    n: int
    """Rows in the fit."""
    groups: int | None
    """Number of groups among the rows; None without a group column."""
    r2: float
    """Share of the variance of the log10 values that the line explains."""
    sigma: float
    """Residual standard deviation of the log10 values (n - 2 in the denominator)."""
    window: tuple[float, float]
    """First and last date, decimal years."""
    source: str = ""
    """Source of the rows."""

    @property
    def trending(self) -> bool:
        """Whether the interval of the slope excludes 0."""
        return self.low > 0 or self.high < 0

    @property
    def falls(self) -> bool:
        """Whether the quantity falls."""
        return self.slope < 0

    @property
    def times_per_year(self) -> float:
        """Factor per year; below 1 when the quantity falls."""
        return float(10.0**self.slope)

    @property
    def doubling_years(self) -> float:
        """Years to double, or to halve when `falls`; always positive."""
        return LOG2 / abs(self.slope)

    @property
    def doubling_interval(self) -> tuple[float, float]:
        """Interval of the doubling (halving) time in years; meaningful only when `trending`."""
        ends = sorted((LOG2 / abs(self.low), LOG2 / abs(self.high)))
        return ends[0], ends[1]

    def predict(self, year: np.ndarray | float) -> np.ndarray:
        """Return log10 of the line's value at each decimal year."""
        return self.height + self.slope * (np.asarray(year, float) - self.at)

    def words(self) -> str:
        """Return the rate in words, or `no trend` with the reason."""
        span = (
            f"{self.n} rows, {dates.calendar_month(self.window[0])} to {dates.calendar_month(self.window[1])}"
        )
        if not self.trending:
            return f"no trend: the {self.level:.0%} interval of the slope contains 0 ({span})"
        a, b = self.doubling_interval
        return (
            f"×{self.times_per_year:.3g} a year [{10**self.low:.3g}, {10**self.high:.3g}], "
            f"{'halves' if self.falls else 'doubles'} every {span_within(self.doubling_years, a, b)} "
            f"({self.level:.0%}, {self.method}; {span})"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; the rate is null where there is no trend."""
        ok = self.trending
        a, b = self.doubling_interval if ok else (None, None)
        return {
            "quantity": self.quantity,
            "verdict": ("falls" if self.falls else "grows") if ok else "no trend",
            "times_per_year": self.times_per_year if ok else None,
            "times_per_year_interval": [10**self.low, 10**self.high] if ok else None,
            "orders_per_year": self.slope if ok else None,
            "orders_per_year_interval": [self.low, self.high],
            ("halving_years" if ok and self.falls else "doubling_years"): self.doubling_years if ok else None,
            ("halving_years_interval" if ok and self.falls else "doubling_years_interval"): [a, b]
            if ok
            else None,
            "level": self.level,
            "method": self.method,
            "n": self.n,
            "groups": self.groups,
            "r2": self.r2 if math.isfinite(self.r2) else None,
            "residual_orders": self.sigma,
            "window": [round(x, 4) for x in self.window],
            "source": self.source,
        }


def _unit(years: float) -> tuple[float, str, str, str]:
    """Return the unit for a duration: units per year, its name, its short name and the number format."""
    if years < 0.25:
        return 365.25, "days", "d", ".0f"
    return (12, "months", "mo", ".3g") if years < 2.5 else (1, "years", "y", ".3g")


def span_words(years: float) -> str:
    """Return a duration in days, months or years."""
    if not math.isfinite(years):
        return "ever"
    per_year, word, _, digits = _unit(years)
    return f"{years * per_year:{digits}} {word}"


def span_within(years: float, low: float, high: float) -> str:
    """Return a duration and its interval in one unit: `2.77 years [2.5, 3.1]`."""
    return f"{span_words(years)} [{', '.join(_ends(years, low, high))}]"


def span_short(years: float) -> str:
    """Return a duration in short: `140 d`, `5.9 mo`, `2.9 y`."""
    if not math.isfinite(years):
        return "∞"
    per_year, _, word, digits = _unit(years)
    return f"{years * per_year:{digits}} {word}"


def between_short(low: float, high: float, years: float) -> str:
    """Return an interval of durations in the unit of the duration `years`: `5.6–6.2 mo`."""
    return f"{'–'.join(_ends(years, low, high))} {_unit(years)[2]}"


def _ends(years: float, *ends: float) -> list[str]:
    per_year, _, _, digits = _unit(years)
    return [f"{end * per_year:{digits}}" if math.isfinite(end) else "∞" for end in ends]


def check_level(level: float) -> float:
    """Return the level. Raises `ConfigError` outside (0, 1)."""
    if not 0 < level < 1:
        raise ConfigError(f"the interval level is {level:g}; it must lie between 0 and 1, for example 0.9")
    return level


def rate(s: Series, *, method: str = "ols", level: float = LEVEL, draws: int = 1000, seed: int = 0) -> Rate:
    """Fit log10 value = height + slope (year - at).

    method: one of `intervals.METHODS`, the method of the interval; `theil-sen` and `median` also set the
    slope. Raises `TableError` for fewer than three rows or one date, `ConfigError` for an unknown method or
    level.
    """
    check_level(level)
    if method not in intervals.METHODS:
        raise ConfigError(one_of("interval method", method, intervals.METHODS))
    needs(s)
    slope, low, high = intervals.METHODS[method](s, level=level, draws=draws, seed=seed)
    at, y = float(s.year.mean()), s.log
    height = float(np.median(y - slope * (s.year - at))) if method in intervals.ROBUST else float(y.mean())
    residual = y - height - slope * (s.year - at)
    total = float(np.sum((y - y.mean()) ** 2))
    return Rate(
        quantity=s.quantity.name,
        slope=slope,
        low=low,
        high=high,
        level=level,
        method=intervals.WORDS[method].format(draws=draws),
        at=at,
        height=height,
        n=len(s),
        groups=None if s.group is None else len(set(s.group)),
        r2=1 - float(np.sum(residual**2)) / total if total > 0 else math.nan,
        sigma=float(np.sqrt(np.sum(residual**2) / (len(s) - 2))),
        window=s.window,
        source=s.source,
    )


def rates(
    s: Series, *, methods: Iterable[str] | None = None, level: float = LEVEL, seed: int = 0
) -> list[Rate]:
    """Fit the same series with every interval method; cluster methods only where it has groups."""
    chosen = (
        list(methods)
        if methods is not None
        else [m for m in intervals.METHODS if s.group is not None or "cluster" not in m]
    )
    return [rate(s, method=m, level=level, seed=seed) for m in chosen]
