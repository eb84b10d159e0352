"""Profile the objective along one parameter, with all others refitted at every value.

A profile shows flat directions that an interval does not show.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from scaling.errors import ConfigError
from scaling.fitting.arrays import Array
from scaling.fitting.estimation.coordinates import build
from scaling.fitting.estimation.dispersion import covariance, dispersion
from scaling.fitting.estimation.losses import robust_scale
from scaling.fitting.estimation.problem import Problem
from scaling.fitting.estimation.solve import Optimum, refit
from scaling.fitting.uncertainty.estimate import Estimate, finite


@dataclass(frozen=True, kw_only=True, eq=False)
class Profile:
    """The profile of the objective along one parameter."""

    name: str
    """The parameter."""
    grid: Array
    """(m,) values tried."""
    rise: Array
    """(m,) rise of twice the objective above the optimum, divided by its dispersion: a χ²₁ variable at the
    true value."""
    estimate: Estimate
    """Range in which the rise stays below the quantile of χ²₁ (of F for small tables)."""
    open_ended: bool
    """Whether the interval runs to the edge of the grid: the data do not bound the parameter on that side."""
    better: float | None
    """Lower objective along the profile, which proves the optimum not global; None if there is none."""

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "name": self.name,
            "grid": [finite(v) for v in self.grid],
            "rise": [finite(v) for v in self.rise],
            **self.estimate.to_json(),
            "open_ended": self.open_ended,
            "better_objective": self.better,
        }


@np.errstate(all="ignore")
def profile(
    problem: Problem,
    optimum: Optimum,
    name: str,
    *,
    level: float = 0.95,
    points: int = 41,
    width: float = 4.0,
) -> Profile:
    """Profile a parameter outwards from the optimum in both directions, refitting from the previous point.

    The grid reaches `width` curvature-based standard deviations (in the logarithm for positive parameters)
    and at least a factor of 1.5 or 0.1 in an exponent. Raises ConfigError for a parameter that is fixed or
    tied.
    """
    if name not in problem.coordinates.names:
        raise ConfigError(
            f"{name} is fixed or tied and has no profile; take one of {', '.join(problem.coordinates.names)}"
        )
    law = problem.law
    index = law.names.index(name)
    parameter = law.parameter(name)
    spread = dispersion(problem, optimum.u)
    centre = float(optimum.theta[index])
    # A floor has a linear grid because it may be zero; other positive parameters have a logarithmic one.
    linear = not parameter.positive or (parameter.zero and not parameter.centre)
    direction = problem.coordinates.slopes(optimum.u)[index] / (1.0 if linear else centre)
    deviation = float(np.sqrt(max(direction @ covariance(problem, optimum.u) @ direction, 0.0)))
    deviation = deviation if np.isfinite(deviation) else 1e300
    unit = problem.coordinates.scale[index] if linear else 1.0
    most = (1.0 if parameter.zero else 5.0 * width) * unit if linear else 5.0 * width
    reach = float(np.clip(width * deviation, 0.02 * unit, most))
    start = centre if linear else np.log(centre)
    low, high = parameter.limits(problem.x)
    low = max(low, 0.0) if parameter.positive else low
    best = float(problem.loss.value(problem.residuals(optimum.u), problem.weights))
    halves = []
    for sign in (-1, 1):
        theta, found = optimum.theta, list[tuple[float, float]]()
        # The grid ends at the bound and is finer near the optimum.
        room = abs((low, high)[sign > 0] - start) if linear else np.inf
        offsets = min(reach, room) * np.linspace(0, 1, points // 2 + 1)[1:] ** 1.5
        for offset in offsets:
            at = start + sign * offset
            value = float(np.clip(at if linear else np.exp(at), low, high))
            if found and found[-1][0] == value:
                break
            coordinates = build(law, problem.x, problem.y, fixed={name: value})
            there = replace(problem, coordinates=coordinates)
            moved = theta.copy()
            moved[index] = value
            end = refit(there, problem.weights[None], coordinates.search(moved))
            theta = coordinates.natural(end.u[0])
            found.append((value, float(problem.loss.value(there.residuals(end.u[0]), problem.weights))))
        halves.append(found)
    path = [*reversed(halves[0]), (centre, best), *halves[1]]
    grid, values = np.array([p[0] for p in path]), np.array([p[1] for p in path])
    better = float(values.min()) if values.min() < best * (1 - 1e-7) else None
    factor = 1.0 if problem.loss.name in ("squares", "likelihood", "lad") else 2.0
    if problem.loss.name == "lad":
        # Koenker & Machado 1999: 8 f(0) × the rise of Σ ρ_½ is χ²; here |r| = 2 ρ_½.
        window = 1.06 * robust_scale(problem.residuals(optimum.u)) * len(problem.y) ** -0.2
        density = float((np.abs(problem.residuals(optimum.u)) < window).mean() / (2 * window))
        rise = (values - min(best, values.min())) * 4 * density
    else:
        rise = factor * (values - min(best, values.min())) / spread
    free = len(problem.coordinates.names)
    limit = float(stats.f.ppf(level, 1, max(len(problem.y) - free, 1)))
    middle = len(halves[0])
    lower, open_low = _cross(grid[: middle + 1][::-1], rise[: middle + 1][::-1], limit)
    upper, open_high = _cross(grid[middle:], rise[middle:], limit)
    return Profile(
        name=name,
        grid=grid,
        rise=rise,
        estimate=Estimate(
            value=centre, interval=(lower, upper), level=level, method="profile of the objective, F limit"
        ),
        open_ended=(open_low and not (parameter.positive and grid[0] == 0)) or open_high,
        better=better,
    )


@np.errstate(all="ignore")
def up_from_zero(problem: Problem, optimum: Optimum, level: float) -> dict[str, Estimate]:
    """Return floors and amplitudes at zero, each with an interval up to where its profile rises.

    A bootstrap whose resamples all end at zero would give an interval of zero width.
    """
    names = np.array(problem.coordinates.names)[problem.coordinates.zero(optimum.u)]
    tied = [
        n for n in names if problem.coordinates.free.sum(axis=0)[list(problem.coordinates.names).index(n)] > 1
    ]
    found: dict[str, Estimate] = {}
    for name in map(str, names):
        high = float("inf")
        if name not in tied and not problem.law.parameter(name).centre:
            made = profile(problem, optimum, name, level=level, points=81)
            if made.estimate.interval is not None and not made.open_ended:
                high = made.estimate.interval[1]
        found[name] = Estimate(
            value=0.0,
            interval=(0.0, high),
            level=level,
            method="at zero; up to where the profile of the objective rises",
        )
    return found


def _cross(grid: Array, rise: Array, limit: float) -> tuple[float, bool]:
    """Return where the profile first rises above the limit, interpolated in the square root of the rise."""
    for i in range(1, len(grid)):
        if rise[i] > limit:
            low, high = np.sqrt(max(rise[i - 1], 0.0)), np.sqrt(rise[i])
            part = (np.sqrt(limit) - low) / max(high - low, 1e-300)
            return float(grid[i - 1] + part * (grid[i] - grid[i - 1])), False
    return float(grid[-1]), True
