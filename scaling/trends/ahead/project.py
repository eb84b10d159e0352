"""Project a law along a compute trend, with the uncertainty of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from scaling.errors import ConfigError
from scaling.trends import dates
from scaling.trends.ahead.loss_law import LossLaw, flops_for, lowest_loss
from scaling.trends.growth.rate import Rate, check_level

STOCK = (3e14, 1e14, 1e15, 0.9)
"""Effective stock of public text in tokens: (central, low, high, level of the interval).

Source: arXiv:2211.04325, abstract and section 3.
"""
DRAWS = 2000


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """The date at which the projection reaches a loss."""

    loss: float
    """Threshold, nats per token."""
    share: float
    """Share of draws that reach the loss before the horizon."""
    middle: float | None
    """Median date over all draws, decimal year; None when half of them never reach the loss."""
    low: float | None
    """Early end of the interval, decimal year."""
    high: float | None
    """Late end of the interval, decimal year; None when it lies beyond the horizon."""


@dataclass(frozen=True, kw_only=True)
class Projection:
    """The projected loss by date, with bands and crossings."""

    year: np.ndarray
    """Decimal years, [m]."""
    flops: np.ndarray
    """Compute on the trend, FLOP, [m]."""
    loss: np.ndarray
    """Central loss without a limit on text, nats per token, [m]."""
    walled: np.ndarray
    """Central loss when each token of the stock of text is seen at most once, [m]."""
    bands: dict[str, tuple[np.ndarray, np.ndarray]]
    """Uncertainty of `law`, `trend` and `both`: low and high, [m] each."""
    floor: float
    """Irreducible loss E, nats per token."""
    wall_year: tuple[float | None, float | None, float | None]
    """Decimal year at which the optimal D reaches the stock of text, for its central, low and high value."""
    crossings: tuple[Crossing, ...]
    """One crossing per threshold."""
    level: float
    """Level of all intervals and bands."""
    law: str
    """Name and source of the law."""
    trend: str
    """Trend in words."""
    data_until: float
    """Last date of the trend's data, decimal year; later values are extrapolated."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "law": self.law,
            "trend": self.trend,
            "level": self.level,
            "floor_nats": self.floor,
            "data_until": self.data_until,
            "data_wall": {
                "tokens": STOCK[0],
                "tokens_interval": [STOCK[1], STOCK[2]],
                "level": STOCK[3],
                "year": self.wall_year[0],
                "year_if_stock_low": self.wall_year[1],
                "year_if_stock_high": self.wall_year[2],
                "source": "arXiv:2211.04325",
            },
            "crossings": [
                {
                    "loss": c.loss,
                    "share_of_draws": c.share,
                    "date": None if c.middle is None else dates.calendar_month(c.middle),
                    "year": c.middle,
                    "year_interval": [c.low, c.high],
                }
                for c in self.crossings
            ],
            "year": self.year.tolist(),
            "flops": self.flops.tolist(),
            "loss": self.loss.tolist(),
            "loss_with_data_wall": self.walled.tolist(),
            "bands": {k: {"low": a.tolist(), "high": b.tolist()} for k, (a, b) in self.bands.items()},
        }


def trend_draws(trend: Rate, draws: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return random slopes and heights of the trend line, [draws] each.

    Slopes follow a t distribution about the fitted slope, heights a normal one about the fit at the centroid.
    """
    spread = (trend.high - trend.low) / (2 * student.ppf(0.5 + trend.level / 2, max(trend.n - 2, 1)))
    slopes = trend.slope + spread * rng.standard_t(max(trend.n - 2, 1), draws)
    return slopes, trend.height + trend.sigma / np.sqrt(trend.n) * rng.standard_normal(draws)


def project(
    law: LossLaw,
    trend: Rate,
    *,
    until: float = 2035.0,
    thresholds: tuple[float, ...] = (),
    level: float = 0.9,
    offset: float = 0.0,
    seed: int = 0,
) -> Projection:
    """Project `law` along `trend` (log10 FLOP against years), from the trend's first row to `until`.

    offset: orders of magnitude added to the trend, for example for past algorithmic progress. The bands
    resample the law's parameters (`law`), the trend line (`trend`), or both; a law without draws has no band
    of its own. Raises `ConfigError` when `until` lies before the end of the data or the trend's interval
    contains 0.
    """
    check_level(level)
    start, end = trend.window
    if until <= end:
        raise ConfigError(
            f"the projection until {until:g} ends before the data, which end in {end:.1f}; give a later year"
        )
    if not trend.trending:
        raise ConfigError(f"{trend.quantity} has no trend to project: {trend.words()}; widen its window")
    year = np.linspace(start, until, 161)
    rng = np.random.default_rng(seed)
    slopes, heights = trend_draws(trend, DRAWS, rng)
    paths = 10 ** (heights[:, None] + slopes[:, None] * (year - trend.at) + offset)
    line = 10 ** (trend.predict(year) + offset)
    centre = law.table()
    factor = law.flops_per_param_token
    resampled = (
        law.draws[rng.integers(0, len(law.draws), DRAWS)] if len(law.draws) else np.repeat(centre, DRAWS, 0)
    )
    ends = [(1 - level) / 2, (1 + level) / 2]

    def band(p: np.ndarray, flops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        low, high = np.quantile(lowest_loss(p, flops, factor=factor)[0], ends, axis=0)
        return low, high

    bands = {"trend": band(centre, paths), "both": band(resampled, paths)}
    if len(law.draws):
        bands["law"] = band(resampled, line[None])
    walls = []
    for stock in STOCK[:3]:
        binds = lowest_loss(centre, line[None], factor=factor, tokens_at_most=stock)[1][0]
        walls.append(float(year[np.argmax(binds)]) if binds.any() else None)
    stocks = STOCK[0] * np.exp(
        np.log(STOCK[2] / STOCK[1]) / (2 * norm.ppf(0.5 + STOCK[3] / 2)) * rng.standard_normal(DRAWS)
    )
    crossings = []
    for loss in thresholds:
        needed = np.log10(flops_for(resampled, loss, factor=factor, tokens_at_most=stocks))
        when = np.where(slopes > 0, trend.at + (needed - offset - heights) / np.maximum(slopes, 1e-9), np.inf)
        reached = when <= until + 100
        low, middle, high = np.quantile(
            np.where(reached, when, np.inf), [ends[0], 0.5, ends[1]], method="inverted_cdf"
        )
        low, middle, high = (float(x) if np.isfinite(x) else None for x in (low, middle, high))
        crossings.append(Crossing(loss=loss, share=float(reached.mean()), middle=middle, low=low, high=high))
    return Projection(
        year=year,
        flops=line,
        loss=lowest_loss(centre, line[None], factor=factor)[0][0],
        walled=lowest_loss(centre, line[None], factor=factor, tokens_at_most=STOCK[0])[0][0],
        bands=bands,
        floor=law.floor,
        wall_year=(walls[0], walls[1], walls[2]),
        crossings=tuple(crossings),
        level=level,
        law=f"{law.name} ({law.source})",
        trend=trend.words(),
        data_until=end,
    )
