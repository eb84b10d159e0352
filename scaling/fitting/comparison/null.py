"""Whether sharing costs more than chance: the joint fit with shared parameters against the one without, held
against what both give on tables simulated from the shared fit.

Twice a difference of log likelihoods is χ² for the estimator whose likelihood it is, and for many rows. For
Huber with a small δ and absolute deviations a χ² or F rejects 7 to 16 % of true nulls at 5 % (two tables of
30 or 60 runs), so the scale of the statistic is simulated: it is divided by its mean over tables drawn from
the shared fit, and held against an F in units of its own mean (a Bartlett correction by bootstrap; Rocke
1989).
`analysis/studies/comparison_size.py` holds the rate of false rejections.
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
    """How residuals of a joint table are drawn anew."""

    group: Integers
    """(n,) the table of each row; residuals are drawn from those of the same table."""
    paired: bool
    """Whether row k of every table is one pair: what one table draws, all draw."""
    clusters: Labels | None
    """(n,) clusters whose residuals keep together; None where every row stands alone."""


def draw(residual: Array, free: int, noises: Noises, resamples: int, seed: int) -> Array:
    """(K, n) new residuals from those of the separate fit, enlarged for its `free` parameters: those of a
    shared one hold what sharing costs, and are no sample of the noise.

    Rows that stand alone are drawn with replacement and smoothed by a kernel of Silverman's width: an
    estimator of the median passes through some rows exactly, and the density of residuals at zero sets its
    precision. Clusters keep their residuals up to a Webb factor.
    """
    n = len(residual)
    grown = residual * np.sqrt(n / max(n - free, 1))
    if noises.clusters is not None:
        return np.asarray(grown * resampling.wild(noises.clusters, resamples, seed))
    rng = np.random.default_rng(seed)
    out = np.empty((resamples, n))
    tables = [np.flatnonzero(noises.group == label) for label in np.unique(noises.group)]
    # One block of paired tables with a column a table, or a block of one column for every table.
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
    """p of the shared model against the separate one, and the mean of the statistic under the shared model.

    `u` (q0,) is the shared optimum, `v` (q1,) the same point in the coordinates of the separate model, `best`
    (q1,) the separate optimum, whose residuals are the noise. The measured table takes the same way as the
    simulated ones: both models refitted from the shared optimum.
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
    # A likelihood is a logarithm already; of the other sums the ratio knows no unit.
    likelihood = shared.loss.name == "likelihood"
    rise = values[0] - values[1] if likelihood else values[0] / values[1] - 1
    spare, left = len(v) - len(u), shared.weights.size - len(v)
    kept = rise[1:][np.isfinite(rise[1:])]
    mean = float(np.maximum(kept, 0.0).mean()) if len(kept) >= resamples // 2 else float("nan")
    # In units of its mean under the shared model: χ² for a likelihood, else F with the rows that are left.
    scaled = max(float(rise[0]), 0.0) / mean
    if likelihood or left < 3:
        return float(stats.chi2.sf(scaled * spare, spare)), mean
    return float(stats.f.sf(scaled * left / (left - 2), spare, left)), mean
