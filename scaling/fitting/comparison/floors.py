"""Compute the range of the gain over all shared irreducible losses that the data allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import stats

from scaling.fitting.arrays import Array
from scaling.fitting.comparison.shared import fit_shared, spread, stacked
from scaling.fitting.estimation.dispersion import dispersion
from scaling.fitting.estimation.problem import Problem
from scaling.fitting.estimation.solve import refit
from scaling.fitting.result import Fit
from scaling.fitting.uncertainty.estimate import finite

Headline = Callable[[Sequence[Array]], float]
"""Function from the parameters of each fit to the gain."""

STEPS = 0.002 * np.cumsum(1.3 ** np.arange(26))
"""Distances in ln E at which the profile is evaluated: from 0.2 % near the optimum to a factor of 400."""


@np.errstate(all="ignore")
def floors(fits: Sequence[Fit], labels: Sequence[str], headline: Headline) -> dict[str, Any]:
    """Return the gain with E shared, and its range over the profile of the shared E.

    `shared` holds E of the joint fit and the gain with it. `profiled` holds the profile and the range of the
    gain over all shared E whose profile stays below the F limit. Estimate and profile use the same joint
    objective, so the range contains the estimate. Where the profile reaches an objective below the
    estimate's, the joint fit is repeated from that point.
    """
    law, problem, optimum = fit_shared(fits, labels, ["E"])
    u = optimum.u
    for _ in range(5):
        best, rows = float(problem.value(u)), []
        for sign in (-1, 1):
            rows += _walk(fits, labels, problem, u, sign, best)
        lowest = min(rows, key=lambda row: row[1], default=None)
        if lowest is None or lowest[1] >= best - 1e-9 * abs(best):
            break
        u = refit(problem, problem.weights[None], problem.coordinates.search(lowest[2])).u[0]
    theta = problem.coordinates.natural(u)
    at = law.names.index("E")
    rows = sorted([*rows, (float(theta[at]), best, theta)], key=lambda row: row[0])

    def gain(joint: Array) -> float:
        values: Mapping[str, float] = dict(zip(law.names, map(float, joint), strict=True))
        wide = spread(values, fits[0].law, labels)
        return headline(
            [np.array([wide[f"{name}[{label}]"] for name in fits[0].law.names]) for label in labels]
        )

    limit, unit = _limit(fits[0], problem, u)
    level = fits[0].options.level
    floor = np.array([row[0] for row in rows])
    rise = np.array([max(row[1] - best, 0.0) for row in rows]) * unit
    gains = np.array([gain(row[2]) for row in rows])
    allowed = np.flatnonzero(rise <= limit)
    middle = int(np.flatnonzero(floor == theta[at])[0])
    low, high = _run(allowed, middle)
    ends, reached = [], list(gains[low : high + 1])
    for inner, outer in ((low, low - 1), (high, high + 1)):
        if not 0 <= outer < len(rows):
            ends.append(float(floor[inner]))
            continue
        root = np.sqrt(rise[[inner, outer]])
        share = float((np.sqrt(limit) - root[0]) / (root[1] - root[0]))
        ends.append(float(np.exp((1 - share) * np.log(floor[inner]) + share * np.log(floor[outer]))))
        reached.append(float(np.exp((1 - share) * np.log(gains[inner]) + share * np.log(gains[outer]))))
    return {
        "shared": {"E": float(theta[at]), "gain": finite(gains[middle])},
        "profiled": {
            "E": ends,
            "gain": [finite(min(reached)), finite(max(reached))],
            "open_ended": bool(low == 0 or high == len(rows) - 1),
            "level": level,
            "profile": [
                {"E": float(e), "rise": finite(r), "gain": finite(g)}
                for e, r, g in zip(floor, rise, gains, strict=True)
            ],
        },
    }


def _limit(fit: Fit, problem: Problem, u: Array) -> tuple[float, float]:
    """Return the F quantile that bounds an allowed rise and the factor that scales the rise."""
    spare = max(len(problem.y) - len(u), 1)
    limit = float(stats.f.ppf(fit.options.level, 1, spare))
    if problem.loss.name == "likelihood":
        return limit, 2.0
    return limit, (1.0 if problem.loss.name == "squares" else 2.0) / dispersion(problem, u)


def _run(allowed: Any, middle: int) -> tuple[int, int]:
    """Return the first and last index of the allowed stretch that contains the middle."""
    low = high = middle
    while low - 1 in allowed:
        low -= 1
    while high + 1 in allowed:
        high += 1
    return low, high


def _walk(
    fits: Sequence[Fit], labels: Sequence[str], problem: Problem, u: Array, sign: int, best: float
) -> list[tuple[float, float, Array]]:
    """Return E, objective and parameters at fixed E moving away from the optimum, until past the limit."""
    limit, unit = _limit(fits[0], problem, u)
    theta = problem.coordinates.natural(u)
    at = problem.law.names.index("E")
    centre, most = float(theta[at]), 0.999 * float(problem.y.min())
    low, high = fits[0].options.bounds.get("E", (0.0, np.inf))
    found = []
    for step in STEPS:
        floor = centre * float(np.exp(sign * step))
        if not max(low, 1e-6 * most) < floor < min(high, most):
            break
        _, held = stacked(fits, labels, ["E"], held={"E": floor})
        held = replace(held, loss=problem.loss)
        moved = theta.copy()
        moved[at] = floor
        end = refit(held, held.weights[None], held.coordinates.search(moved)).u[0]
        theta = held.coordinates.natural(end)
        found.append((floor, float(held.value(end)), theta))
        if unit * (found[-1][1] - best) > limit:
            break
    return found
