"""Choose the starts of searches: random points and the optima of resampled tables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scaling.fitting.arrays import Array
from scaling.fitting.estimation.newton import minimise
from scaling.fitting.estimation.problem import MANY, Problem


def started(problem: Problem, extra: Array | None) -> Array:
    """Return random and extra starts (k, q), moved near least squares by Gauss-Newton.

    For a large table a random part of its rows is enough.
    """
    u = problem.coordinates.starts(problem.starts, problem.seed)
    x, y, weights = problem.x, problem.y, problem.weights
    if len(y) > MANY:
        part = np.random.default_rng(problem.seed).choice(len(y), MANY, replace=False)
        x, y, weights = {k: np.asarray(v)[part] for k, v in x.items()}, y[part], weights[part]
    some = replace(problem, x=x, y=y, weights=weights)
    smooth = some.objective(weights[None], replace(problem.loss, name="squares"))
    u = smooth.near(u)
    if extra is not None:
        u = np.vstack([u, np.atleast_2d(extra)])
    rows = np.zeros(len(u), dtype=np.int64)
    steps = 8 if smooth.exact else 60
    first = minimise(smooth, u, rows, np.inf, exact=False, iterations=steps, tolerance=1e-10)
    if len(y) == len(problem.y):
        return first.u
    # For a large table one start per basin continues; the others would cost minutes and end alike.
    return first.u[[int(np.argmin(first.value))]] if np.isfinite(first.value).any() else first.u


def shaken(problem: Problem, u: Array, delta: float, count: int = 12) -> Array:
    """Return optima (count, q) of resampled tables as starts for the table itself ("bumping": Tibshirani &
    Knight 1999).

    With few points, a robust objective with a small δ has several optima, and random starts all end in the
    one nearest to least squares. Tables with many rows get no such starts.
    """
    n = len(problem.y)
    if n > MANY:
        return np.empty((0, len(u)))
    drawn = (
        np.random.default_rng(problem.seed + 1).multinomial(n, np.full(n, 1 / n), size=count)
        * problem.weights
    )
    objective = problem.objective(drawn)
    rows = np.arange(count)
    return minimise(
        objective,
        np.broadcast_to(u, (count, u.shape[-1])).copy(),
        rows,
        delta,
        exact=objective.exact and np.isfinite(delta),
        follow=True,
        across=not objective.exact,
        iterations=30,
    ).u
