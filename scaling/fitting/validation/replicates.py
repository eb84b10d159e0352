"""Lack of fit against replicates: whether the law misses by more than two runs of the same cell differ.

Runs of one cell are replicates only where nothing but their seed differs: a sweep of learning rates at one N
and D is no set of seeds, and the columns that tell its runs apart are named instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from scaling.fitting.result import Fit
from scaling.fitting.uncertainty.estimate import finite
from scaling.fitting.validation.settings import cells_of, listed, settings, split, within


def lack_of_fit(fit: Fit) -> dict[str, Any] | None:
    """F test of the residuals' mean square beyond replicates against that within them. None without rows that
    share a cell.

    Replicates share all variables of the law to one part in a thousand and every setting that is recorded
    (seeds of one cell): see `settings`.
    """
    variables = fit.law.variables
    cells = cells_of([np.asarray(fit.problem.x[name], dtype=np.float64) for name in variables])
    residual = fit.problem.residuals(fit.optimum.u)
    if within(cells, residual)[1] < 1:
        return None
    differ = settings(fit.table, variables, fit.law.target)
    for name in differ:
        cells = split(cells, fit.table.frame[name])
    counts = np.bincount(cells)
    inside, within_freedom = within(cells, residual)
    between_freedom = len(counts) - len(fit.optimum.u)
    out: dict[str, Any] = {
        "replicated_cells": int((counts > 1).sum()),
        "seed_deviation": float(np.sqrt(inside / within_freedom)) if within_freedom else None,
        "scale": fit.problem.loss.scale,
        "degrees_of_freedom": [max(between_freedom, 0), within_freedom],
        "differ_in": differ,
        "F": None,
        "p": None,
    }
    apart = f"rows at equal {' and '.join(variables)} differ in {listed(differ)}" if differ else ""
    if not within_freedom:
        return out | {"words": f"none; {apart}, and their spread is not one of seeds"}
    if between_freedom < 1 or within_freedom < 3 or inside == 0:
        words = f"{within_freedom} degrees of freedom between replicates: too few to test lack of fit"
        return out | {"words": words}
    means = np.bincount(cells, residual) / counts
    ratio = float((counts * means**2).sum() / between_freedom) / (inside / within_freedom)
    p = float(stats.f.sf(ratio, between_freedom, within_freedom))
    verdict = (
        "the law misses by more than seeds differ" if p < 0.05 else "the law fits as well as seeds repeat"
    )
    words = f"{verdict} (F {ratio:.2f}, p {p:.2g}){'; ' + apart if apart else ''}"
    return out | {"F": finite(ratio), "p": finite(p), "words": words}
