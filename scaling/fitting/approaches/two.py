"""Run approach 2: fit a curve of loss against log size in each budget and a power law through the minima.

Hoffmann et al. 2022, arXiv 2203.15556, section 3.2. The parabola is biased wherever the loss surface is not
symmetric in log size, even without noise (arXiv 2603.22339). `corrected` removes the bias computed from the
fitted surface at the same runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scaling.errors import FitError
from scaling.fitting.approaches.bias import corrected
from scaling.fitting.approaches.budgets import Budget, budgets, compute
from scaling.fitting.approaches.profiles import Lowest, line, lowest, size
from scaling.fitting.arrays import Array
from scaling.fitting.table import Table
from scaling.fitting.uncertainty.estimate import Estimate, finite, percentile


@dataclass(frozen=True, kw_only=True, eq=False)
class Two:
    """Result of approach 2 on one table."""

    curve: str
    """Kind of curve: parabola, robust, cubic or akima."""
    budgets: tuple[dict[str, Any], ...]
    """One row per budget, as in the JSON."""
    a: Estimate
    """N* ∝ C^a."""
    b: Estimate
    """D* ∝ C^b."""
    N_coefficient: float
    """Coefficient of N* = coefficient × C^a; NaN where it overflows a float."""
    D_coefficient: float
    """Coefficient of D* = coefficient × C^b."""
    corrected: dict[str, Any] | None = None
    """a, b and coefficients after subtraction of the curve's bias on the fitted surface."""
    curves: dict[str, float | None] = field(default_factory=dict)
    """Value of a for each kind of curve."""
    warnings: tuple[str, ...] = ()
    """One sentence per problem, such as a budget without a minimum."""

    def at(self, flops: float) -> tuple[float, float]:
        """Return N* and D* at a budget in FLOPs."""
        return self.N_coefficient * flops**self.a.value, self.D_coefficient * flops**self.b.value

    def to_json(self) -> dict[str, Any]:
        """Return plain data as in the fit file."""
        return {
            "curve": self.curve,
            "budgets": list(self.budgets),
            "a": self.a.to_json(),
            "b": self.b.to_json(),
            "N_coefficient": finite(self.N_coefficient),
            "D_coefficient": finite(self.D_coefficient),
            "corrected": self.corrected,
            "curves": self.curves,
            "warnings": list(self.warnings),
        }


@np.errstate(all="ignore")
def approach_two(
    table: Table,
    *,
    curve: str = "parabola",
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
    surface: Callable[[Array, Array], Array] | None = None,
    optimum: Callable[[Array], tuple[Array, Array]] | None = None,
) -> Two:
    """Run approach 2 on N, D and L of a table.

    `surface(N, D)` and `optimum(C)` of a fitted law give the bias correction. Raises FitError for fewer than
    two usable budgets.
    """
    found = budgets(table)
    points = 4 if curve in ("cubic", "akima") else 3
    usable = [b for b in found if len(np.unique(table.values["N"][b.members])) >= points]
    if len(usable) < 2:
        raise FitError(
            f"approach 2 needs two budgets with {points} sizes each; there are {len(found)} budgets, of "
            f"which {len(usable)} have them"
        )
    n, d, loss = table.values["N"], table.values["D"], table.values[target(table)]
    low_n = [lowest(n[b.members], loss[b.members], curve) for b in usable]
    low_d = [lowest(d[b.members], loss[b.members], curve) for b in usable]
    both = list(zip(low_n, low_d, strict=True))
    said = [sentence for b, pair in zip(usable, both, strict=True) for sentence in _words(b, *pair)]
    trusted = np.array([low.inside and other.inside for low, other in both])
    if trusted.sum() < 2:
        raise FitError(
            "approach 2 finds a lowest point in fewer than two budgets inside their sizes and tokens (in "
            f"{int(trusted.sum())} of {len(usable)}); widen the sizes at each budget"
        )
    flops = compute(table)
    wide = [b for b in usable if np.ptp(np.log(flops[b.members])) > np.log(1.15)]
    if wide:
        said.append(
            f"{len(wide)} of {len(usable)} budgets mix runs whose compute differs by more than 15 %: "
            "their curves are distorted"
        )
    log_c = np.log([b.flops for b in usable])
    draws_n = _draws(usable, n, loss, low_n, curve, resamples, seed)
    draws_d = _draws(usable, d, loss, low_d, curve, resamples, seed)
    slope_n, base_n = line(log_c[trusted], np.log([low.at for low in low_n])[trusted])
    slope_d, base_d = line(log_c[trusted], np.log([low.at for low in low_d])[trusted])
    method = f"residual bootstrap within budgets, {resamples} resamples"
    a, b = (
        _interval(float(slope), log_c[trusted], draws, trusted, level, method)
        for slope, draws in ((slope_n, draws_n), (slope_d, draws_d))
    )
    rows = tuple(
        _row(budget, low, other, loss, draws_n, i, level)
        for i, (budget, low, other) in enumerate(zip(usable, low_n, low_d, strict=True))
    )
    removed = None
    if surface is not None and optimum is not None:
        removed = corrected(usable, n, d, surface, optimum, curve, low_n, low_d, trusted, a, b)
    others = {kind: _slope_of(kind, usable, n, loss) for kind in ("parabola", "robust", "cubic", "akima")}
    return Two(
        curve=curve,
        budgets=rows,
        a=a,
        b=b,
        N_coefficient=size(float(base_n)),
        D_coefficient=size(float(base_d)),
        corrected=removed,
        curves=others,
        warnings=tuple(said),
    )


