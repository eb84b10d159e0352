"""Laws whose variables may be zero or negative take such tables through the ordinary fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scaling.errors import TableError
from scaling.fitting.fit import fit as run


def test_components_may_be_negative() -> None:
    rng = np.random.default_rng(0)
    score = rng.normal(0, 1, 60)
    table = pd.DataFrame({"PC1": score, "accuracy": 1 / (1 + np.exp(-(1.5 * score - 0.3)))})
    fit = run(table, "observational-1", objective="squares", bootstrap="none", starts=6)
    assert fit.values["w1"] == pytest.approx(1.5, rel=1e-6)
    assert fit.values["b"] == pytest.approx(-0.3, rel=1e-6)


def test_shares_and_sparsity_may_be_zero() -> None:
    share = np.linspace(0, 1, 21)
    table = pd.DataFrame({"r1": share, "L": 2.0 + 1.5 * np.exp(-1.2 * share)})
    fit = run(table, "mixture-2", objective="squares", bootstrap="none", starts=12)
    assert fit.predict(r1=share).value == pytest.approx(table["L"].to_numpy(), rel=1e-7)


def test_other_variables_stay_positive() -> None:
    table = pd.DataFrame({"N": [1e6, 0.0, 1e8, 1e9], "L": [4.0, 3.5, 3.0, 2.8]})
    with pytest.raises(TableError):
        run(table, "power-n", bootstrap="none")
