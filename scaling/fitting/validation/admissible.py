"""Measure the spread of forecasts over the admissible laws: those that fit the data about equally well.

Two laws, such as one with a floor and one without, may differ little inside the data and much beyond them.
The parameter noise of a single law does not include this difference.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scaling.errors import ScalingError
from scaling.fitting import laws
from scaling.fitting.arrays import Array, Values
from scaling.fitting.estimation.coordinates import build
from scaling.fitting.estimation.problem import Problem
from scaling.fitting.estimation.solve import Optimum, solve
from scaling.fitting.law import Law
from scaling.fitting.result import Fit
from scaling.fitting.validation.candidates import Candidate, pointwise

FLOORS = ("E", "epsilon_inf")
"""Names of the irreducible loss in the laws of the catalogue."""
FEW = 6.0
"""Largest AICc above the lowest at which a law is admissible; the best law is e^3 = 20 times as likely."""
FAR = 100.0
"""AICc above the law's own, by least squares, beyond which the search for another law stops early."""


@np.errstate(all="ignore")
def spread(fit: Fit, problem: Problem, optimum: Optimum, x: Values) -> tuple[Array, Array]:
    """Return the lowest and the highest admissible forecast at x, relative to the law's own, each (m,).

    The first is at most zero, the second at least zero; both are in log L on the log scale, else in L.

    Three kinds of candidates are tried: the law without a floor, the law with equal exponents, and other laws
    of the catalogue. The last must have the same single variable and at most one parameter more, because laws
    of several variables take too long. A candidate is admissible if its AICc on the rows of `problem` lies
    within FEW of the lowest.
    """
    problem = replace(problem, loss=optimum.loss)
    forecasts = [(_aicc(problem, optimum.u), problem.law.predict(optimum.theta, x))]
    squares = replace(problem.loss, name="squares")
    worst = float(squares.value(problem.residuals(optimum.u), problem.weights)) * np.exp(FAR / len(problem.y))
    for law, fixed, tied in _candidates(fit, problem):
        try:
            coordinates = build(
                law,
                problem.x,
                problem.y,
                fixed={**fit.options.fixed, **fixed} if law is problem.law else {},
                tied={**fit.options.tied, **tied} if law is problem.law else {},
                bounds={k: v for k, v in fit.options.bounds.items() if k not in fixed}
                if law is problem.law
                else {},
            )
            other = replace(problem, law=law, coordinates=coordinates)
            near = coordinates.search(optimum.theta) if law is problem.law else None
            u = solve(replace(other, starts=4), near, worst=worst).u
        except ScalingError:
            continue
        forecasts.append((_aicc(other, u), law.predict(coordinates.natural(u), x)))
    best = min(value for value, _ in forecasts)
    own = forecasts[0][1]
    distances = [
        np.log(forecast / own) if problem.loss.scale == "log" else forecast - own
        for value, forecast in forecasts
        if value - best <= FEW and np.isfinite(forecast).all()
    ]
    zero = np.zeros_like(own)
    return np.minimum.reduce([zero, *distances]), np.maximum.reduce([zero, *distances])


def _candidates(fit: Fit, problem: Problem) -> list[tuple[Law, dict[str, float], dict[str, str]]]:
    """Return the laws to try, each with the parameters that are fixed and the parameters that are tied."""
    law, free = problem.law, problem.coordinates.names
    partners = fit.options.tied.values()
    candidates: list[tuple[Law, dict[str, float], dict[str, str]]] = []
    for name in FLOORS:
        if name in free and name not in partners:
            candidates.append((law, {name: 0.0}, {}))
    if {"alpha", "beta"} <= set(free) and "beta" not in partners:
        candidates.append((law, {}, {"beta": "alpha"}))
    if len(law.variables) == 1 and not fit.options.fixed and not fit.options.tied:
        for other in laws.catalogue().values():
            alike = other.variables == law.variables and other.target == law.target
            if alike and other is not law and len(other.parameters) <= len(law.parameters) + 1:
                candidates.append((other, {}, {}))
    return candidates


def _aicc(problem: Problem, u: Array) -> float:
    """Return the AICc on the rows of the problem; infinite where they are too few."""
    residual = problem.residuals(u)
    each = pointwise(
        residual, problem.weights, problem.loss.name, np.zeros_like(residual), problem.loss.delta
    )
    candidate = Candidate(name="", free=len(u), pointwise=each, objective=0.0, nested=False)
    value = candidate.criteria()[0]
    return value if np.isfinite(value) else np.inf
