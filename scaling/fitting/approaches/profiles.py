"""Find the minimum of loss against log size within one budget by a parabola, robust parabola, cubic or Akima
spline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import Akima1DInterpolator

from scaling.errors import ConfigError, one_of
from scaling.fitting.arrays import Array

CURVES = ("parabola", "robust", "cubic", "akima")


@dataclass(frozen=True, kw_only=True, eq=False)
class Lowest:
    """The minimum of a curve through one budget's runs."""

    at: float
    """Size or tokens at the minimum; NaN where there is no minimum or it overflows a float."""
    loss: float
    """Loss there."""
    coefficients: tuple[float, ...]
    """Coefficients of 1, ln x, ln² x (, ln³ x); empty for a spline."""
    fitted: Array
    """(n,) fitted losses at the runs."""
    opens_upwards: bool
    """Whether the curve has a minimum."""
    inside: bool
    """Whether the minimum lies between the smallest and the largest run."""


def line(log_c: Array, log_y: Array) -> tuple[Array, Array]:
    """Return slope and intercept of log_y (..., m) against log_c (m,) by least squares."""
    z = log_c - log_c.mean()
    slope = (log_y * z).sum(-1) / (z * z).sum()
    return slope, log_y.mean(-1) - slope * log_c.mean()


def size(log: float) -> float:
    """Return the exponential of a logarithm, NaN where it would be zero or infinite."""
    return float(np.exp(log)) if abs(log) < _FAR else float("nan")


_FAR = 700.0
"""Largest absolute logarithm whose exponential is kept; floats end at about 709."""


@np.errstate(all="ignore")
def lowest(x: Array, loss: Array, curve: str = "parabola") -> Lowest:
    """Fit `curve` to loss against ln x and return its minimum. Three points are needed, four at distinct x
    for cubic and Akima."""
    if curve not in CURVES:
        raise ConfigError(one_of("curve", curve, CURVES))
    log = np.log(x)
    centre = log.mean()
    z = log - centre
    ends = float(z.min()), float(z.max())
    if curve == "akima":
        grid, inverse = np.unique(z, return_inverse=True)
        mean = np.bincount(inverse, loss) / np.bincount(inverse)
        spline = Akima1DInterpolator(grid, mean)
        fine = np.linspace(*ends, 2001)
        values = spline(fine)
        best = int(np.argmin(values))
        inside = 0 < best < len(fine) - 1
        return Lowest(
            at=float(np.exp(fine[best] + centre)),
            loss=float(values[best]),
            coefficients=(),
            fitted=np.asarray(spline(z)),
            opens_upwards=inside,
            inside=inside,
        )
    degree = 3 if curve == "cubic" else 2
    design = np.vander(z, degree + 1, increasing=True)
    beta: Array = (
        _robust(design, loss)
        if curve == "robust"
        else np.asarray(np.linalg.lstsq(design, loss, rcond=None)[0], dtype=np.float64)
    )
    at = _turning(beta, ends)
    at = at if abs(at + centre) < _FAR else float("nan")
    value = float(np.polynomial.polynomial.polyval(at, beta)) if np.isfinite(at) else float("nan")
    shifted = np.polynomial.Polynomial(beta)(np.polynomial.Polynomial([-centre, 1.0])).coef
    return Lowest(
        at=size(at + centre),
        loss=value,
        coefficients=tuple(float(c) for c in np.pad(shifted, (0, degree + 1 - len(shifted)))),
        fitted=np.asarray(design @ beta),
        opens_upwards=bool(np.isfinite(at)),
        inside=bool(np.isfinite(at) and ends[0] <= at <= ends[1]),
    )


def _turning(beta: Array, ends: tuple[float, float]) -> float:
    """Return the minimum of a quadratic or cubic, NaN for a cubic without one."""
    if len(beta) == 3:
        return float(-beta[1] / (2 * beta[2])) if beta[2] > 0 else float("nan")
    roots = (
        np.polynomial.polynomial.polyroots([beta[1], 2 * beta[2], 3 * beta[3]]) if beta[3] else np.array([])
    )
    real = roots[np.abs(roots.imag) < 1e-12].real if len(roots) else roots
    minima = [r for r in real if 2 * beta[2] + 6 * beta[3] * r > 0]
    return float(minima[0]) if minima else float("nan")


def _robust(design: Array, loss: Array) -> Array:
    """Return the Huber fit at 1.345 robust standard deviations, by iteratively reweighted least squares."""
    beta = np.linalg.lstsq(design, loss, rcond=None)[0]
    for _ in range(100):
        residual = loss - design @ beta
        scale = 1.345 * max(1.4826 * float(np.median(np.abs(residual))), 1e-12)
        root = np.sqrt(np.minimum(1.0, scale / np.maximum(np.abs(residual), 1e-300)))
        new = np.linalg.lstsq(design * root[:, None], loss * root, rcond=None)[0]
        if np.abs(new - beta).max() < 1e-12:
            break
        beta = new
    return np.asarray(beta)
