"""Compare shapes of growth: AICc and BIC score the fit, rolling-origin hindcasts score the prediction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

from scaling.errors import FitError
from scaling.trends.growth import shapes
from scaling.trends.growth.rate import check_level
from scaling.trends.series import Series, needs

LEAST_ROWS = 12
"""Smallest number of rows before an origin."""


@dataclass(frozen=True, kw_only=True)
class Hindcast:
    """Scores of a shape fitted to the rows before each origin and tested on the years after it."""

    horizon: float
    """Years ahead that are scored: rows in [origin, origin + horizon)."""
    origins: tuple[float, ...]
    """Decimal years before which the shape was fitted."""
    n: int
    """Number of predictions scored."""
    bias: float
    """Mean of predicted minus measured, orders of magnitude, over finite predictions."""
    rmse: float
    """Root mean square error, orders of magnitude; infinite when a prediction is infinite."""
    coverage: float
    """Share of rows inside the band of the residual spread at `level`."""
    level: float
    """Level of that band."""
    infinite: int
    """Number of infinite predictions, from a pole inside the horizon."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One shape with its scores."""

    curve: shapes.Curve
    """The fit to all rows."""
    hindcast: Hindcast | None
    """Its hindcast scores; None where no origin had enough rows on both sides."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """All shapes of one series with their comparison."""

    quantity: str
    """What grows."""
    n: int
    """Rows."""
    window: tuple[float, float]
    """Decimal years."""
    candidates: tuple[Candidate, ...]
    """Sorted by BIC, the best first."""
    left_out: dict[str, str]
    """Shapes that could not be fitted, with the reason."""

    @property
    def best_by_bic(self) -> Candidate:
        """Shape with the lowest BIC."""
        return self.candidates[0]

    @property
    def best_by_hindcast(self) -> Candidate | None:
        """Shape with the lowest hindcast RMSE; None without hindcasts."""
        scored = [(c.hindcast.rmse, i) for i, c in enumerate(self.candidates) if c.hindcast is not None]
        return self.candidates[min(scored)[1]] if scored else None

    def verdict(self) -> str:
        """Return the comparison in a sentence."""
        first = self.best_by_bic
        second = self.candidates[1] if len(self.candidates) > 1 else None
        lead = f"BIC prefers the shape {first.curve.shape!r}"
        if second is not None:
            gap = second.curve.bic - first.curve.bic
            lead += (
                f" ({gap:.0f} ahead of "
                f"{second.curve.shape!r}{', which does not tell them apart' if gap < 2 else ''})"
            )
        best = self.best_by_hindcast
        h = None if best is None else best.hindcast
        if best is None or h is None:
            return f"{lead}; there are too few rows for a hindcast."
        if best.curve.shape == first.curve.shape:
            return (
                f"{lead}, which also has the lowest error of {h.horizon:g}-year hindcasts: {h.rmse:.2f} "
                "orders of magnitude."
            )
        own = first.hindcast
        if own is None:
            missed = "could not be tested"
        elif math.isinf(own.rmse):
            missed = f"predicted infinite values {own.infinite} times"
        else:
            missed = f"had an error of {own.rmse:.2f} orders of magnitude"
        ratio = math.inf if own is None else own.rmse / h.rmse
        closing = (
            "the first describes the data better, the second predicts better"
            if ratio > 1.1
            else "the two predict about equally"
        )
        return (
            f"{lead}, but in {h.horizon:g}-year hindcasts it {missed}, against {h.rmse:.2f} for "
            f"{best.curve.shape!r}: {closing}."
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; infinite numbers are null, with their count in `infinite`."""
        return {
            "quantity": self.quantity,
            "n": self.n,
            "window": list(self.window),
            "verdict": self.verdict(),
            "left_out": self.left_out,
            "shapes": [
                {
                    "shape": c.curve.shape,
                    "bic": c.curve.bic,
                    "aicc": c.curve.aicc if math.isfinite(c.curve.aicc) else None,
                    "parameters": c.curve.parameters,
                    "residual_orders": c.curve.sigma,
                    "hindcast": None
                    if c.hindcast is None
                    else {
                        "horizon_years": c.hindcast.horizon,
                        "origins": list(c.hindcast.origins),
                        "n": c.hindcast.n,
                        "bias": c.hindcast.bias if math.isfinite(c.hindcast.bias) else None,
                        "rmse": c.hindcast.rmse if math.isfinite(c.hindcast.rmse) else None,
                        "coverage": c.hindcast.coverage,
                        "level": c.hindcast.level,
                        "infinite": c.hindcast.infinite,
                    },
                }
                for c in self.candidates
            ],
        }


def hindcast(
    s: Series, shape: str, *, horizon: float = 3.0, origins: Sequence[float] | None = None, level: float = 0.9
) -> Hindcast | None:
    """Fit the shape to the rows before each origin and score it on the rows of the next `horizon` years.

    origins: decimal years; by default every whole year from 40 % of the window on that leaves a full horizon.
    Returns None where no origin has enough rows before and after it.
    """
    check_level(level)
    start, end = s.window
    if origins is None:
        origins = [float(o) for o in np.arange(math.ceil(start + 0.4 * (end - start)), end - horizon + 1e-9)]
    errors, spreads, used = [], [], []
    for origin in origins:
        past, future = s.between(end=origin), s.between(origin, origin + horizon)
        if len(past) < LEAST_ROWS or not len(future):
            continue
        try:
            curve = shapes.fit(past.year, past.log, shape)
        except FitError:
            continue
        with np.errstate(invalid="ignore"):
            error = curve.predict(future.year) - future.log
        errors.append(error)
        spreads.append(np.full(len(error), curve.sigma))
        used.append(origin)
    if not used:
        return None
    error, spread = np.concatenate(errors), np.concatenate(spreads)
    finite = np.isfinite(error)
    return Hindcast(
        horizon=horizon,
        origins=tuple(used),
        n=len(error),
        bias=float(error[finite].mean()) if finite.any() else math.nan,
        rmse=float(np.sqrt(np.mean(error[finite] ** 2))) if finite.all() else math.inf,
        coverage=float(np.mean(np.abs(error) <= norm.ppf(0.5 + level / 2) * spread)),
        level=level,
        infinite=int((~finite).sum()),
    )


def choose(
    s: Series,
    *,
    names: Sequence[str] | None = None,
    horizon: float = 3.0,
    origins: Sequence[float] | None = None,
    level: float = 0.9,
) -> Choice:
    """Fit and hindcast every shape, or those in `names`. Raises `TableError` below four rows."""
    needs(s, rows=4)
    candidates, left_out = [], {}
    for name in names if names is not None else shapes.SHAPES:
        try:
            curve = shapes.fit(s.year, s.log, name)
        except FitError as error:
            left_out[name] = str(error)
            continue
        candidates.append(
            Candidate(curve=curve, hindcast=hindcast(s, name, horizon=horizon, origins=origins, level=level))
        )
    return Choice(
        quantity=s.quantity.name,
        n=len(s),
        window=s.window,
        candidates=tuple(sorted(candidates, key=lambda c: c.curve.bic)),
        left_out=left_out,
    )
