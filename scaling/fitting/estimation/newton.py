"""Many small minimisations at once: damped Newton on a batch of parameter vectors, each with its own weights
and its own damping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from scaling.fitting.law import Array, Flags, Integers


class Objective(Protocol):
    """Σ w ρ(residual) as a function of free coordinates, for a batch of coordinates and of weights."""

    lower: Array
    """(q,) bounds."""
    upper: Array
    """(q,) bounds."""

    def evaluate(
        self, u: Array, rows: Integers, delta: float, exact: bool
    ) -> tuple[Array, Array, Array, Array]:
        """At u (K, q), with the weights of `rows` (K,) and Huber's δ: value (K,), gradient (K, q), Hessian
        (K, q, q), exact or Gauss-Newton, and a positive diagonal (K, q) that sets the size of each
        coordinate."""
        ...

    def value(self, u: Array, rows: Integers, delta: float) -> Array:
        """Value alone (K,)."""
        ...


@dataclass(frozen=True, kw_only=True)
class Solution:
    """Where a batch ended."""

    u: Array
    """(K, q) coordinates."""
    value: Array
    """(K,) objective."""
    decrement: Array
    """(K,) what one more Newton step is predicted to gain, relative to the value."""
    converged: Flags
    """(K,) bool."""
    iterations: int
    """Batched steps taken."""


def minimise(
    objective: Objective,
    u: Array,
    rows: Integers,
    delta: float,
    *,
    exact: bool = True,
    tolerance: float = 1e-13,
    iterations: int = 60,
) -> Solution:
    """Minimises from every row of u (K, q) at one δ.

    (H + λ diag) p = −g with λ per member: up when the value rises, down when it falls, so it is Newton near
    the optimum and gradient descent far from it. Members that are done leave the batch. Far from an optimum
    the Gauss-Newton matrix (exact=False) is safer: with the exact one 8 % of random starts drive a term of
    the Chinchilla law to zero; with ten Gauss-Newton steps first, 0.1 % do.
    """
    u = np.clip(np.array(u, dtype=np.float64), objective.lower, objective.upper)
    size = u.shape[1]
    value, gradient, hessian, diagonal = objective.evaluate(u, rows, delta, exact)
    value = np.where(np.isfinite(value), value, np.inf)
    damping = np.full(len(u), 1e-3)
    decrement = np.full(len(u), np.inf)
    done = np.zeros(len(u), dtype=bool)
    stalled = np.zeros(len(u), dtype=np.int64)
    identity = np.eye(size)
    step_count = 0
    while step_count < iterations and not done.all():
        step_count += 1
        live = np.flatnonzero(~done)
        at, slope = u[live], gradient[live]
        held = ((at <= objective.lower) & (slope > 0)) | ((at >= objective.upper) & (slope < 0))
        open_ = ~held
        matrix = hessian[live] * (open_[:, :, None] & open_[:, None, :])
        scale = np.maximum(diagonal[live], 1e-12 * diagonal[live].max(-1, keepdims=True) + 1e-300)
        matrix += identity * (np.where(open_, damping[live, None] * scale, 1.0))[:, None, :]
        slope = np.where(open_, slope, 0.0)
        step = -_solve(matrix, slope)
        lower, upper = objective.lower - at, objective.upper - at
        crossing = np.flatnonzero(((step < lower) | (step > upper)).any(-1))
        if len(crossing):
            step[crossing] = _within(matrix[crossing], slope[crossing], lower[crossing], upper[crossing])
        gain = -(slope * step).sum(-1)
        # Not a descent direction: the Hessian is indefinite here and the damping too small; the plain
        # gradient on the diagonal is safe.
        bad = ~(gain > 0) | ~np.isfinite(step).all(-1)
        step[bad] = -slope[bad] / scale[bad]
        gain[bad] = (slope[bad] ** 2 / scale[bad]).sum(-1)
        relative = gain / np.maximum(np.abs(value[live]), 1e-300)
        # A step of more than e^4 in an amplitude is a leap of faith.
        longest = np.abs(step).max(-1, keepdims=True)
        step *= np.minimum(1.0, 4.0 / np.maximum(longest, 1e-300))
        trial = np.clip(at + step, objective.lower, objective.upper)
        new = objective.evaluate(trial, rows[live], delta, exact)
        reached = np.where(np.isfinite(new[0]), new[0], np.inf)
        better = reached < value[live]
        level = reached <= value[live] * (1 + 1e-15)
        took = live[better | level]
        pick = better | level
        small = (relative < tolerance) & (damping[live] < 1e-2)
        u[took], value[took] = trial[pick], reached[pick]
        gradient[took], hessian[took], diagonal[took] = new[1][pick], new[2][pick], new[3][pick]
        decrement[live] = relative
        # How well the quadratic model foresaw the gain decides how far it is trusted next.
        damping[live] = np.where(
            better, np.maximum(damping[live] * 0.1, 1e-14), np.maximum(damping[live] * 10, 1e-6)
        )
        stalled[live] = np.where(better, 0, stalled[live] + 1)
        done[live] = small | (stalled[live] > 18) | (damping[live] > 1e14)
    return Solution(u=u, value=value, decrement=decrement, converged=decrement < 1e-8, iterations=step_count)


def _within(matrix: Array, slope: Array, lower: Array, upper: Array) -> Array:
    """The steps (K, q) to the lowest points of quadratic models between bounds on the step, by active sets
    (Nocedal & Wright, 2006, algorithm 16.3): a step cut short one coordinate at a time need not go downhill.
    """
    count, size = slope.shape
    step, at_bound = np.zeros((count, size)), np.zeros((count, size), dtype=bool)
    diagonal = np.diagonal(matrix, axis1=1, axis2=2)
    live = np.arange(count)
    for _ in range(6 * size):
        held, here = at_bound[live], step[live]
        rest = slope[live] + (matrix[live] @ here[..., None])[..., 0]
        among = matrix[live] * ~(held[:, :, None] | held[:, None, :]) + np.eye(size) * held[:, None, :]
        way = np.where(held, 0.0, -_solve(among, np.where(held, 0.0, rest)))
        room = np.where(way < 0, lower[live], upper[live]) - here
        short = np.abs(way) > np.abs(room)
        part = np.where(short, np.abs(room) / np.where(short, np.abs(way), 1.0), 1.0)
        far = part.min(-1, keepdims=True)
        step[live] = here = np.where(short & (part == far), here + room, here + far * way)
        at_bound[live] = held = held | (short & (part == far))
        # where nothing was met, the coordinate that gains most by leaving its bound is let go
        rest = slope[live] + (matrix[live] @ here[..., None])[..., 0]
        leaves = held & np.where(here <= lower[live], rest < 0, rest > 0) & (far == 1)
        gains = np.where(leaves, rest**2 / diagonal[live], 0.0)
        best = gains.argmax(-1)
        most = gains[np.arange(len(live)), best]
        worth = most > 1e-14 * np.abs((slope[live] * here).sum(-1))
        at_bound[live[worth], best[worth]] = False
        live = live[worth | (far[:, 0] < 1)]
        if not len(live):
            break
    return step


def _solve(matrix: Array, right: Array) -> Array:
    try:
        return np.asarray(np.linalg.solve(matrix, right[..., None])[..., 0])
    except np.linalg.LinAlgError:
        return np.asarray((np.linalg.pinv(matrix) @ right[..., None])[..., 0])
