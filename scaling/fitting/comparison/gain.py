"""Compute the compute-equivalent gain G(C), defined by L_B(C) = L_A(G C), and the crossing of two frontiers.

G is the factor of extra compute that the baseline A needs to reach the loss of B.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scaling.errors import FitError, ScalingError
from scaling.fitting.approaches.budgets import compute
from scaling.fitting.arrays import Array, Flags
from scaling.fitting.comparison.floors import floors
from scaling.fitting.result import Fit
from scaling.fitting.uncertainty.estimate import Estimate, finite


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """The crossing of the frontiers of two fits."""

    flops: float
    """Compute at the crossing, FLOPs; NaN where there is none or the data do not determine it."""
    interval: tuple[float, float] | None
    """Lower and upper end, FLOPs."""
    level: float
    """Nominal coverage of the interval."""
    share: float
    """Share of the draws that cross."""
    inside: bool
    """Whether the crossing lies within the compute that both tables cover."""
    words: str
    """Description of the crossing in one phrase."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "C": finite(self.flops),
            "interval": None if self.interval is None else list(self.interval),
            "level": self.level,
            "draws_crossing": self.share,
            "inside": self.inside,
            "words": self.words,
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Gain:
    """The factor of compute that one fit needs to reach the loss of another."""

    of: str
    """Label of the compared table."""
    over: str
    """The baseline."""
    span: tuple[float, float]
    """Range of compute that both tables cover, FLOPs."""
    headline: Estimate
    """Geometric mean of the gain over `span`."""
    flops: Array
    """(m,) compute of the curve's points, inside and beyond `span`, FLOPs."""
    value: Array
    """(m,) gain; infinite below the baseline's floor."""
    lower: Array
    """(m,) lower end of the gain's interval."""
    upper: Array
    """(m,) upper end of the gain's interval."""
    inside: Flags
    """(m,) whether `flops` lies in `span`."""
    by_floor: Mapping[str, Any]
    """Headline with E free, E shared, and its range over all shared E that the data allow."""
    crossing: Crossing
    """Crossing of the two frontiers."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "of": self.of,
            "over": self.over,
            "meaning": f"{self.of} reaches at C what {self.over} reaches at G C",
            "range": list(self.span),
            "headline": self.headline.to_json(),
            "curve": {
                "C": self.flops.tolist(),
                "gain": [finite(v) for v in self.value],
                "lower": [finite(v) for v in self.lower],
                "upper": [finite(v) for v in self.upper],
                "inside": self.inside.tolist(),
            },
            "by_floor": dict(self.by_floor),
            "crossing": self.crossing.to_json(),
        }


def frontier(fit: Fit, theta: Array) -> tuple[Array, Array, Array]:
    """Return E, K, γ (each (...)) of the loss at the best split of compute, L*(C) = E + K C^-γ.

    Raises FitError for a law that has no such form.
    """
    if fit.law.frontier is None:
        raise FitError(
            f"the compute-equivalent gain needs the law chinchilla or power-floor-c, not {fit.law.name}"
        )
    floor, amplitude, power = (part[..., 0] for part in fit.law.frontier(fit.law.values(theta)))
    return floor, amplitude, power


def best_loss(front: tuple[Array, Array, Array], flops: Array) -> Array:
    """Return the loss at the best split of compute L*(C), (..., m)."""
    floor, amplitude, power = (np.asarray(part)[..., None] for part in front)
    return np.asarray(floor + amplitude * flops**-power)


def gain_between(base: tuple[Array, Array, Array], other: tuple[Array, Array, Array], flops: Array) -> Array:
    """Return G(C) (..., m) with L_other(C) = L_base(G C), infinite below the base's floor.

    Above 1 the other fit needs less compute.
    """
    floor, amplitude, power = (np.asarray(part)[..., None] for part in base)
    above = best_loss(other, flops) - floor
    with np.errstate(all="ignore"):
        needed = np.where(above > 0, (amplitude / np.maximum(above, 1e-300)) ** (1 / power), np.inf)
    return np.asarray(needed / flops)


def _band(value: Array, drawn: Array, level: float) -> tuple[Array, Array]:
    """Return the ends (m,) of the central draws (K, m), extended to include the value (m,)."""
    tail = (1 - level) / 2
    low, high = np.quantile(
        np.where(np.isnan(drawn), np.inf, drawn), [tail, 1 - tail], axis=0, method="nearest"
    )
    return np.fmin(low, value), np.fmax(high, value)


def _range(fits: Sequence[Fit]) -> tuple[float, float, list[tuple[float, float]]]:
    spans = [(float(c.min()), float(c.max())) for c in (_flops(fit) for fit in fits)]
    return max(s[0] for s in spans), min(s[1] for s in spans), spans


def _flops(fit: Fit) -> Array:
    return np.asarray(fit.problem.x["C"], float) if "C" in fit.problem.x else compute(fit.table)


@np.errstate(all="ignore")
def gain(base: Fit, other: Fit, labels: tuple[str, str], *, points: int = 41, beyond: float = 10.0) -> Gain:
    """Return G(C) of `other` over `base` with an interval, with E free, shared and profiled.

    The curve covers the common compute and a factor of `beyond` outside it. The headline is the geometric
    mean over the compute that both tables cover. Raises FitError where they have no compute in common.
    """
    if base.draws is None or other.draws is None:
        raise FitError('the gain needs bootstrap draws; fit both with bootstrap="pairs"')
    low, high, spans = _range((base, other))
    if low >= high:
        raise FitError(
            f"{labels[0]} covers C = {spans[0][0]:.3g} to {spans[0][1]:.3g} and {labels[1]} "
            f"{spans[1][0]:.3g} to {spans[1][1]:.3g}: "
            "no compute in common, so any gain would be extrapolated twice; run both over the same budgets"
        )
    level = base.options.level
    grid = np.geomspace(low / beyond, high * beyond, points)
    inside = (grid >= low * (1 - 1e-9)) & (grid <= high * (1 + 1e-9))
    count = min(len(base.draws.theta), len(other.draws.theta))
    fronts = frontier(base, base.theta), frontier(other, other.theta)
    drawn = frontier(base, base.draws.theta[:count]), frontier(other, other.draws.theta[:count])
    value, draws = gain_between(*fronts, grid), gain_between(*drawn, grid)
    lower, upper = _band(value, draws, level)
    within = np.geomspace(low, high, 25)
    mean = float(np.exp(np.log(gain_between(*fronts, within)).mean()))
    means = np.exp(np.log(gain_between(*drawn, within)).mean(axis=-1))
    ends = _band(np.array([mean]), means[:, None], level)
    headline = Estimate(
        value=mean,
        interval=(float(ends[0][0]), float(ends[1][0])),
        level=level,
        method=f"geometric mean over the common range, {base.draws.method}",
    )
    return Gain(
        of=labels[1],
        over=labels[0],
        span=(low, high),
        headline=headline,
        flops=grid,
        value=value,
        lower=lower,
        upper=upper,
        inside=inside,
        by_floor=_floors(base, other, labels, within, mean),
        crossing=crossing(fronts, drawn, (low, high), level),
    )


def _floors(base: Fit, other: Fit, labels: tuple[str, str], within: Array, free: float) -> dict[str, Any]:
    """Return the headline with E free, E shared, and its range over all shared E that the data allow."""
    out: dict[str, Any] = {"free": finite(free)}
    if "E" not in base.problem.coordinates.names or "E" in base.options.tied.values():
        return out

    def headline(thetas: Sequence[Array]) -> float:
        fronts = frontier(base, thetas[0]), frontier(other, thetas[1])
        return float(np.exp(np.log(gain_between(*fronts, within)).mean()))

    try:
        return out | floors((base, other), labels, headline)
    except ScalingError:
        return out


def crossing(
    fronts: tuple[tuple[Array, Array, Array], tuple[Array, Array, Array]],
    drawn: tuple[tuple[Array, Array, Array], tuple[Array, Array, Array]],
    span: tuple[float, float],
    level: float,
) -> Crossing:
    """Return the crossing of the two frontiers within three decades of the data, with its interval.

    The data do not determine the crossing where a smaller share of the draws than `level` crosses.
    """
    grid = np.geomspace(span[0] / 1e3, span[1] * 1e3, 400)

    def first(one: tuple[Array, Array, Array], two: tuple[Array, Array, Array]) -> Array:
        difference = best_loss(one, grid) - best_loss(two, grid)
        difference = np.atleast_2d(difference)
        change = np.sign(difference[:, 1:]) != np.sign(difference[:, :-1])
        # Among several crossings, take the one nearest to the middle of the data.
        middle = np.abs(np.log(grid[1:]) - np.log(span).mean())
        rank = np.where(change, middle, np.inf)
        at = rank.argmin(axis=1)
        rows = np.arange(len(difference))
        before, after = difference[rows, at], difference[rows, at + 1]
        share = before / (before - after)
        place = np.exp(np.log(grid[at]) + share * (np.log(grid[at + 1]) - np.log(grid[at])))
        return np.where(change.any(axis=1), place, np.nan)

    value = float(first(*fronts)[0])
    places = first(*drawn)
    found = places[np.isfinite(places)]
    share = len(found) / len(places)
    tail = (1 - level) / 2
    where = "within three decades of the data"
    interval = None
    if not np.isfinite(value):
        words = f"none {where}"
    elif share < level or len(found) < 20:
        value, words = (
            np.nan,
            f"not determined: {share:.1%} of the draws cross {where}, too few for {level:.0%}",
        )
    else:
        low, high = np.quantile(found, [tail, 1 - tail])
        interval = (min(value, float(low)), max(value, float(high)))
        words = f"at C = {value:.3g} [{interval[0]:.3g}, {interval[1]:.3g}]"
    inside = bool(span[0] <= value <= span[1])
    if interval is not None:
        words += ", inside the data" if inside else ", extrapolated, outside the data"
    return Crossing(
        flops=float(value), interval=interval, level=level, share=share, inside=inside, words=words
    )
