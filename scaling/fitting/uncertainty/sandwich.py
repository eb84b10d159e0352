"""Compute the sandwich covariance with the CR2 correction, and delta-method intervals from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from scaling.fitting.arrays import Array, Integers
from scaling.fitting.estimation.losses import robust_scale
from scaling.fitting.estimation.problem import Problem
from scaling.fitting.uncertainty.estimate import Estimate


@dataclass(frozen=True, kw_only=True, eq=False)
class Covariance:
    """Covariance of the free search coordinates."""

    matrix: Array
    """(q, q)."""
    degrees: float
    """Degrees of freedom of the t distribution for intervals."""
    method: str
    """In words."""


@np.errstate(all="ignore")
def sandwich(problem: Problem, u: Array, clusters: Integers | None = None) -> Covariance:
    """Return H⁻¹ M H⁻¹ at the optimum u (q,), with scores summed over clusters and enlarged by
    (I − leverage)^-½ (CR2: Bell & McCaffrey 2002).

    For LAD, and for Huber with a δ far below the residuals, the curvature is estimated from the density of
    residuals at zero with a window of Silverman's width, because few points lie within δ (Powell 1991).
    """
    coordinates, law, loss = problem.coordinates, problem.law, problem.loss
    residual = problem.residuals(u)
    theta = coordinates.natural(u)
    jacobian = coordinates.jacobian(u, law.gradient(theta, problem.x))
    if loss.scale == "log":
        jacobian = jacobian / law.predict(theta, problem.x)[:, None]
    n, size = jacobian.shape
    weights = problem.weights
    scale = robust_scale(residual)
    window = 1.06 * scale * n**-0.2
    delta = loss.final_delta
    if delta < window:
        psi = np.clip(residual / delta, -1, 1)
        curve = (np.abs(residual) < window) / window
    else:
        _, psi, curve = loss.slopes(residual, delta)
    bread = np.linalg.pinv(np.einsum("n,ni,nj->ij", weights * curve, jacobian, jacobian))
    groups = np.arange(n) if clusters is None else clusters
    # Leverage in the metric of the estimator's curvature, averaged over points.
    even = np.linalg.pinv(np.einsum("n,ni,nj->ij", weights, jacobian, jacobian))
    meat = np.zeros((size, size))
    found = np.unique(groups)
    for group in found:
        members = groups == group
        part, pull = jacobian[members], (weights * psi)[members]
        root = np.sqrt(weights[members])
        hat = root[:, None] * (part @ even @ part.T) * root
        values, vectors = np.linalg.eigh(np.eye(len(hat)) - hat)
        half = vectors @ (np.maximum(values, 1e-6) ** -0.5 * (vectors.T @ (pull / root)))
        score = part.T @ (root * half)
        meat += np.outer(score, score)
    kind = f"CR2 sandwich over {len(found)} clusters" if clusters is not None else "CR2 sandwich"
    return Covariance(matrix=bread @ meat @ bread, degrees=float(max(len(found) - size, 1)), method=kind)


@np.errstate(all="ignore")
def delta_method(
    problem: Problem,
    u: Array,
    covariance: Covariance,
    function: Callable[[dict[str, Any]], Any],
    level: float,
) -> Estimate:
    """Return a function of the parameters with its delta-method interval, on the log scale where it is
    positive."""
    law, coordinates = problem.law, problem.coordinates

    def value(at: Array) -> Array:
        return np.asarray(function(law.values(coordinates.natural(at))), dtype=np.float64).reshape(-1)

    centre = float(value(u[None])[0])
    step = 1e-5 * np.eye(len(u))
    up, down = value(u + step), value(u - step)
    positive = centre > 0 and bool((up > 0).all() and (down > 0).all())
    slope = (np.log(up) - np.log(down) if positive else up - down) / 2e-5
    quantile = float(stats.t.ppf(0.5 + level / 2, covariance.degrees))
    variance = max(float(slope @ covariance.matrix @ slope), 0.0)
    half = quantile * float(np.sqrt(variance))
    ends = (centre * np.exp(-half), centre * np.exp(half)) if positive else (centre - half, centre + half)
    return Estimate(
        value=centre,
        interval=(float(ends[0]), float(ends[1])),
        level=level,
        method=f"delta method, {covariance.method}, t with {covariance.degrees:g} degrees of freedom",
    )
