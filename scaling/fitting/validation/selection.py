"""Compare a law with its restrictions and its neighbours: AICc, BIC, nested tests and Vuong's test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import stats

from scaling.fitting.result import Fit
from scaling.fitting.uncertainty.estimate import finite
from scaling.fitting.validation.candidates import Candidate, candidates


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
