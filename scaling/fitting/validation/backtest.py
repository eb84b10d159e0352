"""Rolling-origin backtests: fit what lies below a cut in compute, forecast what lies above, and calibrate the
intervals by what happened.

Nominal intervals know parameter and seed noise only; on public series 95 % ones cover 30-85 % a decade of
compute out, because no law is exactly true. The calibrated interval is the nominal one times m0 (1 + h), h
decades beyond the data, with m0 the worst that any cut has needed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.errors import FitError
from scaling.fitting.estimation.certificate import determination
from scaling.fitting.estimation.solve import solve
from scaling.fitting.law import Array, Values
from scaling.fitting.progress import tell
from scaling.fitting.uncertainty.bootstrap import bootstrap
from scaling.fitting.uncertainty.estimate import finite
from scaling.fitting.validation.refits import errors, ladder, part

if TYPE_CHECKING:
    from scaling.fitting.fit import Fit


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


@dataclass(frozen=True, kw_only=True, eq=False)
class Backtest:
    """All cuts, and the calibration that they give."""

    ladder: str
    """What was cut: C, or the law's first variable."""
    cuts: tuple[Cut, ...]
    """Lowest first."""
    level: float
    """Nominal coverage."""
    multiplier: float
    """m0 of the calibrated intervals, from all cuts; never below 1."""
    scale: str = "log"
    """log: errors and half-widths are of log L; raw: of L."""

    def coverage(self, low: float = 0.0, high: float = np.inf) -> tuple[float | None, float | None, int]:
        """Share of forecasts between `low` and `high` decades out that the nominal and the calibrated
        intervals covered, and their number.

        Every cut is judged with the multiplier of the cuts before it, as a forecaster would have had it; the
        first has none and is left out.
        """
        nominal, calibrated, total = 0, 0, 0
        for i, cut in enumerate(self.cuts):
            if i == 0:
                continue
            inside = (cut.decades > low) & (cut.decades <= high)
            score = np.abs(cut.error) / cut.nominal
            factor = multiplier(self.cuts[:i], self.level)
            nominal += int((score[inside] <= 1).sum())
            calibrated += int((score[inside] <= factor * (1 + cut.decades[inside])).sum())
            total += int(inside.sum())
        return (nominal / total, calibrated / total, total) if total else (None, None, 0)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        spans = {"all": (0.0, np.inf), "0-0.5": (0.0, 0.5), "0.5-1": (0.5, 1.0), "1+": (1.0, np.inf)}
        rows = {}
        for name, (low, high) in spans.items():
            nominal, calibrated, total = self.coverage(low, high)
            rows[name] = {"forecasts": total, "nominal_coverage": nominal, "calibrated_coverage": calibrated}
        return {
            "ladder": self.ladder,
            "level": self.level,
            "multiplier": self.multiplier,
            "scale": self.scale,
            "by_decades_beyond": rows,
            "cuts": [
                {
                    "at": cut.at,
                    "fitted": cut.fitted,
                    "forecast": len(cut.error),
                    "median_error": finite(float(np.median(cut.error))),
                    "rms_error": finite(float(np.sqrt(np.mean(cut.error**2)))),
                    "furthest_decades": float(cut.decades.max()),
                    "multiplier_before": multiplier(self.cuts[:i], self.level) if i else None,
                    "forecasts": _kept(cut),
                }
                for i, cut in enumerate(self.cuts)
            ],
        }


KEPT = 200
"""Forecasts of one cut that go into a fit's JSON, taken evenly from the nearest to the furthest."""


def _kept(cut: Cut) -> list[list[float]]:
    """(decades beyond the cut, observed − forecast, nominal half-width) a forecast, the nearest first."""
    order = np.lexsort((cut.error, cut.decades))
    if len(order) > KEPT:
        order = order[np.linspace(0, len(order) - 1, KEPT).round().astype(int)]
    rows: list[list[float]] = np.column_stack([cut.decades, cut.error, cut.nominal])[order].tolist()
    return rows


def multiplier(cuts: tuple[Cut, ...], level: float) -> float:
    """The worst factor m0 that any cut needed for its share `level` of forecasts; the errors of one cut move
    together, so cuts are the unit."""
    needed = [float(np.quantile(np.abs(cut.error) / cut.nominal / (1 + cut.decades), level)) for cut in cuts]
    return max([1.0, *needed])


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
        multiplier=multiplier(tuple(made), level),
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
    good = np.isfinite(centre) & np.isfinite(half) & (half > 0)
    if not good.any():
        return None
    return Cut(
        at=at,
        fitted=int(below.sum()),
        decades=np.log10(steps[~below][good] / at),
        error=centre[good],
        nominal=half[good],
    )


def half_width(drawn: Array, residual: Array, free: int, level: float, seed: int) -> Array:
    """Nominal half-width of a prediction interval: bootstrap draws (K, m) of the centre plus the fit's own
    residuals as seed noise."""
    rng = np.random.default_rng(seed)
    grown = residual * np.sqrt(len(residual) / max(len(residual) - free, 1))
    noise = rng.choice(grown, size=drawn.shape)
    low, high = np.nanquantile(drawn + noise, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return np.asarray((high - low) / 2)


def forecast(fit: Fit, made: Backtest | None, x: Values) -> dict[str, Any]:
    """Prediction at variables x with its nominal and its calibrated interval, and how far beyond the data it
    lies.

    Raises FitError for a fit without bootstrap.
    """
    if fit.draws is None:
        raise FitError(
            'this fit was made without a bootstrap; fit again with bootstrap="pairs" for forecasts'
        )
    at = {k: np.atleast_1d(np.asarray(v, dtype=np.float64)) for k, v in x.items()}
    centre = fit.law.predict(fit.theta, at)
    drawn = fit.law.predict(fit.draws.theta, at)
    log = fit.problem.loss.scale == "log"
    spread = np.log(drawn) - np.log(centre) if log else drawn - centre
    level = fit.options.level
    half = half_width(
        spread, fit.problem.residuals(fit.optimum.u), len(fit.optimum.u), level, fit.options.seed
    )
    steps, name = ladder(fit)
    if name == "C":
        there = at["C"] if "C" in at else 6 * at["N"] * at["D"] if {"N", "D"} <= set(at) else None
    else:
        there = at[name]
    decades = np.maximum(np.log10(there / steps.max()), 0.0) if there is not None else np.zeros_like(centre)
    out: dict[str, Any] = {
        "value": centre,
        "decades_beyond": decades,
        "level": level,
        "nominal": _ends(centre, half, log),
    }
    if made is not None:
        out["calibrated"] = _ends(centre, half * made.multiplier * (1 + decades), log)
        out["method"] = (
            f"nominal × {made.multiplier:.2f} × (1 + decades beyond), from {len(made.cuts)} backtests"
        )
    return out


def _ends(centre: Array, half: Array, log: bool) -> tuple[Array, Array]:
    if log:
        return centre * np.exp(-half), centre * np.exp(half)
    return centre - half, centre + half
