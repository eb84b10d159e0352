"""Compare a law with its restrictions and its neighbours: AICc, BIC, nested tests and Vuong's test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import optimize, special, stats

from scaling.errors import ScalingError
from scaling.fitting import laws
from scaling.fitting.arrays import Array
from scaling.fitting.estimation.coordinates import build
from scaling.fitting.estimation.determination import determination
from scaling.fitting.estimation.solve import solve
from scaling.fitting.fit import columns_for
from scaling.fitting.progress import tell
from scaling.fitting.result import Fit
from scaling.fitting.uncertainty.estimate import finite

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


def vuong(a: Candidate, b: Candidate) -> tuple[float, float]:
    """Return Vuong's z with Schwarz's correction, and its two-sided p. A positive z favours a.

    Source: Vuong 1989, Econometrica 57.
    """
    difference = a.pointwise - b.pointwise
    n = len(difference)
    corrected = difference.sum() - 0.5 * (a.free - b.free) * np.log(n)
    spread = np.sqrt(n) * difference.std()
    if spread <= 1e-6 * n or (a.exact and b.exact):
        # The two candidates agree to rounding, so neither is favoured.
        return 0.0, 1.0
    z = float(corrected / spread)
    return z, float(2 * stats.norm.sf(abs(z)))


@np.errstate(all="ignore")
def selection(fit: Fit) -> dict[str, Any]:
    """Return every candidate with AICc, BIC, AICc above the lowest, and a test against the fit's law.

    The test is a nested test for a restriction and Vuong's test for a neighbour.
    """
    fitted = candidates(fit)
    asked = fitted[0]
    lowest = min(candidate.criteria()[0] for candidate in fitted)
    rows = []
    for candidate in fitted:
        aicc, bic = candidate.criteria()
        row: dict[str, Any] = {
            "law": candidate.name,
            "free_parameters": candidate.free,
            "objective": finite(candidate.objective),
            "aicc": finite(aicc),
            "bic": finite(bic),
            "delta_aicc": finite(np.round(aicc - lowest, 6)),
        }
        if candidate.nested:
            row["test"] = _test(asked, candidate, fit.problem.loss.name)
        elif candidate is not asked:
            z, p = vuong(asked, candidate)
            row["vuong"] = {
                "z": finite(z),
                "p": finite(p),
                "favours": asked.name if z > 0 else candidate.name,
            }
        rows.append(row)
    # AICc is rounded, so that the first of several equal candidates is the best on every machine.
    best = min(fitted, key=lambda candidate: np.round(candidate.criteria()[0], 6))
    refused = rejected({row["law"]: row["test"]["p"] for row in rows if "test" in row})
    return {
        "candidates": rows,
        "best_by_aicc": None if best.exact else best.name,
        "words": _verdict(fitted, best, refused, fit.certificate.settled),
    }


def lead(best: Candidate, other: Candidate) -> tuple[float, float]:
    """Return the AICc of another candidate minus that of the best, and the standard deviation of this gap.

    The gap is a sum over rows. Its standard deviation follows from the spread of the rows (Vuong 1989).
    """
    gap = other.criteria()[0] - best.criteria()[0]
    difference = best.pointwise - other.pointwise
    return float(gap), float(2 * np.sqrt(len(difference)) * difference.std())


def _test(asked: Candidate, restricted: Candidate, objective: str) -> dict[str, Any]:
    """Test a restriction: by an F test for least squares, by a likelihood ratio for other objectives."""
    lost = max(2 * (asked.likelihood - restricted.likelihood), 0.0)
    spare, n = asked.free - restricted.free, len(asked.pointwise)
    if objective != "squares":
        return {"kind": "likelihood ratio", "statistic": lost, "p": float(stats.chi2.sf(lost, spare))}
    ratio = float(np.expm1(lost / n) * (n - asked.free) / spare)
    return {"kind": "F", "statistic": ratio, "p": float(stats.f.sf(ratio, spare, n - asked.free))}


def rejected(p: Mapping[str, float]) -> set[str]:
    """Return the names of the hypotheses that Holm's method rejects at a family-wise level of 5 %.

    p: p value by name. Source: Holm 1979, Scandinavian Journal of Statistics 6, 65.
    """
    out: set[str] = set()
    for k, name in enumerate(sorted(p, key=lambda name: p[name])):
        if not p[name] * (len(p) - k) < 0.05:
            break
        out.add(name)
    return out


def _tied(best: Candidate, other: Candidate, asked: Candidate, refused: set[str]) -> bool:
    """Return whether the rows do not distinguish the best candidate from another.

    Where the best is the fit's law or a restriction of it, the test of the other restriction decides. Else
    the gap in AICc must exceed twice its standard deviation.
    """
    if (best is asked or best.nested) and other.nested:
        return other.name not in refused
    if best.nested and other is asked:
        return True  # A test can reject a restriction, but it cannot confirm one.
    gap, noise = lead(best, other)
    return not gap > 2 * max(noise, 1.0)


def _verdict(fitted: list[Candidate], best: Candidate, refused: set[str], settled: bool) -> str:
    """Return the verdict in one sentence.

    It names a law as best only where the law wins by more than twice the noise of the gap, and over a
    restriction only where the restriction is among the `refused`.
    """
    asked = fitted[0]
    exact = " and ".join(candidate.name for candidate in fitted if candidate.exact)
    if exact:
        return f"no law is named: the rows lie on {exact} to rounding, and no noise tells laws apart"
    if not settled:
        return f"no law is named: {asked.name} itself is not determined by these rows"
    if len(fitted) == 1:
        return f"no other law could be fitted beside {asked.name}"
    if not np.isfinite(best.criteria()[0]):
        return "there are too few rows to tell laws apart"
    if not np.isfinite(asked.criteria()[0]):
        rest = f"of the others {best.name} has the lowest AICc"
        return f"for {asked.name} itself there are too few rows; {rest}"
    close = [other.name for other in fitted if other is not best and _tied(best, other, asked, refused)]
    if not close:
        nested = " and ".join(other.name for other in fitted if best is asked and other.nested)
        rest = f"; the tests reject {nested} at 5 % (Holm)" if nested else ""
        return f"{best.name} has the lowest AICc, by more than its noise{rest}"
    if best is asked or asked.name in close:
        others = [name for name in (best.name, *close) if name != asked.name]
        return f"{asked.name} is not told apart from {', '.join(others)} by AICc"
    gap, noise = lead(best, asked)
    return (
        f"{best.name} has a lower AICc than {asked.name}, by {gap:.3g} ± {noise:.2g}; it is not told apart "
        f"from {', '.join(close)}"
    )
