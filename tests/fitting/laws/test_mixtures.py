"""Mixtures of two to six domains: the truth comes back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scaling.fitting.fit import fit


@pytest.mark.parametrize("domains", [2, 3, 4, 5, 6])
def test_a_mixture_is_found_again(domains: int) -> None:
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(domains), 80)[:, :-1]
    pulls = np.linspace(-1.5, 1.0, domains - 1)
    table = pd.DataFrame(shares, columns=[f"r{i}" for i in range(1, domains)])
    table["L"] = 2.0 + 1.2 * np.exp(shares @ pulls)
    made = fit(table, f"mixture-{domains}", objective="squares", bootstrap="none", starts=12)
    fresh = rng.dirichlet(np.ones(domains), 20)[:, :-1]
    predicted = made.predict(**{f"r{i}": fresh[:, i - 1] for i in range(1, domains)}).value
    assert predicted == pytest.approx(2.0 + 1.2 * np.exp(fresh @ pulls), rel=1e-5)
    for i, pull in enumerate(pulls, start=1):
        assert made.values[f"t{i}"] == pytest.approx(pull, rel=1e-3, abs=1e-3)
