"""Fit the laws and restrictions that a fitted law is compared with, and give their log likelihoods."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import optimize, special

from scaling.errors import ScalingError
from scaling.fitting import laws
from scaling.fitting.arrays import Array
from scaling.fitting.estimation.coordinates import build
from scaling.fitting.estimation.determination import determination
from scaling.fitting.estimation.solve import solve
from scaling.fitting.fit import columns_for
from scaling.fitting.progress import tell
from scaling.fitting.result import Fit

NEIGHBOURS = ("power-floor-n", "power-floor-d", "power-floor-c", "kaplan", "kaplan-floor", "coupled")
"""Names of the laws that are fitted for comparison, where the table has their variables."""

ROUNDING = 1e-9
"""Median absolute residual, as a share of the target, below which the residuals are rounding errors."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidate:
    """One law or restriction of a law, fitted to the rows of the fit with its estimator."""

    name: str
    """Name of the law, or restriction in words."""
    free: int
    """Number of free parameters, without the noise scale."""
    pointwise: Array
    """(n,) log likelihood of each row."""
    objective: float
    """Objective at the optimum."""
    nested: bool
    """Whether the candidate is a restriction of the fit's law."""
    size: float = np.inf
    """Median absolute residual, as a share of the target; infinite where unknown."""

    @property
    def exact(self) -> bool:
        """Whether the residuals are rounding errors."""
        return self.size < ROUNDING

    @property
    def likelihood(self) -> float:
        """Log likelihood of all rows."""
        return float(self.pointwise.sum())

    def criteria(self) -> tuple[float, float]:
        """Return AICc and BIC; the noise scale counts as a parameter."""
        n, k = len(self.pointwise), self.free + 1
        correction = 2 * k * (k + 1) / (n - k - 1) if n > k + 1 else np.inf
        return -2 * self.likelihood + 2 * k + correction, -2 * self.likelihood + k * np.log(n)


def pointwise(
    residual: Array, weights: Array, objective: str, log_y: Array, delta: float | None = None
) -> Array:
    """Return the log likelihood (n,) that the objective implies, with its scale by maximum likelihood.

    The density is Gaussian for squares and likelihood, Laplace for absolute deviations, and Huber's own for a
    Huber loss of this δ. `log_y` (n,) is the Jacobian of the logarithm, so that the log and the raw scale are
    comparable; on the raw scale it is zero.
    """
    total = weights.sum()
    if objective in ("squares", "likelihood"):
        variance = max(float((weights * residual**2).sum() / total), 1e-300)
        each = -0.5 * (np.log(2 * np.pi * variance) + residual**2 / variance)
    elif delta is None or objective == "lad":
        width = max(float((weights * np.abs(residual)).sum() / total), 1e-300)
        each = -np.log(2 * width) - np.abs(residual) / width
    else:
        each = _huber(residual, weights / total, delta)
    return np.asarray(weights * (each - log_y))


def _huber(residual: Array, share: Array, delta: float) -> Array:
    """Return the log density (n,) of e^(−ρ_δ(r)/τ) / Z(τ), with τ by maximum likelihood.

    The density is near Gaussian for a large δ and near Laplace for a small one.
    """
    pull = np.clip(residual, -delta, delta)
    rho = pull * (residual - 0.5 * pull)
    mean = max(float(share @ rho), 1e-300)

    def log_z(tau: float) -> float:
        inside = np.sqrt(2 * np.pi * tau) * special.erf(delta / np.sqrt(2 * tau))
        return float(np.log(inside + 2 * tau / delta * np.exp(-(delta**2) / (2 * tau))))

    # Σ ρ/τ lies between n/2 (Gaussian) and n (Laplace), so τ lies between the mean of ρ and twice the mean.
    minimum = optimize.minimize_scalar(
        lambda log_tau: mean * np.exp(-log_tau) + log_z(float(np.exp(log_tau))),
        bounds=(np.log(mean) - 0.1, np.log(2 * mean) + 0.1),
        method="bounded",
        options={"xatol": 1e-12},
    )
    tau = float(np.exp(minimum.x))
    return np.asarray(-rho / tau - log_z(tau))


def candidates(fit: Fit) -> list[Candidate]:
    """Return the fit's law, its restrictions (no floor, equal exponents) and its neighbours, all fitted.

    A candidate whose parameters the rows do not determine is left out.
    """
    problem = fit.problem
    fitted = [
        _candidate(fit, fit.law.name, fit.optimum.theta, len(fit.optimum.u), False, fit.optimum.objective)
    ]
    restrictions: list[tuple[str, dict[str, Any]]] = []
    free = problem.coordinates.names
    if "E" in free and problem.law.parameter("E").zero:
        restrictions.append(("E = 0", {"fixed": {"E": 0.0}}))
    if {"alpha", "beta"} <= set(free):
        restrictions.append(("alpha = beta", {"tied": {"beta": "alpha"}}))
    for words, change in restrictions:
        tell("selection", len(fitted), 8)
        fixed = {**fit.options.fixed, **change.get("fixed", {})}
        tied = {**fit.options.tied, **change.get("tied", {})}
        try:
            coordinates = build(
                problem.law, problem.x, problem.y, fixed=fixed, tied=tied, bounds=fit.options.bounds
            )
            restricted = replace(problem, coordinates=coordinates, starts=8)
            optimum = solve(restricted)
        except ScalingError:
            continue
        if not determination(replace(restricted, loss=optimum.loss), optimum)[1]:
            continue
        fitted.append(
            _candidate(
                fit, f"{fit.law.name} with {words}", optimum.theta, len(optimum.u), True, optimum.objective
            )
        )
    known = laws.catalogue()
    for name in NEIGHBOURS:
        tell("selection", len(fitted), 8)
        law = known.get(name)
        if (
            law is None
            or law is fit.law
            or law.target != fit.law.target
            or fit.options.fixed
            or fit.options.tied
        ):
            continue
        if not set(law.variables) <= set(fit.table.values):
            continue
        x = columns_for(law, fit.table)
        if any(np.ptp(value) == 0 for value in x.values()) or fit.table.n <= len(law.parameters) + 1:
            continue
        try:
            other = replace(problem, law=law, x=x, coordinates=build(law, x, problem.y), starts=12)
            optimum = solve(other)
        except ScalingError:
            continue
        if not determination(replace(other, loss=optimum.loss), optimum)[1]:
            continue
        residual = replace(other, loss=optimum.loss).residuals(optimum.u)
        fitted.append(
            Candidate(
                name=name,
                free=len(optimum.u),
                pointwise=_likelihood(fit, residual),
                objective=optimum.objective,
                nested=False,
                size=_size(fit, residual),
            )
        )
    return fitted


def _candidate(fit: Fit, name: str, theta: Array, free: int, nested: bool, objective: float) -> Candidate:
    predicted = fit.law.predict(theta, fit.problem.x)
    log = fit.problem.loss.scale == "log"
    residual = np.log(predicted / fit.problem.y) if log else predicted - fit.problem.y
    return Candidate(
        name=name,
        free=free,
        pointwise=_likelihood(fit, residual),
        objective=objective,
        nested=nested,
        size=_size(fit, residual),
    )


def _size(fit: Fit, residual: Array) -> float:
    return float(np.median(np.abs(residual / (1.0 if fit.problem.loss.scale == "log" else fit.problem.y))))


def _likelihood(fit: Fit, residual: Array) -> Array:
    log_y = np.log(fit.problem.y) if fit.problem.loss.scale == "log" else np.zeros_like(fit.problem.y)
    loss = fit.problem.loss
    return pointwise(residual, fit.problem.weights, loss.name, log_y, loss.delta)
