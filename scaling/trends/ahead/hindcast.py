"""Hindcast a law: fit it to the smallest runs and score its predictions of the largest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scaling.errors import ConfigError, FitError
from scaling.fitting import laws
from scaling.fitting.fit import columns_for, fit, read_for

LEAST = 6
"""Smallest number of runs below the cut: one more than the law has parameters."""


def hindcast(
    source: Any,
    *,
    share: float = 0.5,
    columns: Mapping[str, str] | None = None,
    where: str | None = None,
    level: float = 0.9,
    seed: int = 0,
) -> dict[str, Any]:
    """Fit the Chinchilla law to the `share` of runs with the least compute (6 N D) and predict the others.

    source: a path, a ledger folder, a sweep's name or a DataFrame, as in `scaling fit`. Returns bias and RMSE
    of log loss, the coverage of the bootstrap interval, and the decades of compute ahead.
    Raises `ConfigError` for a share outside (0, 1), `FitError` with too few runs on either side.
    """
    if not 0 < share < 1:
        raise ConfigError(
            f"the share of small runs is {share:g}; it must lie between 0 and 1, for example 0.5"
        )
    law = laws.get("chinchilla")
    table = read_for(law, source, columns=columns, where=where)
    flops = 6.0 * np.asarray(table.values["N"], float) * np.asarray(table.values["D"], float)
    order = np.argsort(flops, kind="stable")
    count = round(share * len(order))
    small, large = order[:count], order[count:]
    if len(small) < LEAST or not len(large):
        raise FitError(
            f"{len(order)} runs leave {len(small)} below the cut and {len(large)} above; "
            f"a hindcast needs {LEAST} and 1: run more sizes or change the share"
        )
    fitted = fit(table.take(small), law, bootstrap="pairs", resamples=300, level=level, seed=seed)
    x = {name: value[large] for name, value in columns_for(law, table).items()}
    measured = np.asarray(table.values["L"], float)[large]
    predicted = fitted.predict(**x)
    assert predicted.interval is not None
    error = np.log(predicted.value) - np.log(measured)
    low, high = predicted.interval
    return {
        "fitted": len(small),
        "predicted": len(large),
        "decades_ahead": float(np.log10(flops[large].max() / flops[small].max())),
        "bias_percent": float(100 * np.expm1(error.mean())),
        "rmse_percent": float(100 * np.sqrt(np.mean(error**2))),
        "coverage": float(np.mean((low <= measured) & (measured <= high))),
        "level": level,
        "method": "pairs bootstrap of the small runs, 300 resamples; parameter noise only",
    }
