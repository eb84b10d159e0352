"""From a start to the optimum of its basin: Newton, and for a Huber δ below the residuals from wide to
narrow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scaling.fitting.arrays import Array, Integers
from scaling.fitting.estimation.losses import Loss
from scaling.fitting.estimation.newton import Solution, minimise
from scaling.fitting.estimation.objectives.objective import Objective

NARROW = 0.3
"""The δ, in robust standard deviations of the residuals, below which Huber's kinks bound the steps."""
DONE = 1e-8
"""The relative gain of one more Newton step below which a search has converged."""
CLOSE = 1e-13
"""The gain at which a resample of a law without a Hessian of its own stops: within 1e-5 standard errors."""
FEW = 50
"""Searches that all go on to EXACT."""
FEW_ROWS = 100
"""Rows below which a resample may lie far from its table: it is refitted from wide δ to narrow."""
EXACT = 1e-18
"""The gain at which it stops: the optimum is then the same to a millionth of its standard error, and to about
1e-9 of its value, on every processor."""


def stages(loss: Loss, spread: float) -> list[float]:
    """Return the δ of a continuation, from twice the residuals' robust standard deviation `spread` down to
    the loss's own, each half of the one before."""
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

    An objective without an exact Hessian is brought near by Gauss-Newton, and to the end by one that is
    completed by differences.
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
    # Of many the few that Gauss-Newton leaves short, where residuals are large or a direction is nearly flat.
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
