"""Solve least absolute deviations exactly by linear programmes in a shrinking trust region, starting at the
end of the Huber continuation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csc_matrix, hstack, identity

from scaling.fitting.arrays import Array


def polish(
    u: Array,
    weights: Array,
    lower: Array,
    upper: Array,
    slopes: Callable[[Array], tuple[Array, Array]],
    *,
    iterations: int = 30,
) -> Array:
    """Minimise Σ w |r(u)| near u (q,), where `slopes(u)` gives r (n,) and its Jacobian (n, q).

    Each step minimises Σ w |r + J p| exactly within |p| ≤ radius: the optimum of a curved LAD problem usually
    passes through as many points as there are parameters, and there the steps converge quadratically. A
    smoothed objective does not.
    """
    residual, jacobian = slopes(u)
    value = float(weights @ np.abs(residual))
    scale = 1.0 / np.maximum(np.sqrt((jacobian**2).mean(axis=0)), 1e-12)
    # Steps are scaled by each parameter's effect on the residuals, so that one radius fits all parameters.
    radius = 0.1 * max(float(np.abs(residual).mean()), 1e-12) * 10
    size = jacobian.shape[1]
    keep = weights > 0
    for _ in range(iterations):
        block = csc_matrix((jacobian * scale)[keep])
        eye = identity(int(keep.sum()), format="csc")
        solved = linprog(
            np.concatenate([np.zeros(size), weights[keep], weights[keep]]),
            A_eq=hstack([block, -eye, eye], format="csc"),
            b_eq=-residual[keep],
            bounds=[
                (max(-radius, (low - at) / s), min(radius, (high - at) / s))
                for low, high, at, s in zip(lower, upper, u, scale, strict=True)
            ]
            + [(0, None)] * (2 * int(keep.sum())),
            method="highs",
        )
        if solved.status != 0:
            break
        step = solved.x[:size] * scale
        foreseen = value - float(solved.fun)
        if foreseen <= 1e-15 * value:
            break
        new_residual, new_jacobian = slopes(u + step)
        new_value = float(weights @ np.abs(new_residual))
        if new_value < value:
            if value - new_value > 0.75 * foreseen:
                radius *= 2
            u, value, residual, jacobian = u + step, new_value, new_residual, new_jacobian
        else:
            radius = 0.25 * min(radius, float(np.abs(solved.x[:size]).max()))
    return u
