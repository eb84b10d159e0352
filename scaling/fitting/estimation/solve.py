"""Solve a fitting problem by random starts and continuation in Huber's δ; refit all resamples of a bootstrap
in one batch."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from scaling.errors import FitError
from scaling.fitting.arrays import Array, Flags, Integers
from scaling.fitting.estimation.absolute import polish
from scaling.fitting.estimation.delta import own_delta
from scaling.fitting.estimation.descent import CLOSE, DONE, FEW_ROWS, descend, stages
from scaling.fitting.estimation.likelihood import Noise
from scaling.fitting.estimation.losses import Loss, robust_scale
from scaling.fitting.estimation.newton import Solution, minimise
from scaling.fitting.estimation.problem import MANY, Problem
from scaling.fitting.estimation.starts import shaken, started

ENOUGH = 96
"""Number of random starts after which no more are added, even if only one reached the best optimum."""
CREEPING = 4
"""Number of searches along a flat valley that continue to its end; searches in one valley end alike."""


@dataclass(frozen=True, kw_only=True)
class Basin:
    """One local optimum."""

    theta: Array
    """(P,) natural parameters."""
    objective: float
    """Reported objective at the optimum."""
    starts: int
    """Number of random starts that ended here."""


@dataclass(frozen=True, kw_only=True)
class Optimum:
    """The best point of a problem, with all local optima."""

    u: Array
    """(q,) free coordinates."""
    theta: Array
    """(P,) natural parameters."""
    objective: float
    """As reported."""
    basins: tuple[Basin, ...]
    """All local optima, best first."""
    starts: int
    """Number of random starts."""
    loss: Loss = field(default_factory=Loss)
    """The estimator with its δ resolved."""


@np.errstate(all="ignore")
def solve(problem: Problem, extra: Array | None = None, *, worst: float = np.inf) -> Optimum:
    """Return the best optimum over random starts and the starts `extra` (k, q).

    `worst` is a sum of squares above which the search is abandoned, for laws that are only compared with
    another one; no further starts are then added. Raises FitError where no start ends at a finite value, or
    none ends below `worst`.
    """
    smooth = problem.objective(problem.weights[None], replace(problem.loss, name="squares"))
    u = started(problem, extra)
    rows = np.zeros(len(u), dtype=np.int64)
    second = minimise(
        smooth,
        u,
        rows,
        np.inf,
        exact=smooth.exact,
        follow=True,
        across=not smooth.exact,
        iterations=20 if smooth.exact else 60,
    )
    if not np.isfinite(second.value).any():
        raise FitError(
            f"no start of {problem.law.name} gives a finite prediction on these {len(problem.y)} points; "
            "check the columns and their units, or give the law better start ranges"
        )
    if 2 * second.value.min() > worst:
        raise FitError(f"{problem.law.name} lies too far from these {len(problem.y)} points")
    places, counts = _distinct(second.u, second.value)
    # An optimum ten times worse in squares (a term driven to zero) cannot become the best; it is counted but
    # not refined.
    rough = smooth.value(places, rows[: len(places)], np.inf)
    alive = rough <= 10 * rough.min()
    near, loss = places[alive], problem.loss
    if loss.delta is None and loss.name in ("huber", "asymmetric"):
        delta, robust = own_delta(problem, near)
        loss = replace(loss, delta=delta)
        problem = replace(problem, loss=loss)
        extra = robust if extra is None else np.vstack([np.atleast_2d(extra), robust])
    if loss.name == "likelihood":
        ends = np.vstack([_likelihood(problem, place[None], problem.weights[None]) for place in near])
        creeping = np.zeros(len(ends), dtype=bool)
    else:
        ends, creeping = _searched(problem, near, extra, np.isfinite(worst))
    more = np.ones(len(ends) - len(near), dtype=np.int64)
    counts = np.concatenate([counts[alive], more, counts[~alive]])
    ends = np.vstack([ends, places[~alive]])
    values = np.asarray(problem.value(ends))
    values = np.where(np.isfinite(values), values, np.inf)
    places, counts = _distinct(ends, values, counts)
    if not len(places):
        raise FitError(
            f"every optimum of {problem.law.name} on these {len(problem.y)} points runs off to infinite "
            "parameters; "
            "the variables vary too little, or a bound or a fixed parameter is needed"
        )
    lone = counts[0] < 2 and np.argmin(values) not in np.flatnonzero(creeping)
    if lone and np.isinf(worst) and problem.starts < ENOUGH and len(problem.y) <= MANY:
        # A best end reached by one start only may not be the optimum; an end still in a flat valley is none.
        return solve(replace(problem, starts=min(4 * problem.starts, ENOUGH)), extra)
    places, counts = _tied(places, counts, np.atleast_1d(problem.value(places)))
    found = np.atleast_1d(problem.value(places))
    basins = tuple(
        Basin(theta=problem.coordinates.natural(place), objective=float(value), starts=int(count))
        for place, value, count in zip(places, found, counts, strict=True)
    )
    return Optimum(
        u=places[0],
        theta=basins[0].theta,
        objective=basins[0].objective,
        basins=basins,
        starts=int(counts.sum()),
        loss=loss,
    )


def _searched(problem: Problem, near: Array, extra: Array | None, short: bool) -> tuple[Array, Flags]:
    """Return the ends (k, q) of searches, and whether (k,) each is still moving along a flat valley.

    Searches start at `near` (a, q), at `extra` and, unless `short`, at optima of resampled tables.
    """
    squares = problem.loss.name == "squares"
    objective = problem.objective(problem.weights[None])
    spread = robust_scale(problem.residuals(near[0]))
    path = stages(problem.loss, spread)

    def down(u: Array, path: list[float], iterations: int = 100) -> tuple[Array, Array]:
        same = np.zeros(len(u), dtype=np.int64)
        end = descend(objective, u, same, path, spread, iterations=iterations)
        return end.u, end.decrement

    ends, gain = down(near, path)
    best = ends[np.argmin(problem.value(ends))]
    # The extra starts are also continued at the final δ, so that none ends above its beginning.
    more = [np.atleast_2d(given) for given in (extra,) if given is not None]
    more += [] if squares or short else [shaken(problem, best, path[-1])]
    if more:
        moved, gains = down(np.vstack(more), path[-1:])
        ends, gain = np.vstack([ends, moved]), np.concatenate([gain, gains])
    # A flat valley takes hundreds of steps: only the best few of the unconverged searches continue.
    values = problem.value(ends)
    order = np.argsort(values, kind="stable")
    order = order[values[order] <= 1.01 * values[order[0]]]
    creeps = gain[order] > CLOSE
    worth = order[~creeps | (np.cumsum(creeps) <= (1 if short else CREEPING))]
    ends[worth], gain[worth] = down(ends[worth], path[-1:], 400)
    if problem.loss.name == "lad":
        ends[worth] = _all_polished(problem, ends[worth])
    return ends, gain > CLOSE


def _tied(places: Array, counts: Integers, values: Array) -> tuple[Array, Integers]:
    """Return optima (b, q), best first, ties within rounding broken by the smaller coordinates."""
    first = [k for k in range(len(places)) if values[k] <= values[0] * (1 + 1e-9)]
    order = sorted(first, key=lambda k: tuple(np.round(places[k], 6)))
    order += [k for k in range(len(places)) if k not in first]
    return places[order], counts[order]


def _all_polished(problem: Problem, ends: Array) -> Array:
    """Return the exact LAD optimum of every end (k, q); ends within a thousandth of each other share one."""
    out = ends.copy()
    done: list[int] = []
    for k in np.argsort(problem.value(ends)):
        near = [j for j in done if np.abs(ends[k] - ends[j]).max() < 1e-3]
        out[k] = out[near[0]] if near else _polished(problem, ends[k])
        done.append(int(k))
    return out


def _polished(problem: Problem, u: Array) -> Array:
    """Return the exact LAD optimum nearest to u (q,)."""
    c, law = problem.coordinates, problem.law

    def slopes(at: Array) -> tuple[Array, Array]:
        theta = c.natural(at)
        jacobian = c.jacobian(at, law.gradient(theta, problem.x))
        if problem.loss.scale == "log":
            jacobian = jacobian / law.predict(theta, problem.x)[..., None]
        return problem.residuals(at), jacobian

    return polish(u, problem.weights, c.lower, c.upper, slopes)


@np.errstate(all="ignore")
def refit(problem: Problem, weights: Array, u: Array) -> Solution:
    """Fit all resamples, rows of weights (K, n), starting at u (q,) or (K, q). `problem.loss` must have its
    δ resolved."""
    start = np.broadcast_to(u, (len(weights), np.shape(u)[-1])).copy()
    rows = np.arange(len(weights))
    if problem.loss.name == "likelihood":
        end = _likelihood(problem, start, weights)
        value = problem.value(end, weights)
        return Solution(
            u=end, value=value, decrement=np.zeros(len(end)), converged=np.isfinite(value), iterations=0
        )
    spread = robust_scale(problem.residuals(start[0]))
    loss = problem.loss
    if loss.name == "lad":
        # A δ far below the residuals' size does not change intervals and lets the batch converge.
        loss = Loss(scale=loss.scale, delta=0.005 * spread)
    objective = problem.objective(weights)
    path = stages(loss, spread)
    if len(problem.y) >= FEW_ROWS:
        # With many points the optimum of a resample is close to that of the table.
        path = path[-1:]
    solution = descend(objective, start, rows, path, spread)
    left = np.flatnonzero(~solution.converged)
    if len(left):
        rest = descend(
            objective,
            start[left],
            rows[left],
            stages(loss, spread),
            spread,
            iterations=300 if objective.exact else 100,
        )
        lower = rest.value <= solution.value[left]
        better = left[lower]
        solution.u[better], solution.value[better] = rest.u[lower], rest.value[lower]
        solution.decrement[better] = rest.decrement[lower]
        solution = replace(solution, converged=solution.decrement < DONE)
    return replace(solution, u=_idle(problem, solution.u, start))


def _idle(problem: Problem, u: Array, start: Array) -> Array:
    """Return u (K, q) with the exponents of terms at zero reset to their starts.

    These exponents have no effect and would otherwise keep an arbitrary value of the search.
    """
    coordinates = problem.coordinates
    zero, out = coordinates.zero(u), u.copy()
    for j, name in enumerate(coordinates.names):
        for _, power, _ in problem.law.parameter(name).centre:
            if power in coordinates.names:
                at = coordinates.names.index(power)
                out[:, at] = np.where(zero[:, j], start[:, at], out[:, at])
    return out


def _likelihood(problem: Problem, u: Array, weights: Array) -> Array:
    """Maximise the Gaussian likelihood by turns: the law by weighted squares, then the noise's power law from
    the residuals."""
    noise = Noise.of(problem.x)
    rows = np.arange(len(u))
    squares = replace(problem.loss, name="squares")
    factors = np.ones_like(weights)
    for turn in range(60):
        before = u
        objective = problem.objective(weights * factors, squares)
        u = descend(objective, u, rows, [np.inf], 1.0, iterations=30).u
        sigma = noise.fit(problem.residuals(u), weights)[0]
        factors = (np.median(sigma, axis=1, keepdims=True) / sigma) ** 2
        if turn and np.abs(u - before).max() < 1e-9:
            break
    return u


def _distinct(u: Array, value: Array, counts: Integers | None = None) -> tuple[Array, Integers]:
    """Return local optima (b, q), best first, and the number of starts that ended at each.

    Two ends are one optimum where values agree to 1e-7 and coordinates to 1e-3.
    """
    counts = np.ones(len(u), dtype=np.int64) if counts is None else counts
    order = [i for i in np.argsort(value) if np.isfinite(value[i])]
    places: list[int] = []
    sums: list[int] = []
    for i in order:
        for slot, j in enumerate(places):
            same_value = abs(value[i] - value[j]) <= 1e-7 * max(abs(value[j]), 1e-300)
            if same_value and np.abs(u[i] - u[j]).max() < 1e-3 * (1 + np.abs(u[j]).max()):
                sums[slot] += int(counts[i])
                break
        else:
            places.append(int(i))
            sums.append(int(counts[i]))
    return u[places], np.array(sums)
