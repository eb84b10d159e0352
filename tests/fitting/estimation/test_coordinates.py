"""Fixed and tied parameters take the values that were asked for, others stay where the data can show them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import least_squares

from scaling.errors import ConfigError
from scaling.fitting import laws
from scaling.fitting.estimation.coordinates import build
from scaling.fitting.estimation.losses import Loss
from scaling.fitting.estimation.problem import Problem
from scaling.fitting.estimation.solve import solve
from scaling.fitting.fit import fit
from scaling.fitting.law import Parameter
from scaling.fitting.uncertainty.bootstrap import bootstrap

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
    made = fit(frame, LAW, fixed=fixed, tied=tied, objective="squares", bootstrap="none", starts=8)
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


def test_a_floor_stays_below_its_variable_and_the_optimum_is_that_of_scipy() -> None:
    law = laws.get("loss-to-loss")
    rng = np.random.default_rng(3)
    x = {"L0": np.exp(rng.uniform(np.log(2.2), np.log(5.0), 80))}
    true = np.array([0.9, 0.8, 1.9, 1.5])
    y = law.predict(true, x) + 0.003 * rng.standard_normal(80)
    place = build(law, x, y)
    assert place.upper[2] * place.scale[2] == pytest.approx(x["L0"].min(), rel=1e-12)
    made = fit({"L0": x["L0"], "L1": y}, law, objective="squares", bootstrap="none", starts=12)
    top = [np.inf, np.inf, x["L0"].min() - 1e-9, np.inf]
    other = least_squares(lambda p: law.predict(p, x) - y, true, bounds=(0, top), xtol=1e-15, gtol=1e-15)
    assert made.optimum.objective <= 2 * other.cost * (1 + 1e-9)
    assert [made.values[name] for name in law.names] == pytest.approx(other.x.tolist(), rel=1e-4)


def test_breaks_stay_within_the_data_unless_bounds_are_asked_for() -> None:
    law = laws.get("bnsl-2")
    x = {"x": np.geomspace(10.0, 1e6, 40)}
    at = law.names.index("d2")
    place = build(law, x, np.full(40, 3.0))
    assert np.exp(place.lower[at]) == pytest.approx(10.0)
    assert np.exp(place.upper[at]) == pytest.approx(1e6)
    wide = build(law, x, np.full(40, 3.0), bounds={"d2": (1.0, 1e9)})
    assert np.exp(wide.upper[at]) == pytest.approx(1e9)
    assert build(law, x, np.full(40, 3.0), fixed={"d2": 1e9}).natural(np.zeros(8))[at] == pytest.approx(1e9)


@pytest.mark.parametrize(("stays", "unit"), [("above", "x"), ("below", ""), ("within", "target")])
def test_where_a_parameter_stays_needs_a_variable(stays: str, unit: str) -> None:
    with pytest.raises(ConfigError, match="give 'below' or 'within'"):
        Parameter(name="d", meaning="", start=(1, 2), stays=stays, unit=unit)


def test_resamples_of_a_curved_valley_converge() -> None:
    law = laws.get("fine-tuning-power")
    rng = np.random.default_rng(0)
    x = {"D": np.exp(rng.uniform(np.log(1e8), np.log(1e12), 240))}
    theta = np.array([0.003, 0.25, 2.5, 0.5])
    y = law.predict(theta, x) * np.exp(0.005 * rng.standard_normal(240))
    place = build(law, x, y)
    problem = Problem(
        law=law, x=x, y=y, weights=np.ones(240), coordinates=place, loss=Loss(delta=1e-3), starts=8
    )
    drawn = bootstrap(problem, solve(problem), name="pairs", resamples=100, seed=0)
    assert drawn.converged > 0.9
