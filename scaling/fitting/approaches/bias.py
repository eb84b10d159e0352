"""Correct approach 2 for the bias that its curves have even without noise (arXiv 2603.22339)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scaling.fitting.approaches.budgets import Budget
from scaling.fitting.approaches.profiles import Lowest, line, lowest, size
from scaling.fitting.arrays import Array, Flags
from scaling.fitting.uncertainty.estimate import Estimate, finite


def corrected(
    usable: list[Budget],
    n: Array,
    d: Array,
    surface: Callable[[Array, Array], Array],
    optimum: Callable[[Array], tuple[Array, Array]],
    curve: str,
    low_n: list[Lowest],
    low_d: list[Lowest],
    trusted: Flags,
    a: Estimate,
    b: Estimate,
) -> dict[str, Any]:
    """Return approach 2 with the bias of its curve subtracted in logarithms.

    The bias is the minimum that the same curve has on the noise-free fitted surface, relative to the true
    minimum of that surface.
    """
    flops = np.array([budget.flops for budget in usable])
    true_n, true_d = optimum(flops)
    smooth = [surface(n[budget.members], d[budget.members]) for budget in usable]
    pairs = zip(usable, smooth, strict=True)
    seen = [(lowest(n[u.members], s, curve).at, lowest(d[u.members], s, curve).at) for u, s in pairs]
    bias_n, bias_d = (
        np.log([s[0] for s in seen]) - np.log(true_n),
        np.log([s[1] for s in seen]) - np.log(true_d),
    )
    keep = trusted & np.isfinite(bias_n) & np.isfinite(bias_d)
    if keep.sum() < 2:
        return {
            "a": None,
            "b": None,
            "words": "the fitted surface shows no lowest point on these runs; no correction",
        }
    log_c = np.log(flops)[keep]
    new_n, base_n = line(log_c, (np.log([low.at for low in low_n]) - bias_n)[keep])
    new_d, base_d = line(log_c, (np.log([low.at for low in low_d]) - bias_d)[keep])
    return {
        "a": _moved(a, float(new_n)),
        "b": _moved(b, float(new_d)),
        "N_coefficient": finite(size(float(base_n))),
        "D_coefficient": finite(size(float(base_d))),
        "N_bias": [finite(v) for v in np.expm1(bias_n)],
        "D_bias": [finite(v) for v in np.expm1(bias_d)],
    }


def _moved(estimate: Estimate, value: float) -> dict[str, Any]:
    by = value - estimate.value
    interval = None if estimate.interval is None else [finite(end + by) for end in estimate.interval]
    return {
        "value": finite(value),
        "interval": interval,
        "level": estimate.level,
        "method": estimate.method + ", moved by the bias",
    }
