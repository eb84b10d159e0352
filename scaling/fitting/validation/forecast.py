"""Predict runs beyond the data, with a nominal interval and one that backtests calibrate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from scaling.errors import ConfigError, FitError, one_of
from scaling.fitting.arrays import Array
from scaling.fitting.result import Fit, numbers
from scaling.fitting.uncertainty.estimate import html
from scaling.fitting.validation.admissible import spread
from scaling.fitting.validation.backtest import GROWTH, Backtest, backtest, half_width
from scaling.fitting.validation.refits import ladder, sampled


@dataclass(frozen=True, kw_only=True, eq=False)
class Forecast:
    """The predicted target of one run at each of m points, with both intervals."""

    at: Mapping[str, Array]
    """Variables by letter, each (m,)."""
    value: Array
    """(m,) prediction, in the unit of the target."""
    decades_beyond: Array
    """(m,) distance beyond the data, in decades of the ladder; zero inside them."""
    level: float
    """Nominal coverage of both intervals."""
    nominal: tuple[Array, Array]
    """Lower and upper end (m,) of the nominal interval: parameter and seed noise under the law."""
    calibrated: tuple[Array, Array] | None
    """Lower and upper end (m,) of the calibrated interval; None without backtests."""
    method: str | None
    """Method of the calibrated interval, in words."""

    def to_frame(self) -> pd.DataFrame:
        """Return one row per point: variables, value, the ends of both intervals, decades beyond the data."""
        low, high = self.calibrated or (np.nan, np.nan)
        ends = {"low_nominal": self.nominal[0], "high_nominal": self.nominal[1], "low": low, "high": high}
        return pd.DataFrame({**self.at, "value": self.value, **ends, "decades_beyond": self.decades_beyond})

    def _repr_html_(self) -> str:
        return html(self.to_frame())


@np.errstate(all="ignore")
def forecast(fit: Fit, /, *, backtests: Backtest | None = None, **at: Any) -> Forecast:
    """Predict single runs at variables by letter, as in `forecast(fit, N=7e10, D=1.4e12)`.

    backtests: those of `validate(fit)`; if None, they are run here, where the table allows them.

    Raises FitError for a fit without bootstrap, and ConfigError for a variable that the law does not have or
    that is missing.
    """
    if fit.draws is None:
        raise FitError(
            'this fit was made without a bootstrap; fit again with bootstrap="pairs" for forecasts'
        )
    x = numbers(at)
    _check(fit, x)
    centre, drawn = fit.law.predict(fit.theta, x), fit.law.predict(fit.draws.theta, x)
    log = fit.problem.loss.scale == "log"
    apart = np.log(drawn) - np.log(centre) if log else drawn - centre
    level, u = fit.options.level, fit.optimum.u
    half = half_width(apart, fit.problem.residuals(u), len(u), level, fit.options.seed)
    steps, name = ladder(fit)
    if name == "C":
        there = x["C"] if "C" in x else 6 * x["N"] * x["D"] if {"N", "D"} <= set(x) else None
    else:
        there = x[name]
    decades = np.maximum(np.log10(there / steps.max()), 0.0) if there is not None else np.zeros_like(centre)
    calibrated = method = None
    known = backtests if backtests is not None else _backtests(fit)
    if known is not None:
        lowest, highest = spread(fit, fit.problem, fit.optimum, x)
        wider = 1 + GROWTH * decades
        down, up = known.factors[0] * wider * (half - lowest), known.factors[1] * wider * (half + highest)
        calibrated = _ends(centre, down, log)[0], _ends(centre, up, log)[1]
        method = (
            f"nominal and admissible laws × {known.factors[0]:.2f} down, × {known.factors[1]:.2f} up, × (1 + "
            f"{GROWTH:g} × decades beyond), from {len(known.cuts)} backtests"
        )
    return Forecast(
        at=x,
        value=centre,
        decades_beyond=decades,
        level=level,
        nominal=_ends(centre, half, log),
        calibrated=calibrated,
        method=method,
    )


def _backtests(fit: Fit) -> Backtest | None:
    try:
        return backtest(sampled(fit))
    except FitError:
        return None


def _check(fit: Fit, x: Mapping[str, Array]) -> None:
    # N, D and C are allowed even where the law lacks them: they place the point on the ladder.
    known = dict.fromkeys((*fit.law.variables, *fit.law.optional, "N", "D", "C"))
    for name in x:
        if name not in known:
            raise ConfigError(one_of(f"a variable of {fit.law.name}", name, known))
    missing = [name for name in fit.law.variables if name not in x]
    if missing:
        raise ConfigError(
            f"{fit.law.name} needs a value of {', '.join(missing)}; give all of "
            f"{', '.join(fit.law.variables)}"
        )


def _ends(centre: Array, half: Array, log: bool) -> tuple[Array, Array]:
    if log:
        return centre * np.exp(-half), centre * np.exp(half)
    return centre - half, centre + half