def target(table: Table) -> str:
    """Return the letter of the loss in a table: L unless the table was read for another target."""
    return "L" if "L" in table.values else next(k for k in table.values if k not in ("N", "D", "C"))


def _words(budget: Budget, low: Lowest, other: Lowest) -> list[str]:
    name = f"budget C = {budget.flops:.3g}"
    for found, against, sampled in ((low, "size", "sizes"), (other, "tokens", "tokens")):
        if not found.opens_upwards:
            return [
                f"{name}: the curve of loss against {against} is concave or falls to its end, so it has no "
                "lowest point; left out"
            ]
        if not found.inside:
            return [
                f"{name}: the lowest point lies outside the sampled {sampled} ({found.at:.3g}); left out of "
                "the slope"
            ]
    return []


def _draws(
    usable: list[Budget], x: Array, loss: Array, lows: list[Lowest], curve: str, resamples: int, seed: int
) -> Array | None:
    """Return log positions (K, budgets) of the minimum under simulated noise.

    The noise is normal. Its standard deviation is pooled over budgets and drawn by its degrees of freedom;
    the result is None where there are no degrees of freedom.
    """
    order = {"cubic": 4, "akima": 0}.get(curve, 3)
    parabola = [lowest(x[b.members], loss[b.members]) for b in usable] if curve == "akima" else lows
    spare = sum(max(len(b.members) - (order or 3), 0) for b in usable)
    if spare == 0 or resamples == 0:
        return None
    square = sum(
        float(((loss[b.members] - low.fitted) ** 2).sum()) for b, low in zip(usable, parabola, strict=True)
    )
    rng = np.random.default_rng(seed)
    sigma = np.sqrt(square / spare) * np.sqrt(spare / rng.chisquare(spare, size=resamples))
    out = np.full((resamples, len(usable)), np.nan)
    for j, (budget, low) in enumerate(zip(usable, lows, strict=True)):
        log = np.log(x[budget.members])
        noise = sigma[:, None] * rng.standard_normal((resamples, len(log)))
        losses = low.fitted + noise
        if curve == "parabola":
            z = log - log.mean()
            beta = losses @ np.linalg.pinv(np.vander(z, 3, increasing=True)).T
            with np.errstate(divide="ignore", invalid="ignore"):
                out[:, j] = np.where(beta[:, 2] > 0, -beta[:, 1] / (2 * beta[:, 2]), np.nan) + log.mean()
        else:
            few = min(resamples, 200)
            out[:few, j] = [np.log(lowest(x[budget.members], row, curve).at) for row in losses[:few]]
    return out


def _interval(
    value: float, log_c: Array, draws: Array | None, trusted: Array, level: float, method: str
) -> Estimate:
    if draws is None:
        return Estimate(
            value=value,
            interval=None,
            level=level,
            method="none: no budget has more runs than its curve has coefficients",
        )
    slopes = line(log_c, draws[:, trusted])[0]
    lost = float(np.mean(~np.isfinite(slopes)))
    return percentile(
        value, slopes, level, method + (f", {lost:.0%} without a lowest point" if lost > 0.005 else "")
    )


def _row(
    budget: Budget, low: Lowest, other: Lowest, loss: Array, draws: Array | None, index: int, level: float
) -> dict[str, Any]:
    observed = loss[budget.members]
    total = float(((observed - observed.mean()) ** 2).sum())
    interval = None
    if draws is not None:
        one = draws[:, index]
        one = one[np.isfinite(one)]
        if len(one) >= 20:
            interval = [finite(size(q)) for q in np.quantile(one, [(1 - level) / 2, (1 + level) / 2])]
    return {
        "C": budget.flops,
        "n": len(budget.members),
        "N_opt": finite(low.at),
        "N_interval": interval,
        "D_opt": finite(other.at),
        "loss_min": finite(low.loss),
        "r2": finite(1 - float(((observed - low.fitted) ** 2).sum()) / total) if total > 0 else None,
        "opens_upwards": low.opens_upwards,
        "inside": low.inside,
        "D_inside": other.inside,
        "coefficients": [finite(c) for c in low.coefficients],
    }


def _slope_of(kind: str, usable: list[Budget], x: Array, loss: Array) -> float | None:
    points = 4 if kind in ("cubic", "akima") else 3
    kept = [b for b in usable if len(np.unique(x[b.members])) >= points]
    lows = [lowest(x[b.members], loss[b.members], kind) for b in kept]
    good = [(b.flops, low.at) for b, low in zip(kept, lows, strict=True) if low.inside]
    if len(good) < 2:
        return None
    pairs = np.log(np.array(good))
    return float(line(pairs[:, 0], pairs[:, 1])[0])
