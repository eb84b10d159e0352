"""The gain over every shared irreducible loss that the data allow: how much of it rests on the floor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import stats

from scaling.fitting.estimation.coordinates import build
from scaling.fitting.estimation.dispersion import dispersion
from scaling.fitting.estimation.solve import refit
from scaling.fitting.fit import Fit
from scaling.fitting.law import Array
from scaling.fitting.uncertainty.estimate import finite


def _held(fit: Fit, floor: float, theta: Array) -> tuple[Array, float]:
    """Parameters and objective with E held at `floor`, from a start."""
    coordinates = build(fit.law, fit.problem.x, fit.problem.y, fixed={"E": floor})
    problem = replace(fit.problem, coordinates=coordinates)
    moved = theta.copy()
    moved[fit.law.names.index("E")] = floor
    end = refit(problem, problem.weights[None], coordinates.search(moved))
    return coordinates.natural(end.u[0]), float(
        problem.loss.value(problem.residuals(end.u[0]), problem.weights)
    )


@np.errstate(all="ignore")
def profiled(
    base: Fit, other: Fit, centre: float, headline: Callable[[list[Array]], float]
) -> dict[str, Any]:
    """The range of the headline gain over all E held equal in both fits whose profile stays below the χ²
    limit, and the profile itself."""
    level = base.options.level
    limit = float(stats.chi2.ppf(level, 1))
    spreads = [dispersion(fit.problem, fit.optimum.u) for fit in (base, other)]
    factor = 1.0 if base.problem.loss.name in ("squares", "likelihood") else 2.0
    smallest = min(float(base.problem.y.min()), float(other.problem.y.min()))
    rows: list[tuple[float, float, float]] = []
    for sign in (-1, 1):
        thetas = [base.theta, other.theta]
        for step in range(31):
            floor = centre * float(np.exp(sign * 0.01 * step))
            if floor >= 0.999 * smallest:
                break
            held = [_held(fit, floor, theta) for fit, theta in zip((base, other), thetas, strict=True)]
            thetas = [h[0] for h in held]
            cost = sum(factor * h[1] / s for h, s in zip(held, spreads, strict=True))
            rows.append((floor, cost, headline(thetas)))
    rows.sort()
    costs = np.array([row[1] for row in rows])
    allowed = [row for row in rows if row[1] - costs.min() <= limit]
    gains = [row[2] for row in allowed]
    return {
        "E": [allowed[0][0], allowed[-1][0]],
        "gain": [finite(min(gains)), finite(max(gains))],
        "level": level,
        "profile": [{"E": e, "rise": finite(c - costs.min()), "gain": finite(g)} for e, c, g in rows],
    }
