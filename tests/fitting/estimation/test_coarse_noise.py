"""Noise far above Huber's delta: no residual lies in the quadratic zone, and the objective is all but LAD."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from scaling.fitting.fit import fit as run
from scaling.fitting.fit_file import contents

DELTA = 1e-3


def table(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    c, ratio = np.meshgrid(np.geomspace(5e10, 8e11, 5), np.geomspace(5, 160, 6))
    n = np.sqrt(c.ravel() / 6 / ratio.ravel())
    d = c.ravel() / 6 / n
    loss = (1.0 + 25 * n**-0.4 + 700 * d**-0.55) * np.exp(rng.normal(0, 0.015, n.size))
    return pd.DataFrame({"N": n, "D": d, "L": loss})


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_the_optimum_is_reached(seed: int) -> None:
    data = table(seed)
    x, z, y = (np.log(data[k].to_numpy()) for k in "NDL")
    x0, z0 = x.mean(), z.mean()

    def objective(t: np.ndarray) -> float:
        terms = np.exp(t[0]) + np.exp(t[1] - t[3] * (x - x0)) + np.exp(t[2] - t[4] * (z - z0))
        r = np.abs(np.log(terms) - y)
        return float(np.where(r < DELTA, 0.5 * r * r, DELTA * (r - 0.5 * DELTA)).sum())

    options = {"maxiter": 20000, "maxfev": 20000, "xatol": 1e-9, "fatol": 1e-15}
    best = min(
        minimize(objective, [e, -1, -1, a, b], method="Nelder-Mead", options=options).fun
        for e in (-1.0, 0.0, 0.3)
        for a in (0.2, 0.6)
        for b in (0.2, 0.6)
    )
    fit = run(data, delta=DELTA, resamples=100)
    found = contents(fit)
    assert found["objective"]["value"] <= best * (1 + 1e-9)
    low, high = found["parameters"]["alpha"]["interval"]
    assert high - low > 0.01  # a bootstrap that does not move is no bootstrap
