"""Where searches start. For the Chinchilla law from random exponents only: floor and amplitudes are linear,
so only α and β need searching.

In logarithms the sum E + A′ + B′ = const is a curved valley, along which Newton creeps for a hundred steps
from one start in eight. Variable projection (Golub & Pereyra 1973, with Kaufman's Jacobian) has no such
valley: two unknowns, the other three by least squares.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scaling.fitting.estimation.coordinates import Coordinates
from scaling.fitting.estimation.newton import minimise
from scaling.fitting.estimation.problem import MANY, Problem
from scaling.fitting.law import Array, Values


def _project(x: Array, z: Array, y: Array, alpha: Array, beta: Array) -> tuple[Array, Array, Array, Array]:
    """Columns (K, n, 3) of relative E, A, B terms, their coefficients (K, 3), residuals (K, n) and the
    inverse Gram matrix."""
    columns = np.empty((len(alpha), len(y), 3))
    columns[:, :, 0] = 1 / y
    columns[:, :, 1] = np.exp(-alpha[:, None] * x) / y
    columns[:, :, 2] = np.exp(-beta[:, None] * z) / y
    gram = np.swapaxes(columns, 1, 2) @ columns
    # Exponents near zero make columns alike; a hair of ridge keeps the inverse and moves nothing that is
    # determined.
    diagonal = np.einsum("kii->ki", gram)
    inverse = np.linalg.inv(gram + (1e-10 * diagonal)[:, :, None] * np.eye(3))
    solved = (inverse @ columns.sum(axis=1)[..., None])[..., 0]
    return columns, solved, (columns @ solved[..., None])[..., 0] - 1, inverse


@np.errstate(all="ignore")
def projected(x: Values, y: Array, coordinates: Coordinates, u: Array, *, iterations: int = 15) -> Array:
    """Starts u (K, 5) → starts at a local optimum of relative squares, with terms that came out negative at a
    hundredth of the loss.

    For the law with all five parameters free and centred; others come back as they were.
    """
    plain = coordinates.names == coordinates.law.names and not coordinates.log.any()
    if not plain or not (coordinates.shift[1, 3] and coordinates.shift[2, 4]):
        return u
    log_n = np.log(np.asarray(x["N"], float)) - coordinates.shift[1, 3]
    log_d = np.log(np.asarray(x["D"], float)) - coordinates.shift[2, 4]
    powers = u[:, 3:].copy()
    damping = np.full(len(u), 1e-2)
    columns, solved, residual, inverse = _project(log_n, log_d, y, powers[:, 0], powers[:, 1])
    value = (residual**2).sum(-1)
    for _ in range(iterations):
        slopes = np.stack(
            [-columns[:, :, 1] * log_n * solved[:, 1, None], -columns[:, :, 2] * log_d * solved[:, 2, None]],
            axis=-1,
        )
        slopes -= columns @ (inverse @ (np.swapaxes(columns, 1, 2) @ slopes))
        gram = np.swapaxes(slopes, 1, 2) @ slopes
        right = np.einsum("knp,kn->kp", slopes, residual)
        diagonal = np.einsum("kii->ki", gram) + 1e-12 * np.einsum("kii->k", gram)[:, None] + 1e-300
        matrix = gram + (damping[:, None] * diagonal)[:, :, None] * np.eye(2)
        step = -np.linalg.solve(matrix, right[..., None])[..., 0]
        trial = np.clip(powers + np.clip(step, -0.3, 0.3), 0.01, 3.0)
        new = _project(log_n, log_d, y, trial[:, 0], trial[:, 1])
        reached = (new[2] ** 2).sum(-1)
        better = reached < value
        powers[better], value[better] = trial[better], reached[better]
        for old, fresh in zip((columns, solved, residual, inverse), new, strict=True):
            old[better] = fresh[better]
        damping = np.where(better, damping * 0.2, damping * 8)
        if np.abs(step)[better].max(initial=0.0) < 1e-7:
            break
    terms = np.maximum(solved, 0.01 * float(np.median(y))) / coordinates.scale[:3]
    made = np.concatenate([terms, powers], axis=1)
    return np.where(np.isfinite(made), np.clip(made, coordinates.lower, coordinates.upper), u)


def started(problem: Problem, generic: bool, extra: Array | None) -> Array:
    """Random and extra starts (k, q), brought near least squares by Gauss-Newton; on a random part of a large
    table, which is enough for that."""
    u = problem.coordinates.starts(problem.starts, problem.seed)
    x, y, weights = problem.x, problem.y, problem.weights
    if len(y) > MANY:
        part = np.random.default_rng(problem.seed).choice(len(y), MANY, replace=False)
        x, y, weights = {k: np.asarray(v)[part] for k, v in x.items()}, y[part], weights[part]
    if not generic:
        u = projected(x, y, problem.coordinates, u)
    if extra is not None:
        u = np.vstack([u, np.atleast_2d(extra)])
    some = replace(problem, x=x, y=y, weights=weights)
    smooth = some.objective(weights[None], replace(problem.loss, name="squares"))
    rows = np.zeros(len(u), dtype=np.int64)
    first = minimise(smooth, u, rows, np.inf, exact=False, iterations=60 if generic else 8, tolerance=1e-10)
    if len(y) == len(problem.y):
        return first.u
    # Of a large table one start per basin goes on: the rest would cost minutes and end at the same place.
    return first.u[[int(np.argmin(first.value))]] if np.isfinite(first.value).any() else first.u


def shaken(problem: Problem, u: Array, delta: float, generic: bool, count: int = 12) -> Array:
    """Return optima (count, q) of resampled tables, from where the search of the table itself goes on
    ("bumping": Tibshirani & Knight 1999).

    A robust objective with a small δ has several optima where points are few; random starts all slide into
    the one nearest to least squares. None for tables of many rows.
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
        exact=not generic and np.isfinite(delta),
        follow=True,
        across=generic,
        iterations=30,
    ).u
