"""Rolling-origin backtests: fit what lies below a cut in compute, forecast what lies above, and calibrate the
intervals by what happened.

Nominal intervals know parameter and seed noise only; on public series 95 % ones cover as little as 14 %
beyond a decade of compute, because no law is exactly true, and their misses lie on one side. The calibrated
interval has two sides. Each is the nominal half-width plus the distance to the furthest admissible law on
that side (`admissible`), times m (1 + GROWTH h), h decades beyond the data, with m the worst that any cut has
needed on that side, and never below 1. What a cut is judged by is made of rows at or below that cut alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scaling.errors import FitError
from scaling.fitting.arrays import Array
from scaling.fitting.estimation.determination import determination
from scaling.fitting.estimation.solve import solve
from scaling.fitting.progress import tell
from scaling.fitting.result import Fit
from scaling.fitting.uncertainty.bootstrap import bootstrap
from scaling.fitting.uncertainty.estimate import finite
from scaling.fitting.validation.admissible import spread
from scaling.fitting.validation.refits import errors, ladder, part

GROWTH = 2.0
"""How much of itself a calibrated band gains a decade. Of 1, 1.5 and 2 the least with which it held 90 % of
the forecasts of every public series, near and far, by Huber and by squares: with 1 a series held 69 % beyond
a decade, with 1.5 one held 86 % (analysis/studies/forecasts.py)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Cut:
    """One backtest."""

    at: float
    """Largest value of the ladder that was fitted."""
    fitted: int
    """Rows below."""
    decades: Array
    """(m,) how far beyond the cut each forecast row lies, in factors of ten."""
    error: Array
    """(m,) observed − forecast, in log (or raw)."""
    nominal: Array
    """(m,) half-width of the nominal prediction interval."""
    down: Array
    """(m,) the same and the distance down to the lowest admissible law."""
    up: Array
    """(m,) the same and the distance up to the highest admissible law."""

    def ends(self, factors: tuple[float, float]) -> tuple[Array, Array]:
        """Lower and upper end (m,) of the calibrated interval, relative to the forecast."""
        wider = 1 + GROWTH * self.decades
        return -self.down * factors[0] * wider, self.up * factors[1] * wider


@dataclass(frozen=True, kw_only=True, eq=False)
class Backtest:
    """All cuts, and the calibration that they give."""

    ladder: str
    """What was cut: C, or the law's first variable."""
    cuts: tuple[Cut, ...]
    """Lowest first."""
    level: float
    """Nominal coverage."""
    factors: tuple[float, float]
    """m of the calibrated intervals, downwards and upwards, from all cuts; never below 1."""
    scale: str = "log"
    """log: errors and half-widths are of log L; raw: of L."""

    def judged(self, low: float = 0.0, high: float = np.inf) -> Array:
        """(m, 4) forecasts between `low` and `high` decades out: whether the nominal and the calibrated
        interval held them, and the widths of both.

        Every cut is judged with what the cuts before it show at or below it, as a forecaster would have had
        it; the first has none and is left out.
        """
        rows = [np.empty((0, 4))]
        for i, cut in enumerate(self.cuts[1:], start=1):
            inside = (cut.decades > low) & (cut.decades <= high)
            lower, upper = cut.ends(factors(self.cuts[:i], self.level, known=cut.at))
            held = (lower <= cut.error) & (cut.error <= upper)
            nominal = np.abs(cut.error) <= cut.nominal
            rows.append(np.column_stack([nominal, held, 2 * cut.nominal, upper - lower])[inside])
        return np.concatenate(rows)

    def coverage(self, low: float = 0.0, high: float = np.inf) -> tuple[float | None, float | None, int]:
        """Share of forecasts between `low` and `high` decades out that the nominal and the calibrated
        intervals covered, and their number."""
        rows = self.judged(low, high)
        if not len(rows):
            return None, None, 0
        nominal, calibrated = rows[:, :2].mean(axis=0)
        return float(nominal), float(calibrated), len(rows)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        spans = {"all": (0.0, np.inf), "0-0.5": (0.0, 0.5), "0.5-1": (0.5, 1.0), "1+": (1.0, np.inf)}
        by_decades = {}
        for name, (low, high) in spans.items():
            nominal, calibrated, total = self.coverage(low, high)
            widths = np.median(self.judged(low, high)[:, 2:], axis=0) if total else (np.nan, np.nan)
            by_decades[name] = {
                "forecasts": total,
                "nominal_coverage": nominal,
                "calibrated_coverage": calibrated,
                "nominal_width": finite(widths[0]),
                "calibrated_width": finite(widths[1]),
            }
        before = [
            factors(self.cuts[:i], self.level, known=cut.at) if i else None for i, cut in enumerate(self.cuts)
        ]
        return {
            "ladder": self.ladder,
            "level": self.level,
            "factors": list(self.factors),
            "growth_per_decade": GROWTH,
            "scale": self.scale,
            "by_decades_beyond": by_decades,
            "cuts": [
                {
                    "at": cut.at,
                    "fitted": cut.fitted,
                    "forecast": len(cut.error),
                    "median_error": finite(float(np.median(cut.error))),
                    "rms_error": finite(float(np.sqrt(np.mean(cut.error**2)))),
                    "furthest_decades": float(cut.decades.max()),
                    "factors_before": list(known) if known else None,
                    "forecasts": _kept(cut, known),
                }
                for cut, known in zip(self.cuts, before, strict=True)
            ],
        }


