"""Estimate Huber's δ from the data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scaling.fitting.arrays import Array
from scaling.fitting.estimation.descent import FEW_ROWS, descend, stages
from scaling.fitting.estimation.losses import robust_scale
from scaling.fitting.estimation.problem import Problem
from scaling.fitting.estimation.starts import shaken


def own_delta(problem: Problem, u: Array) -> tuple[float, Array]:
    """Return Huber's δ and the optimum (q,) of absolute deviations whose residuals give it.

    δ is 1.345 robust standard deviations of the residuals, at which Huber's estimate is 95 % efficient for
    normal noise (Huber 1981). A fit by absolute deviations passes through about as many points as there are
    parameters; the robust deviation is the median of the other absolute residuals over .6745 (Maronna, Martin
    & Yohai 2006, section 4.4.2). Among several optima the one with the smallest deviation is taken, so that
    outliers that shift the least squares optima u (b, q) do not widen δ.
    """
    spread = robust_scale(problem.residuals(u[0]))
    if len(problem.y) < FEW_ROWS:
        # With few rows one outlier can attract all starts; some resampled tables do not contain it, and
        # most rows lie close to their fits.
        freed = shaken(problem, problem.coordinates.starts(24, problem.seed), np.inf, count=24)
        close = np.median(np.abs(problem.residuals(freed)), axis=-1)
        u = np.vstack([u, freed[np.argsort(close, kind="stable")[:3]]])
    rows = np.zeros(len(u), dtype=np.int64)
    while True:
        narrow = replace(problem.loss, name="huber", delta=0.05 * spread)
        objective = problem.objective(problem.weights[None], narrow)
        u = descend(objective, u, rows, stages(narrow, spread), spread).u
        sizes = np.sort(np.abs(problem.residuals(u)), axis=-1)[:, u.shape[1] :]
        scales = np.median(sizes, axis=-1) / 0.6745 if sizes.size else np.zeros(len(u))
        scales = np.where(np.isfinite(scales), scales, np.inf)
        best, found = u[np.argmin(scales)], float(scales.min())
        if found > 0.5 * spread or spread < 1e-9:
            break
        spread = max(found, 0.01 * spread)
    least = 1e-7 * (1.0 if problem.loss.scale == "log" else float(np.median(np.abs(problem.y))))
    # δ is rounded to the three printed digits, so that the printed value, given as delta, repeats the fit.
    return float(f"{max(1.345 * found, least):.3g}"), best
