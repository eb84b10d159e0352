"""Descend from a start to the optimum of its basin by Newton steps, with a continuation in Huber's δ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scaling.fitting.arrays import Array, Integers
from scaling.fitting.estimation.losses import Loss
from scaling.fitting.estimation.newton import Solution, minimise
from scaling.fitting.estimation.objectives.objective import Objective

NARROW = 0.3
"""δ in robust standard deviations of the residuals, below which Huber's kinks limit the step length."""
DONE = 1e-8
"""The relative gain of one more Newton step below which a search has converged."""
CLOSE = 1e-13
"""Gain at which the refit of a resample stops for a law without an exact Hessian: the error is within 1e-5
standard errors."""
FEW = 50
"""Number of searches up to which all continue to EXACT."""
FEW_ROWS = 100
"""Number of rows below which resamples are refitted with a continuation in δ, because they may differ much
from the table."""
EXACT = 1e-18
"""Gain at which an exact search stops. The optimum then agrees between processors to a millionth of its
standard error, and its value to about 1e-9."""


def stages(loss: Loss, spread: float) -> list[float]:
    """Return the values of δ for a continuation: from twice the residuals' robust standard deviation
    `spread`, each half of the one before, down to the loss's own."""
    final = loss.final_delta
    if final >= NARROW * spread:
        return [final]
    steps = int(np.ceil(np.log2(2 * spread / final)))
    return [float(final * 2.0**k) for k in range(steps, -1, -1)]


def descend(
    objective: Objective,
    u: Array,
    rows: Integers,
    path: list[float],
    spread: float,
    *,
    iterations: int = 100,
) -> Solution:
    """Minimise from every row of u (K, q) through a path of δ, each stage from the end of the one before.

    For an objective without an exact Hessian, Gauss-Newton steps come near the optimum, and a Hessian
    completed by differences converges to it.
    """
    for delta in path[:-1]:
        wide = delta >= NARROW * spread
        u = minimise(
            objective, u, rows, delta, exact=objective.exact, follow=wide, tolerance=1e-6, iterations=10
        ).u
    final = path[-1]
    wide = final >= NARROW * spread
    if objective.exact:
        solution = minimise(objective, u, rows, final, follow=wide, tolerance=EXACT, iterations=iterations)
        return replace(solution, converged=solution.decrement < DONE)
    near = minimise(
        objective, u, rows, final, exact=False, across=True, tolerance=CLOSE, iterations=iterations
    )
    # Of many searches, only those continue that Gauss-Newton has not converged: large residuals or flat
    # directions.
    left = np.flatnonzero(near.decrement > CLOSE) if len(u) > FEW else np.arange(len(u))
    if len(left):
        end = minimise(
            objective,
            near.u[left],
            rows[left],
            final,
            across=True,
            tolerance=EXACT,
            iterations=iterations // 3,
        )
        better = end.value <= near.value[left]
        at = left[better]
        near.u[at], near.value[at], near.decrement[at] = (
            end.u[better],
            end.value[better],
            end.decrement[better],
        )
    return replace(near, converged=near.decrement < DONE)
