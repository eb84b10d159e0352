"""Find the parameters that the data do not determine, and why: terms at zero, designs that confound two
terms, flat directions and tied optima."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np
from scipy import stats

from scaling.fitting.arrays import Array, Flags, Integers
from scaling.fitting.estimation.dispersion import covariance, dispersion
from scaling.fitting.estimation.problem import Problem
from scaling.fitting.estimation.solve import Basin, Optimum

LOOSE = 1.0
"""Standard deviation of a coordinate beyond which the data do not determine it: of an exponent, or of a floor
or a term in units of the target. With few residual degrees of freedom the deviation is enlarged by the ratio
of the quantiles of Student's t and the normal."""
LOOSE_LOG = 5.0
"""Standard deviation of a logarithm beyond which the data do not determine it: a factor of 150."""
ROUNDING = 1e-9
"""Relative difference below which two values differ only by rounding."""
SEEN = 3.0
"""Size in standard deviations of the noise that an effect must reach, over all rows, to be detected."""


@np.errstate(all="ignore")
def determination(problem: Problem, optimum: Optimum) -> tuple[dict[str, str], bool]:
    """Return the reason by name for each undetermined parameter, and whether predictions are determined."""
    coordinates, u = problem.coordinates, optimum.u
    names = np.array(coordinates.names)
    found: dict[str, str] = {}
    bounded, zero = at_bound(problem, u), coordinates.zero(u)
    for name in names[bounded & ~zero]:
        found[str(name)] = "it runs to the edge of what is searched"
    for name in names[zero]:
        for _, power, _ in problem.law.parameter(str(name)).centre:
            found[power] = f"its term is zero, {name} = 0"
    free = np.flatnonzero(~bounded & ~np.isin(names, list(found)))
    settled = not (bounded & ~zero).any()
    if len(free):
        open_ = _loose(problem, u, np.asarray(free, dtype=np.int64))
        found |= {str(name): "the objective is flat along it" for name in names[free[open_]]}
        settled &= not open_.any()
    unseen = _unseen(problem, optimum)
    floor = any(p.zero and not p.centre for p in problem.law.parameters)
    for variable, (why, elsewhere) in unseen.items():
        for parameter in problem.law.parameters:
            alone = floor and all(other in unseen for other, _, _ in parameter.centre)
            for factor, power, _ in parameter.centre:
                # Without a floor, or in a term with another variable, no effect means an exponent of zero.
                if elsewhere and not alone:
                    continue
                concerned = {parameter.name, power} & set(names) - set(names[zero])
                if factor == variable and concerned:
                    found |= dict.fromkeys(sorted(concerned), why)
                    settled &= elsewhere
    for i, parameter in enumerate(problem.law.parameters):
        for _, power, _ in parameter.centre:
            # The search coordinate is the term at the centre of the data. The amplitude at one unit also
            # needs the exponent.
            apart = coordinates.shift[i, problem.law.names.index(power)] != 0
            if apart and power in found and parameter.name not in names[zero]:
                found.setdefault(parameter.name, found[power])
    best = optimum.basins[0]
    if any(not _alike(problem, best, b) for b in _as_good(optimum)):
        _rest(found, names, "two optima lie within rounding of each other")
        settled = False
    if reached(problem, optimum) < min(2, optimum.starts):
        _rest(found, names, f"only 1 of {optimum.starts} starts ended at the best optimum")
        settled = False
    return found, settled


def _rest(found: dict[str, str], names: Iterable[str], why: str) -> None:
    """Set the reason of all parameters that have none yet, in place."""
    for name in names:
        found.setdefault(str(name), why)


def reached(problem: Problem, optimum: Optimum) -> int:
    """Return the number of starts that ended at the best optimum or on a flat valley through it."""
    best = optimum.basins[0]
    return best.starts + sum(b.starts for b in _as_good(optimum) if _alike(problem, best, b))


def at_bound(problem: Problem, u: Array) -> Flags:
    """Return (q,) whether each coordinate lies at a bound."""
    c = problem.coordinates
    return np.asarray(
        (u - c.lower < 1e-6 * (1 + np.abs(c.lower))) | (c.upper - u < 1e-6 * (1 + np.abs(c.upper)))
    )


def _loose(problem: Problem, u: Array, free: Integers) -> Flags:
    """Return the coordinates among `free` (m,) that the data do not determine."""
    coordinates = problem.coordinates
    spread = np.sqrt(np.maximum(np.diagonal(covariance(problem, u, free)), 0.0))
    spare = max(int((problem.weights > 0).sum()) - len(u), 1)
    spread = spread * float(stats.t.ppf(0.975, spare) / stats.norm.ppf(0.975))
    logarithm = coordinates.free.T[free] @ coordinates.log > 0
    limit = np.where(logarithm, LOOSE_LOG, LOOSE * np.maximum(np.abs(u[free]), 1.0))
    return np.asarray(~(spread <= limit))


def _unseen(problem: Problem, optimum: Optimum) -> dict[str, tuple[str, bool]]:
    """Return the variables whose own effect the data do not show, why, and whether predictions elsewhere are
    determined nevertheless.

    An effect is not shown where predictions change by less than SEEN when the variable is set to its mean, or
    to its line against another variable (D = c N^k: equal ratios, or one budget). In the second case the data
    determine one curve and not two terms, and both variables are returned.
    """
    kept = problem.weights > 0
    centred = {v for p in problem.law.parameters for v, _, _ in p.centre}
    x = {name: np.asarray(value, float)[kept] for name, value in problem.x.items()}
    noise = dispersion(problem, optimum.u)
    weights = problem.weights[kept]

    def small(changed: str, values: Array) -> bool:
        off, on = (problem.law.predict(optimum.theta, v) for v in (x, {**x, changed: values}))
        effect = np.log(off / on) if problem.loss.scale == "log" else off - on
        nothing = np.abs(np.log(x[changed] / values)).max() < ROUNDING
        return bool(nothing or (weights * effect**2).sum() <= SEEN**2 * noise)

    found: dict[str, tuple[str, bool]] = {}
    seen = []
    for name in (v for v in problem.law.variables if v in centred):
        if np.ptp(x[name]) == 0:
            found[name] = f"{name} is {x[name][0]:g} in all rows", False
        elif small(name, np.full(kept.sum(), np.exp(np.log(x[name]).mean()))):
            found[name] = f"no effect of {name} rises above the noise", True
        else:
            seen.append(name)
    for one, two in combinations(seen, 2):
        design = np.stack([np.ones(kept.sum()), np.log(x[one])], axis=1)
        line = np.exp(design @ np.linalg.lstsq(design, np.log(x[two]), rcond=None)[0])
        if small(two, line):
            found |= dict.fromkeys((one, two), (f"{one} and {two} move together in all rows", False))
    return found


def _as_good(optimum: Optimum) -> list[Basin]:
    """Return the other basins whose objective equals the best one to rounding."""
    best = optimum.basins[0]
    return [b for b in optimum.basins[1:] if b.objective <= best.objective * (1 + ROUNDING)]


def _alike(problem: Problem, one: Basin, two: Basin) -> bool:
    """Return whether two basins predict the same."""
    a, b = (problem.law.predict(basin.theta, problem.x) for basin in (one, two))
    return bool(np.abs(b / a - 1).max() <= 1e-6)
