"""Ratios of the same cells under two conditions."""

from __future__ import annotations

import numpy as np
import pandas as pd
from schema import Number
from scipy import stats


def geometric(name: str, ratio: pd.Series, method: str, span: str) -> Number:
    """The geometric mean of ratios, with Student's interval of the mean of their logarithms."""
    logs = np.log(ratio.to_numpy(float))
    half = stats.t.ppf(0.975, len(logs) - 1) * logs.std(ddof=1) / np.sqrt(len(logs))
    middle = logs.mean()
    return Number(
        name=name,
        value=float(np.exp(middle)),
        interval=[float(np.exp(middle - half)), float(np.exp(middle + half))],
        level=0.95,
        method=f"geometric mean, Student's t; {method}",
        n=len(logs),
        range=span,
    )
