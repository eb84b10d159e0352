"""Certify that a fit is the optimum and report how well the data determine it: basins, gradient,
definiteness, ridge, bounds, units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scaling.fitting.arrays import Array
from scaling.fitting.estimation.coordinates import build
from scaling.fitting.estimation.determination import ROUNDING, at_bound, determination, reached
from scaling.fitting.estimation.problem import Problem
from scaling.fitting.estimation.solve import Basin, Optimum, refit


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """The evidence."""

    basins: tuple[Basin, ...]
    """Local optima, best first."""
    starts: int
    """Number of random starts."""
    reached: int
    """Number of starts that ended at the best optimum."""
    gradient: float
    """Largest scaled gradient along a free coordinate: g / √(curvature × objective), without unit. Half its
    square is the share of the objective that a Newton step along that coordinate would gain."""
    definite: bool
    """Whether the Hessian is positive definite: the point is a strict local minimum."""
    condition: float
    """Condition number of the Hessian in search coordinates scaled to unit diagonal."""
    ridge: str
    """Description of the least determined direction."""
    at_bounds: tuple[str, ...]
    """Parameters at a bound, zero included."""
    undetermined: Mapping[str, str]
    """Reason by name for each parameter that the data do not determine. A floor or an amplitude at zero is
    determined; the exponent of a term at zero is not."""
    settled: bool
    """Whether predictions are determined: no flat direction, no second optimum within rounding, and more than
    one start at the best optimum. Otherwise results depend on rounding errors."""
    rescaling: float | None
    """Largest relative change of predictions when N, D (all variables with a centre) and the target change
    units."""
    names: tuple[str, ...]
    """Names of the free coordinates."""

    @property
    def steepness(self) -> str:
        """Return the gradient as text."""
        return f"gradient below {STEEP:g}" if self.gradient < STEEP else f"gradient {self.gradient:.1e}"

    @property
    def ok(self) -> bool:
        """Return whether the optimum is reached, strict, inside its bounds and the same in other units."""
        same = self.rescaling is None or self.rescaling < 1e-8
        return self.definite and self.settled and not self.at_bounds and same

    def to_json(self, law: tuple[str, ...]) -> dict[str, Any]:
        """Return plain data; `law` (P,) holds the parameter names. Undetermined parameters become null."""
        known = [name not in self.undetermined for name in law]
        return {
            "ok": self.ok,
            "basins": [
                {
                    "objective": float(b.objective),
                    "starts": b.starts,
                    "parameters": [float(v) if k else None for v, k in zip(b.theta, known, strict=True)],
                }
                for b in self.basins[:8]
            ],
            "basins_found": len(self.basins),
            "starts": self.starts,
            "starts_reaching_best": self.reached,
            "gradient_norm": max(self.gradient, STEEP),
            "hessian_positive_definite": self.definite,
            "condition_number": self.condition if np.isfinite(self.condition) else None,
            "ridge": self.ridge,
            "at_bounds": list(self.at_bounds),
            "undetermined": dict(self.undetermined),
            "settled": self.settled,
            "rescaling_change": None if self.rescaling is None else max(self.rescaling, ROUNDING),
        }


@np.errstate(all="ignore")
def certify(problem: Problem, optimum: Optimum) -> Certificate:
    """Return the certificate of an optimum."""
    gradient, hessian, value = _derivatives(problem, optimum.u)
    steep = np.sqrt(np.maximum(np.abs(np.diagonal(hessian) * value), 1e-300))
    free = ~at_bound(problem, optimum.u)
    eigenvalues, _ = _scaled(hessian[np.ix_(free, free)])
    lowest, highest = (eigenvalues[0], eigenvalues[-1]) if len(eigenvalues) else (1.0, 1.0)
    condition = float(highest / lowest) if lowest > 0 else float("inf")
    at_bounds = tuple(np.array(problem.coordinates.names)[~free].tolist())
    undetermined, settled = determination(problem, optimum)
    return Certificate(
        basins=optimum.basins,
        starts=optimum.starts,
        reached=reached(problem, optimum),
        gradient=float((np.abs(gradient[free]) / steep[free]).max(initial=0.0)),
        definite=bool(lowest > 1e-12),
        condition=condition,
        ridge=_ridge(problem, optimum.u, hessian, condition, at_bounds),
        at_bounds=at_bounds,
        undetermined=undetermined,
        settled=settled,
        rescaling=_rescaling(problem, optimum),
        names=problem.coordinates.names,
    )


STEEP = 1e-7
"""Scaled gradient below which a point is flat to rounding."""


def _derivatives(problem: Problem, u: Array) -> tuple[Array, Array, float]:
    """Return the gradient (q,), the Hessian (q, q) and the value of the objective, LAD slightly smoothed."""
    smooth = problem.loss.final_delta
    if problem.loss.name == "lad":
        smooth = max(1e-4 * float(np.median(np.abs(problem.residuals(u)))), 1e-9)
    loss = replace(problem.loss, name="squares") if problem.loss.name == "likelihood" else problem.loss
    objective = problem.objective(problem.weights[None], loss)
    value, gradient, hessian, _ = objective.evaluate(u[None], np.zeros(1, dtype=np.int64), smooth, True)
    return gradient[0], hessian[0], float(value[0])


def _scaled(hessian: Array) -> tuple[Array, Array]:
    """Return eigenvalues and eigenvectors of a Hessian scaled to unit diagonal."""
    diagonal = np.sqrt(np.maximum(np.diagonal(hessian), 1e-300))
    inside = hessian / np.outer(diagonal, diagonal)
    values, vectors = np.linalg.eigh(np.where(np.isfinite(inside), inside, 0.0))
    return values, vectors


def _ridge(problem: Problem, u: Array, hessian: Array, condition: float, at_bounds: tuple[str, ...]) -> str:
    """Describe which parameters of the law are correlated along the flat directions of the objective.

    Parameters at a bound are held there.
    """
    c = problem.coordinates
    free = [i for i, name in enumerate(c.names) if name not in at_bounds]
    names = [c.names[i] for i in free]
    if len(names) < 2:
        return f"{names[0] if names else 'no parameter'} is the only free parameter"
    strength = "weak" if condition < 30 else "marked" if condition < 1000 else "severe"
    spread = c.slopes(u)[np.ix_([problem.law.names.index(name) for name in names], free)]
    covariance = spread @ _inverse(hessian[np.ix_(free, free)]) @ spread.T
    deviation = np.sqrt(np.maximum(np.diagonal(covariance), 1e-300))
    correlation = covariance / np.outer(deviation, deviation)
    pairs = [(i, j) for i in range(len(names)) for j in range(i) if abs(correlation[i, j]) >= 0.9]
    pairs.sort(key=lambda p: -abs(correlation[p]))
    if not pairs:
        return f"{strength} ridge (condition {condition:.3g}): no two parameters are correlated beyond 0.9"
    trades = "; ".join(
        f"{names[j]} and {names[i]} trade off ({correlation[i, j]:+.4f})" for i, j in pairs[:3]
    )
    return f"{strength} ridge (condition {condition:.3g}): {trades}"


def _inverse(hessian: Array) -> Array:
    """Return the inverse of a Hessian, without negative variances where it is indefinite by rounding."""
    diagonal = np.sqrt(np.maximum(np.diagonal(hessian), 1e-300))
    values, vectors = np.linalg.eigh(hessian / np.outer(diagonal, diagonal))
    inverse = (vectors / np.maximum(values, 1e-12 * values[-1])) @ vectors.T
    return np.asarray(inverse / np.outer(diagonal, diagonal))


def _rescaling(problem: Problem, optimum: Optimum) -> float | None:
    """Return the largest relative change of predictions after a refit in other units; None for laws whose
    variables have no free unit."""
    centred = {variable for p in problem.law.parameters for variable, _, _ in p.centre}
    if not centred or problem.coordinates.offset.any() or problem.loss.name == "likelihood":
        return None
    if any(variable not in centred for variable in problem.law.variables):
        return None
    factors = {name: 10.0 ** (3 + 2 * i) for i, name in enumerate(sorted(centred))}
    x = {name: np.asarray(value) / factors.get(name, 1.0) for name, value in problem.x.items()}
    factor = 1.0
    y = problem.y
    if problem.loss.scale == "log" and all(
        p.unit == "target" or not p.positive for p in problem.law.parameters
    ):
        factor, y = 1 / np.log(2), problem.y / np.log(2)
    coordinates = build(problem.law, x, y)
    if (coordinates.shift != 0).tolist() != (problem.coordinates.shift != 0).tolist():
        return None  # a bound on an amplitude would change with the units
    if coordinates.names != problem.coordinates.names or (coordinates.free != problem.coordinates.free).any():
        return None
    other = replace(problem, x=x, y=y, coordinates=coordinates)
    # The refit starts away from the optimum, so that agreement is a result and not the start itself.
    targets = [
        problem.law.parameter(name).unit == "target" and bool(coordinates.log[problem.law.names.index(name)])
        for name in coordinates.names
    ]
    start = optimum.u + np.where(targets, np.log(factor), 0.0)
    end = refit(other, problem.weights[None], start + 1e-3)
    again = problem.law.predict(coordinates.natural(end.u[0]), x) / factor
    before = problem.law.predict(optimum.theta, problem.x)
    return float(np.max(np.abs(again / before - 1)))
