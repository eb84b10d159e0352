"""Compare parameters and exponents of several fits: differences with interval and p-value from bootstrap
draws, which are paired where the runs are paired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from scaling.errors import FitError
from scaling.fitting.arrays import Array
from scaling.fitting.result import Fit
from scaling.fitting.uncertainty.estimate import Estimate, finite, percentile, undetermined


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The difference between one fit's quantity and the baseline's."""

    estimate: Estimate
    """The fit's value minus the baseline's."""
    p: float
    """Two-sided p-value; NaN where none can be computed."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return self.estimate.to_json() | {"p": finite(self.p)}


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """One parameter or derived quantity of all fits."""

    name: str
    """Name in the law."""
    estimates: Mapping[str, Estimate]
    """Estimate of every table, by label."""
    differences: Mapping[str, Difference]
    """Difference of every later table to the first, by label."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "name": self.name,
            "estimates": {label: value.to_json() for label, value in self.estimates.items()},
            "differences": {label: value.to_json() for label, value in self.differences.items()},
        }


def quantities(fit: Fit) -> dict[str, tuple[float, Array]]:
    """Return value and draws (K,) of every parameter and derived quantity.

    Raises FitError for a fit without bootstrap.
    """
    if fit.draws is None:
        raise FitError('a comparison needs bootstrap draws; fit again with bootstrap="pairs"')
    out: dict[str, tuple[float, Array]] = {}
    with np.errstate(all="ignore"):
        for index, name in enumerate(fit.law.names):
            out[name] = float(fit.theta[index]), fit.draws.theta[:, index]
        for name, function in fit.law.derived.items():
            drawn = np.asarray(function(fit.law.values(fit.draws.theta)), dtype=np.float64).reshape(-1)
            out[name] = float(np.squeeze(function(fit.law.values(fit.theta)))), drawn
    return out


def difference(
    one: tuple[float, Array], two: tuple[float, Array], *, spare: int | None, level: float, method: str
) -> tuple[Estimate, float]:
    """Return two − one with interval and two-sided p-value; neither where all draws are equal.

    The statistic is the difference over its bootstrap standard error. Its distribution is normal, or
    Student's t with `spare` degrees of freedom where clusters or residuals were drawn. Percentile p-values
    cannot go below 1/K; a smaller p is extrapolated along the tail of the distribution named in `method`.
    """
    value, drawn = two[0] - one[0], two[1] - one[1]
    kept = drawn[np.isfinite(drawn)]
    interval = percentile(value, drawn, level, method, spare=spare, size=abs(one[0]))
    if interval.interval is None:
        return interval, float("nan")
    tail = "a normal" if spare is None else f"Student's t, {max(spare, 1)} degrees of freedom"
    interval = replace(interval, method=f"{interval.method}; p by the tail of {tail}")
    # The standard error is from the middle 68 % of the draws, because a few extreme resamples must not hide a
    # difference.
    low, high = np.quantile(kept, [0.1587, 0.8413]) if len(kept) > 20 else (np.nan, np.nan)
    deviation = float((high - low) / 2)
    if not deviation > 0:
        return interval, float("nan")
    z = abs(value) / deviation
    return interval, float(2 * (stats.norm.sf(z) if spare is None else stats.t.sf(z, max(spare, 1))))


def exponents(fits: Sequence[Fit], labels: Sequence[str], pairs: str | None) -> list[Quantity]:
    """Return one row per quantity: each fit's estimate and the difference of every later fit to the first."""
    known = [quantities(fit) for fit in fits]
    rows: list[Quantity] = []
    for name in known[0]:
        if any(name not in k for k in known):
            continue
        estimates: dict[str, Estimate] = {}
        differences: dict[str, Difference] = {}
        for fit, label in zip(fits, labels, strict=True):
            source = fit.parameters if name in fit.law.names else fit.derived
            estimates[label] = source[name]
        for fit, label, other in zip(fits[1:], labels[1:], known[1:], strict=True):
            level = fits[0].options.level
            assert fit.draws is not None
            method = f"{'paired ' if pairs else 'independent '}draws of the {fit.draws.method}"
            spares = [
                f.draws.spare for f in (fits[0], fit) if f.draws is not None and f.draws.spare is not None
            ]
            count = min(len(known[0][name][1]), len(other[name][1]))
            if not all(np.isfinite(estimates[one].value) for one in (labels[0], label)):
                open_ = undetermined("one of the two is", level)
                differences[label] = Difference(estimate=open_, p=float("nan"))
                continue
            estimate, p = difference(
                (known[0][name][0], known[0][name][1][:count]),
                (other[name][0], other[name][1][:count]),
                spare=min(spares) if spares else None,
                level=level,
                method=method,
            )
            differences[label] = Difference(estimate=estimate, p=p)
        rows.append(Quantity(name=name, estimates=estimates, differences=differences))
    return rows
