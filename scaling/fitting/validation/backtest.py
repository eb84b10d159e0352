"""Backtest a fit from rolling origins and calibrate its prediction intervals by the errors.

A backtest fits the rows at or below a cut in compute and forecasts the rows above.

Nominal intervals contain only parameter noise and seed noise, but no law is exactly true. On public series
nominal 95 % intervals cover as little as 14 % of the rows beyond a decade of compute, and the misses lie on
one side. The calibrated interval therefore has two half-widths, one per side:

    m (1 + GROWTH h) (nominal half-width + distance to the furthest admissible law on that side)

h: decades beyond the data. m: the largest factor that any cut needed on that side, at least 1. The distance
comes from `admissible`. The factors that judge a cut use only rows at or below that cut.
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
"""Relative widening of a calibrated interval per decade beyond the data. Of 1, 1.5 and 2 it is the smallest
with which the interval held 90 % of the forecasts of every public series, near and far, by Huber and by
squares. With 1 a series held 69 % beyond a decade, with 1.5 one held 86 % (analysis/studies/forecasts.py)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Cut:
    """One backtest: the fit to the rows at or below a cut, and its forecasts of the m rows above."""

    at: float
    """Largest ladder value among the fitted rows."""
    fitted: int
    """Number of fitted rows."""
    decades: Array
    """(m,) distance of each forecast row beyond the cut, in decades of the ladder."""
    error: Array
    """(m,) observed − forecast, in log L on the log scale, else in L."""
    nominal: Array
    """(m,) half-width of the nominal prediction interval, in the unit of `error`."""
    down: Array
    """(m,) nominal half-width plus the distance down to the lowest admissible law."""
    up: Array
    """(m,) nominal half-width plus the distance up to the highest admissible law."""

    def ends(self, factors: tuple[float, float]) -> tuple[Array, Array]:
        """Return the lower and upper end (m,) of the calibrated interval, relative to the forecast.

        factors: m downwards and upwards.
        """
        wider = 1 + GROWTH * self.decades
        return -self.down * factors[0] * wider, self.up * factors[1] * wider


@dataclass(frozen=True, kw_only=True, eq=False)
class Backtest:
    """The backtests of a fit at all cuts, and the calibration factors from them."""

    ladder: str
    """Name of the axis that is cut: C, or the law's first variable."""
    cuts: tuple[Cut, ...]
    """Backtests, lowest cut first."""
    level: float
    """Nominal coverage."""
    factors: tuple[float, float]
    """m of the calibrated intervals, downwards and upwards, from all cuts; at least 1."""
    scale: str = "log"
    """Scale of errors and half-widths: `log` for log L, `raw` for L."""

    def judged(self, low: float = 0.0, high: float = np.inf) -> Array:
        """Return (m, 4): whether the nominal and the calibrated interval hold a forecast, and their widths.

        Only forecasts between `low` and `high` decades beyond their cut count. The factors of a cut come from
        the earlier cuts and from rows at or below it, as a forecaster would have had them. The first cut has
        no earlier one and is left out.
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
        """Return the share of forecasts that nominal and calibrated intervals hold, and their number.

        Only forecasts between `low` and `high` decades beyond their cut count. The shares are None where
        there is no such forecast.
        """
        rows = self.judged(low, high)
        if not len(rows):
            return None, None, 0
        nominal, calibrated = rows[:, :2].mean(axis=0)
        return float(nominal), float(calibrated), len(rows)

    def to_json(self) -> dict[str, Any]:
        """Return the backtests as plain data for JSON."""
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
"""Largest number of forecasts of one cut in a fit's JSON, taken evenly from the nearest to the furthest."""


def _kept(cut: Cut, known: tuple[float, float] | None) -> list[list[float | None]]:
    """Return one row per forecast, the nearest first, for a fit's JSON.

    A row holds decades beyond the cut, observed − forecast, nominal half-width, lower and upper calibrated
    end. The last two are None at the first cut.
    """
    order = np.lexsort((cut.error, cut.decades))
    if len(order) > KEPT:
        order = order[np.linspace(0, len(order) - 1, KEPT).round().astype(int)]
    lower, upper = cut.ends(known or (np.nan, np.nan))
    rows = np.column_stack([cut.decades, cut.error, cut.nominal, lower, upper])[order]
    return [[finite(value) for value in row] for row in rows]


def factors(cuts: tuple[Cut, ...], level: float, known: float = np.inf) -> tuple[float, float]:
    """Return the largest factor, downwards and upwards, that a cut needs.

    A cut needs the factor with which the interval holds a share `level` of its forecasts on that side. Only
    forecasts of rows at or below `known` count. The errors of one cut are correlated, so each cut gives one
    factor per side.
    """
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
    """Backtest a fit at up to `cuts` cuts of its ladder.

    Raises FitError where the table has too few rows or spans less than a factor of 3.
    """
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
    usable = []
    for done, at in enumerate(chosen):
        tell("backtest", done, len(chosen))
        cut = _cut(fit, steps, at, resamples)
        if cut is not None:
            usable.append(cut)
    if len(usable) < 2:
        raise FitError(
            f"a backtest needs two cuts with {least} rows below and 2 above; the table allows {len(usable)}"
        )
    level = fit.options.level
    return Backtest(
        ladder=name,
        cuts=tuple(usable),
        level=level,
        factors=factors(tuple(usable), level),
        scale=fit.problem.loss.scale,
    )


def _cut(fit: Fit, steps: Array, at: float, resamples: int) -> Cut | None:
    below = steps <= at * (1 + 1e-9)
    if len(np.unique(steps[below])) < 2:
        # All rows share one budget: N and D vary together, so no exponent can be determined.
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
    """Return the nominal half-width (m,) of a prediction interval: parameter noise plus seed noise.

    drawn: bootstrap draws of the centre, (K, m). residual: residuals of the fit, which are resampled as seed
    noise. free: number of free parameters.
    """
    rng = np.random.default_rng(seed)
    grown = residual * np.sqrt(len(residual) / max(len(residual) - free, 1))
    noise = rng.choice(grown, size=drawn.shape)
    low, high = np.nanquantile(drawn + noise, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return np.asarray((high - low) / 2)
