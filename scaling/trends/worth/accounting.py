"""Account for the growth of a product by the growth of its factors and a residual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scaling.errors import TableError
from scaling.trends.growth.intervals import weighted_slopes
from scaling.trends.growth.rate import check_level


@dataclass(frozen=True, kw_only=True)
class Part:
    """One factor's part in the growth of the product."""

    name: str
    """Name of the factor, or `residual`."""
    slope: float
    """Growth of the factor, orders of magnitude per year."""
    slope_interval: tuple[float, float]
    """Interval of that growth."""
    share: float
    """Share of the product's growth; all shares with the residual add up to 1."""
    share_interval: tuple[float, float]
    """Interval of the share."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """The growth of a product, split among its factors."""

    product: str
    """Name of the product."""
    slope: float
    """Growth of the product, orders of magnitude per year."""
    slope_interval: tuple[float, float]
    """Interval of that growth."""
    parts: tuple[Part, ...]
    """Parts of the factors, then of the residual."""
    n: int
    """Number of rows with every factor."""
    window: tuple[float, float]
    """First and last date, decimal years."""
    level: float
    """Level of all intervals."""
    method: str
    """Method of the intervals."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        low, high = self.slope_interval
        return {
            "product": self.product,
            "verdict": "no trend" if low <= 0 <= high else "grows" if low > 0 else "falls",
            "times_per_year": None if low <= 0 <= high else 10**self.slope,
            "times_per_year_interval": [10**low, 10**high],
            "n": self.n,
            "window": list(self.window),
            "level": self.level,
            "method": self.method,
            "parts": [
                {
                    "factor": p.name,
                    "times_per_year": 10**p.slope if p.slope_interval[0] * p.slope_interval[1] > 0 else None,
                    "times_per_year_interval": [10 ** p.slope_interval[0], 10 ** p.slope_interval[1]],
                    "share": p.share,
                    "share_interval": list(p.share_interval),
                }
                for p in self.parts
            ],
        }


def account(
    product: str,
    year: np.ndarray,
    value: np.ndarray,
    factors: dict[str, np.ndarray],
    *,
    group: np.ndarray | None = None,
    level: float = 0.9,
    draws: int = 2000,
    seed: int = 0,
) -> Account:
    """Split the growth of `value` among `factors`, on the rows that have all of them.

    year: decimal years; value, factors: above 0; group: clusters for the resampling; all [n]. A least-squares
    slope is linear in the outcome, so the slopes of the log factors and of the residual add up exactly to the
    slope of the log product. The residual holds what the factors do not explain, such as utilisation,
    sparsity and errors of units. Rows or whole groups are resampled, so shares add up to 1 in every
    draw. Raises `TableError` with fewer than five complete rows or a single date.
    """
    check_level(level)
    table = np.column_stack([value, *factors.values()]).astype(float)
    complete = np.isfinite(table).all(1) & (table > 0).all(1) & np.isfinite(year)
    if complete.sum() < 5 or np.ptp(np.asarray(year)[complete]) == 0:
        raise TableError(
            f"{int(complete.sum())} rows have {product} and all of {', '.join(factors)}; accounting needs at "
            "least 5 at two dates"
        )
    t, logs = np.asarray(year, float)[complete], np.log10(table[complete])
    rest = logs[:, 0] - logs[:, 1:].sum(1)
    columns = [logs[:, 0], *logs[:, 1:].T, rest]
    rng = np.random.default_rng(seed)
    n = len(t)
    if group is None:
        weights = rng.multinomial(n, np.full(n, 1 / n), size=draws).astype(float)
        method = f"case bootstrap, {draws} draws"
    else:
        codes = np.unique(np.asarray(group)[complete].astype(str), return_inverse=True)[1]
        count = codes.max() + 1
        weights = rng.multinomial(count, np.full(count, 1 / count), size=draws)[:, codes].astype(float)
        method = f"cluster bootstrap, {draws} draws"
    ends = [(1 - level) / 2, (1 + level) / 2]

    def interval(x: np.ndarray) -> tuple[float, float]:
        low, high = np.quantile(x[np.isfinite(x)], ends)
        return float(low), float(high)

    points = [float(weighted_slopes(t, c, np.ones((1, n)))[0]) for c in columns]
    boots = [weighted_slopes(t, c, weights) for c in columns]
    parts = []
    for name, point, boot in zip([*factors, "residual"], points[1:], boots[1:], strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            share = boot / boots[0]
        parts.append(
            Part(
                name=name,
                slope=point,
                slope_interval=interval(boot),
                share=point / points[0],
                share_interval=interval(share),
            )
        )
    return Account(
        product=product,
        slope=points[0],
        slope_interval=interval(boots[0]),
        parts=tuple(parts),
        n=n,
        window=(float(t.min()), float(t.max())),
        level=level,
        method=method,
    )