KEPT = 200
"""Forecasts of one cut that go into a fit's JSON, taken evenly from the nearest to the furthest."""


def _kept(cut: Cut, known: tuple[float, float] | None) -> list[list[float | None]]:
    """(decades beyond the cut, observed − forecast, nominal half-width, lower and upper calibrated end) a
    forecast, the nearest first; no calibrated ends at the first cut."""
    order = np.lexsort((cut.error, cut.decades))
    if len(order) > KEPT:
        order = order[np.linspace(0, len(order) - 1, KEPT).round().astype(int)]
    lower, upper = cut.ends(known or (np.nan, np.nan))
    rows = np.column_stack([cut.decades, cut.error, cut.nominal, lower, upper])[order]
    return [[finite(value) for value in row] for row in rows]


def factors(cuts: tuple[Cut, ...], level: float, known: float = np.inf) -> tuple[float, float]:
    """The worst factor, downwards and upwards, that any cut needed for its share `level` of forecasts of rows
    at or below `known`; the errors of one cut move together, so cuts are the unit."""
    needed = [[1.0], [1.0]]
    for cut in cuts:
        seen = cut.at * 10**cut.decades <= known * (1 + 1e-9)
        if not seen.any():
            continue
        for side, error, width in ((0, -cut.error, cut.down), (1, cut.error, cut.up)):
            scores = error / (width * (1 + GROWTH * cut.decades))
            needed[side].append(float(np.quantile(scores[seen], level)))
    return max(needed[0]), max(needed[1])


@np.errstate(all="ignore")
def backtest(fit: Fit, *, cuts: int = 8, resamples: int = 200) -> Backtest:
    """Backtests a fit over its ladder. Raises FitError where the table is too short or spans too little (less
    than a factor of 3)."""
    steps, name = ladder(fit)
    free = len(fit.problem.coordinates.names)
    order = np.sort(np.unique(steps))
    least = max(2 * free, free + 3)
    if fit.table.n < least + 3 or order[-1] < 3 * order[0]:
        raise FitError(
            f"a backtest needs {least + 3} rows over a factor of 3 in {name}; there are {fit.table.n}"
        )
    places = np.geomspace(np.quantile(steps, min(0.3, 1.0)), order[-1] / 1.05, 4 * cuts)
    chosen: list[float] = []
    for place in places:
        at = float(order[np.searchsorted(order, place, side="right") - 1])
        below = int((steps <= at * (1 + 1e-9)).sum())
        if below >= least and fit.table.n - below >= 2 and at not in chosen:
            chosen.append(at)
    if len(chosen) > cuts:
        chosen = [chosen[i] for i in np.unique(np.linspace(0, len(chosen) - 1, cuts).round().astype(int))]
    made = []
    for done, at in enumerate(chosen):
        tell("backtest", done, len(chosen))
        cut = _cut(fit, steps, at, resamples)
        if cut is not None:
            made.append(cut)
    if len(made) < 2:
        raise FitError(
            f"a backtest needs two cuts with {least} rows below and 2 above; the table allows {len(made)}"
        )
    level = fit.options.level
    return Backtest(
        ladder=name,
        cuts=tuple(made),
        level=level,
        factors=factors(tuple(made), level),
        scale=fit.problem.loss.scale,
    )


def _cut(fit: Fit, steps: Array, at: float, resamples: int) -> Cut | None:
    below = steps <= at * (1 + 1e-9)
    if len(np.unique(steps[below])) < 2:
        # Runs of one budget: N and D vary together, and no exponent can be known from them.
        return None
    try:
        problem = part(fit, below)
        optimum = solve(problem)
        problem = replace(problem, loss=optimum.loss)
        if not determination(problem, optimum)[1]:
            return None
        draws = bootstrap(problem, optimum, name="pairs", resamples=resamples, seed=fit.options.seed)
    except FitError:
        return None
    centre = errors(fit, optimum.theta, ~below)
    residual = problem.residuals(optimum.u)
    half = half_width(
        errors(fit, draws.theta, ~below), residual, len(optimum.u), fit.options.level, fit.options.seed
    )
    beyond = {name: np.asarray(value)[~below] for name, value in fit.problem.x.items()}
    lowest, highest = spread(fit, problem, optimum, beyond)
    good = np.isfinite(centre) & np.isfinite(half) & (half > 0)
    if not good.any():
        return None
    return Cut(
        at=at,
        fitted=int(below.sum()),
        decades=np.log10(steps[~below][good] / at),
        error=centre[good],
        nominal=half[good],
        down=(half - lowest)[good],
        up=(half + highest)[good],
    )


def half_width(drawn: Array, residual: Array, free: int, level: float, seed: int) -> Array:
    """Return the nominal half-width of a prediction interval: bootstrap draws (K, m) of the centre plus the
    fit's own residuals as seed noise."""
    rng = np.random.default_rng(seed)
    grown = residual * np.sqrt(len(residual) / max(len(residual) - free, 1))
    noise = rng.choice(grown, size=drawn.shape)
    low, high = np.nanquantile(drawn + noise, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return np.asarray((high - low) / 2)
