"""Measure the influence of single sizes and rows on a fit, and list its outliers."""

from __future__ import annotations

from typing import Any

import numpy as np

from scaling.fitting.estimation.losses import robust_scale
from scaling.fitting.progress import tell
from scaling.fitting.result import Fit
from scaling.fitting.uncertainty.estimate import finite
from scaling.fitting.validation.refits import errors, without


@np.errstate(all="ignore")
def leave_one_size_out(fit: Fit, *, most: int = 40) -> list[dict[str, Any]] | None:
    """Return, for each size, the parameters fitted without it and their error at that size.

    Sizes are the distinct values of N, or of the law's first variable where the law has no N. More than
    `most` sizes are merged into `most` groups of neighbours. Returns None for fewer than four sizes.
    """
    tell("left-out sizes")
    name = "N" if "N" in fit.problem.x else fit.law.variables[0]
    sizes = np.asarray(fit.problem.x[name], dtype=np.float64)
    distinct = np.unique(sizes)
    if len(distinct) < 4:
        return None
    parts = (
        [np.array([value]) for value in distinct] if len(distinct) <= most else np.array_split(distinct, most)
    )
    groups = [np.isin(sizes, part) for part in parts]
    thetas = without(fit, groups)
    rows = []
    for part, group, theta in zip(parts, groups, thetas, strict=True):
        error = errors(fit, theta, group)
        rows.append(
            {
                name: float(np.exp(np.log(part).mean())),
                "rows": int(group.sum()),
                "rms_error": finite(float(np.sqrt(np.mean(error**2)))),
                "mean_error": finite(float(error.mean())),
                "parameters": {key: finite(value) for key, value in zip(fit.law.names, theta, strict=True)},
            }
        )
    return rows


@np.errstate(all="ignore")
def influence(fit: Fit, *, most: int = 500, shown: int = 5) -> dict[str, Any]:
    """Return the rows whose absence moves the parameters most, and the rows beyond four robust deviations.

    The moves are in bootstrap standard errors. Each row is left out in turn; in a table of more than `most`
    rows, only the `most` rows with the largest residuals.
    """
    tell("influence")
    residual = fit.problem.residuals(fit.optimum.u)
    spread = robust_scale(residual)
    order = np.argsort(-np.abs(residual))
    tried = order[:most]
    groups = [np.arange(len(residual)) == i for i in tried]
    thetas = without(fit, groups)
    if fit.draws is not None:
        width = np.nanstd(fit.draws.theta, axis=0)
    else:
        width = np.std(thetas, axis=0) * np.sqrt(len(residual))
    moved = (thetas - fit.theta) / np.where(width > 0, width, np.inf)
    size = np.nanmax(np.abs(moved), axis=1)
    most_moved = np.argmax(np.round(np.nan_to_num(np.abs(moved)), 6), axis=1)
    # Rounding makes ties of rows that all move a floor to zero; the first row of a tie then comes first.
    rank = np.lexsort((tried, -np.round(size, 6)))[:shown]
    outliers = np.flatnonzero(np.abs(residual) > 4 * spread)
    return {
        "tried": len(tried),
        "most_influential": [
            {
                "row": int(tried[i]) + 1,
                "moves": fit.law.names[most_moved[i]],
                "by_standard_errors": finite(float(moved[i][most_moved[i]])),
                "residual": finite(float(residual[tried[i]])),
            }
            for i in rank
        ],
        "outliers": [
            {"row": int(i) + 1, "robust_deviations": finite(float(residual[i] / spread))}
            for i in outliers[:50]
        ],
        "outlier_count": len(outliers),
    }
