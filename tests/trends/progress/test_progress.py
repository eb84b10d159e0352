"""Algorithmic progress: the rate that was put in comes out, its interval holds it, and shares add up."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from scaling.errors import FitError
from scaling.trends.progress import synthetic
from scaling.trends.progress.law import _Problem, progress
from scaling.trends.progress.shapley import shapley


def test_the_jacobian_against_differences() -> None:
    world = synthetic.models(0)
    code = world["benchmark"].astype(int)
    problem = _Problem(
        np.log(world["params"]), np.log(world["tokens"]), world["year"], world["loss"], code, 0.5
    )
    p = np.array([0.3, 0.5, -0.2, -1.5, -2.0, 0.8, 0.3])
    _, jacobian = problem.linearised(p[None])
    slow = approx_fprime(p, lambda q: problem.linearised(q[None])[0][0], 1e-7)
    assert jacobian[0] == pytest.approx(slow, abs=2e-5)


@pytest.mark.slow
def test_the_certificate() -> None:
    found = synthetic.certificate(50, draws=80)
    assert found["coverage_of_rate"] >= 0.88
    assert found["coverage_of_share"] >= 0.86
    assert found["median_rate"] == pytest.approx(synthetic.TRUE_RATE, rel=0.06)


def test_no_progress_is_no_trend() -> None:
    found = progress(**synthetic.models(1, rate=0.0), draws=100)
    assert found.rate_interval[0] < 0 < found.rate_interval[1]
    assert found.as_dict()["verdict"] == "no trend"
    assert found.as_dict()["doubling_months"] is None


def test_shapley_shares_add_up_and_play_fair() -> None:
    p = progress(**synthetic.models(2), draws=60)
    shares = shapley(p, (1e7, 1e9, 2014.0), (1e10, 1e11, 2022.0))
    assert sum(v[0] for v in shares.values()) == pytest.approx(1)
    assert all(low <= value <= high for value, low, high in shares.values())
    idle = shapley(p, (1e7, 1e9, 2014.0), (1e7, 1e11, 2022.0))
    assert idle["parameters"][0] == pytest.approx(0)


def test_too_few_models_say_so() -> None:
    world = {k: v[:10] for k, v in synthetic.models(0).items()}
    with pytest.raises(FitError, match="at least 15 models"):
        progress(**world)
