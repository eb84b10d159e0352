"""Test a joint fit with shared parameters against one with separate parameters, by simulation.

Twice the difference of log likelihoods follows χ² only for the estimator of that likelihood and for many
rows. For absolute deviations and Huber with a small δ, a χ² or F test at 5 % rejects 7 to 16 % of true nulls
(two tables of 30 or 60 runs). The scale of the statistic is therefore simulated: the statistic is divided by
its mean over tables drawn from the shared fit and compared with an F distribution divided by its mean (a
bootstrap Bartlett correction; Rocke 1989). `analysis/studies/comparison_size.py` measures the rate of false
rejections.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from scaling.fitting.arrays import Array, Integers
from scaling.fitting.estimation.likelihood import Noise
from scaling.fitting.estimation.losses import robust_scale
from scaling.fitting.estimation.problem import Problem
from scaling.fitting.estimation.solve import refit
from scaling.fitting.uncertainty import resampling
from scaling.fitting.uncertainty.resampling import Labels


@dataclass(frozen=True, kw_only=True, eq=False)
class Noises:
    """The scheme by which residuals of a joint table are resampled."""

    group: Integers
    """(n,) table number of each row; residuals are drawn within a table."""
    paired: bool
    """Whether row k of every table forms one pair; paired tables draw the same rows."""
    clusters: Labels | None
    """(n,) cluster of each row, whose residuals are drawn together; None for independent rows."""


def draw(residual: Array, free: int, noises: Noises, resamples: int, seed: int) -> Array:
    """Return new residuals (K, n) drawn from those of the separate fit, enlarged for its `free` parameters.

    Residuals of the shared fit contain the misfit of sharing and are therefore no sample of the noise.
    Independent rows are drawn with replacement and smoothed by a kernel of Silverman's width, because a
    median estimator passes through some rows exactly and its precision depends on the density of residuals
    at zero. The residuals of a cluster are multiplied by one Webb factor.
    """
    n = len(residual)
    grown = residual * np.sqrt(n / max(n - free, 1))
    if noises.clusters is not None:
        return np.asarray(grown * resampling.wild(noises.clusters, resamples, seed))
    rng = np.random.default_rng(seed)
    out = np.empty((resamples, n))
    tables = [np.flatnonzero(noises.group == label) for label in np.unique(noises.group)]
    # One block with a column per table where tables are paired; else one block of one column per table.
    for block in [np.column_stack(tables)] if noises.paired else [rows[:, None] for rows in tables]:
        own = grown[block]
        size, columns = own.shape
        chosen = rng.integers(0, size, (resamples, size))
        spread = np.array([robust_scale(column) for column in own.T])
        # The kernel keeps the correlation of paired residuals.
        root = np.linalg.cholesky(np.corrcoef(own.T).reshape(columns, columns) + 1e-9 * np.eye(columns))
        width = 1.06 * size**-0.2
        kernel = width * rng.standard_normal((resamples, size, columns)) @ root.T * spread
        # Shrunk so that the kernel adds no variance (Silverman & Young 1987).
        out[:, block] = (own[chosen] + kernel) / np.sqrt(1 + width**2)
    return out


@np.errstate(all="ignore")
def p_value(
    shared: Problem,
    u: Array,
    separate: Problem,
    v: Array,
    best: Array,
    noises: Noises,
    *,
    resamples: int = 100,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the p-value of the shared model against the separate one, and the statistic's mean under the
    shared model.

    `u` (q0,) is the shared optimum, `v` (q1,) the same point in the coordinates of the separate model, `best`
    (q1,) the separate optimum, whose residuals give the noise. On the measured table, as on the simulated
    ones, both models are refitted from the shared optimum.
    """
    residual = separate.residuals(best)
    predicted = shared.law.predict(shared.coordinates.natural(u), shared.x)
    sigma = np.ones_like(residual)
    if shared.loss.name == "likelihood":
        sigma = Noise.of(shared.x).fit(residual[None], shared.weights[None])[0][0]
    drawn = sigma * draw(residual / sigma, len(v), noises, resamples, seed)
    y = predicted * np.exp(-drawn) if shared.loss.scale == "log" else predicted - drawn
    y = np.vstack([shared.y, y])
    weights = np.tile(shared.weights, (len(y), 1))
    values = []
    for problem, start in ((shared, u), (separate, v)):
        there = replace(problem, y=y)
        values.append(there.value(refit(there, weights, start).u, weights))
    # A likelihood is a logarithm already; for the other sums the log of their ratio is free of units.
    likelihood = shared.loss.name == "likelihood"
    rise = values[0] - values[1] if likelihood else values[0] / values[1] - 1
    spare, left = len(v) - len(u), shared.weights.size - len(v)
    kept = rise[1:][np.isfinite(rise[1:])]
    mean = float(np.maximum(kept, 0.0).mean()) if len(kept) >= resamples // 2 else float("nan")
    # In units of its mean under the shared model: χ² for a likelihood, else F with the residual degrees of
    # freedom.
    scaled = max(float(rise[0]), 0.0) / mean
    if likelihood or left < 3:
        return float(stats.chi2.sf(scaled * spare, spare)), mean
    return float(stats.f.sf(scaled * left / (left - 2), spare, left)), mean
