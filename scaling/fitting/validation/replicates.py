"""Test a law for lack of fit against replicates.

The test asks whether the residuals of the law are larger than the differences between runs of one cell. Runs
of one cell are replicates only where they differ in nothing but the seed. A sweep of learning rates at one N
and D has no replicates; the columns in which its runs differ are reported instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from scaling.fitting.result import Fit
from scaling.fitting.uncertainty.estimate import finite
from scaling.fitting.validation.settings import cells_of, listed, settings, split, within


def lack_of_fit(fit: Fit) -> dict[str, Any] | None:
    """Test the mean square of the residuals between cells against that within cells (F test).

    The rows of one cell share all variables of the law to one part in a thousand, and every recorded setting
    (see `settings`). Returns None where no two rows share the variables.
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
