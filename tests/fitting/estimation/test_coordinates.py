"""Fixed and tied parameters take the values that were asked for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import least_squares

from scaling.fitting import laws

LAW = laws.get("chinchilla")
TRUE = {"E": 1.7, "A": 400.0, "B": 900.0, "alpha": 0.34, "beta": 0.30}


def runs(n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    size, tokens = 10 ** rng.uniform(6, 9, n), 10 ** rng.uniform(8, 11, n)
    clean = LAW.predict(TRUE, {"N": size, "D": tokens})
    return pd.DataFrame({"N": size, "D": tokens, "L": clean * np.exp(0.003 * rng.standard_normal(n))})


@pytest.mark.parametrize(
    ("fixed", "tied"), [({"alpha": 0.35}, {"beta": "alpha"}), ({"B": 700.0}, {"A": "B"})]
)
def test_a_parameter_tied_to_a_fixed_one_takes_its_value(
    fixed: dict[str, float], tied: dict[str, str]
) -> None:
    frame = runs()
    made = LAW.fit(frame, fixed=fixed, tied=tied, objective="squares", bootstrap="none", starts=8)
    held = dict(fixed)
    for name, partner in tied.items():
        held[name] = fixed[partner]
        assert made.values[name] == pytest.approx(fixed[partner], rel=1e-12)
    free = [name for name in LAW.names if name not in held]

    def residual(u: np.ndarray) -> np.ndarray:
        values = held | {k: np.exp(v) if k in "EAB" else v for k, v in zip(free, u, strict=True)}
        return np.log(LAW.predict(values, {"N": frame["N"], "D": frame["D"]})) - np.log(frame["L"])

    start = [np.log(TRUE[k]) if k in "EAB" else TRUE[k] for k in free]
    other = least_squares(residual, start, xtol=1e-14, ftol=1e-14, gtol=1e-14)
    for name, value in zip(free, other.x, strict=True):
        found = np.exp(value) if name in "EAB" else value
        assert made.values[name] == pytest.approx(found, rel=1e-5), name
