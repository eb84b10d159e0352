"""Compute the dispersion of an objective and the curvature-based covariance of its coordinates."""

from __future__ import annotations

import numpy as np

from scaling.fitting.arrays import Array, Integers
from scaling.fitting.estimation.losses import robust_scale
from scaling.fitting.estimation.problem import Problem


def dispersion(problem: Problem, u: Array) -> float:
    """Return the divisor that makes twice a rise of Σ w ρ a χ²₁ variable: σ² for squares, E ψ² / E ψ′ in
    general (Ronchetti's robust likelihood ratio)."""
    residual = problem.residuals(u)
    n, q = len(residual), len(u)
    if problem.loss.name in ("squares", "likelihood"):
        return float((problem.weights * residual**2).sum() / max(n - q, 1))
    delta = problem.loss.final_delta
    window = 1.06 * robust_scale(residual) * n**-0.2
    _, psi, curve = problem.loss.slopes(residual, delta)
    bend = (
        float(curve.mean()) if delta >= window else float((np.abs(residual) < window).mean() * delta / window)
    )
    return float((problem.weights * psi**2).sum() / max(n - q, 1) / max(bend, 1e-12))


@np.errstate(all="ignore")
def covariance(problem: Problem, u: Array, free: Integers | None = None) -> Array:
    """Return the curvature-based covariance (q, q) of the coordinates at u (q,), or of those in `free`.

    The variance is infinite where predictions do not change with a coordinate or a combination of
    coordinates. Where δ is below half a standard deviation of the residuals, the Gauss-Newton curvature uses
    half a standard deviation, because few residuals lie within δ.
    """
    final = problem.loss.final_delta
    smooth = max(final, 0.5 * robust_scale(problem.residuals(u)))
    objective = problem.objective(problem.weights[None])
    hessian = objective.evaluate(u[None], np.zeros(1, dtype=np.int64), smooth, False)[2][0]
    if free is not None:
        hessian = hessian[np.ix_(free, free)]
    if smooth > final:
        hessian = hessian * (final / smooth)
    diagonal = np.sqrt(np.maximum(np.diagonal(hessian), 1e-300))
    inside = hessian / np.outer(diagonal, diagonal)
    values, vectors = np.linalg.eigh(np.where(np.isfinite(inside), inside, 0.0))
    # An eigenvalue below 1e-14 of the largest is rounding. Coordinates with a component along its direction
    # have infinite variance; the others are determined by the other directions.
    seen = values > 1e-14 * values[-1]
    known = (vectors[:, seen] / values[seen]) @ vectors[:, seen].T
    moves = np.abs(vectors[:, ~seen]).max(axis=1, initial=0.0) > 1e-6
    known[np.diag(moves)] = np.inf
    return np.asarray(known / np.outer(diagonal, diagonal) * dispersion(problem, u))
