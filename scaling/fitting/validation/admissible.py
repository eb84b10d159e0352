"""How far apart the laws forecast that the data below a cut do not tell apart.

A floor that the data hardly see, or exponents that may be equal, change little inside the data and much
beyond: parameter noise under one law knows nothing of it.
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
from scaling.fitting.validation.selection import Candidate, pointwise

FLOORS = ("E", "epsilon_inf")
"""What the laws call the loss that nothing removes."""
FEW = 6.0
"""AICc above the best at which a law still counts: the data hold e^3 = 20 times more for the best."""
FAR = 100.0
"""AICc above the law's own, by least squares, at which another is not fitted to the end."""


@np.errstate(all="ignore")
def spread(fit: Fit, problem: Problem, optimum: Optimum, x: Values) -> tuple[Array, Array]:
    """The lowest and the highest forecast (m,) of admissible laws at x, as distances from the law's own: at
    or below zero, and at or above; in the logarithm on the log scale.

    Candidates are the law without a floor, with equal exponents, and the catalogue's other laws of the same
    one variable with at most one parameter more (laws of several variables take too long). Those within FEW
    of the best AICc on the rows of `problem` count.
    """
    problem = replace(problem, loss=optimum.loss)
    known = [(_aicc(problem, optimum.u), problem.law.predict(optimum.theta, x))]
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
        known.append((_aicc(other, u), law.predict(coordinates.natural(u), x)))
    best = min(value for value, _ in known)
    own = known[0][1]
    apart = [
        np.log(made / own) if problem.loss.scale == "log" else made - own
        for value, made in known
        if value - best <= FEW and np.isfinite(made).all()
    ]
    nothing = np.zeros_like(own)
    return np.minimum.reduce([nothing, *apart]), np.maximum.reduce([nothing, *apart])


def _candidates(fit: Fit, problem: Problem) -> list[tuple[Law, dict[str, float], dict[str, str]]]:
    law, free = problem.law, problem.coordinates.names
    partners = fit.options.tied.values()
    found: list[tuple[Law, dict[str, float], dict[str, str]]] = []
    for name in FLOORS:
        if name in free and name not in partners:
            found.append((law, {name: 0.0}, {}))
    if {"alpha", "beta"} <= set(free) and "beta" not in partners:
        found.append((law, {}, {"beta": "alpha"}))
    if len(law.variables) == 1 and not fit.options.fixed and not fit.options.tied:
        for other in laws.catalogue().values():
            alike = other.variables == law.variables and other.target == law.target
            if alike and other is not law and len(other.parameters) <= len(law.parameters) + 1:
                found.append((other, {}, {}))
    return found


def _aicc(problem: Problem, u: Array) -> float:
    """On the rows of the problem; infinite where they are too few."""
    residual = problem.residuals(u)
    each = pointwise(
        residual, problem.weights, problem.loss.name, np.zeros_like(residual), problem.loss.delta
    )
    made = Candidate(name="", free=len(u), pointwise=each, objective=0.0, nested=False)
    value = made.criteria()[0]
    return value if np.isfinite(value) else np.inf
