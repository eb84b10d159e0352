"""Calibrated forecasts: two sides, nothing from beyond the cut, and laws that the data do not tell apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scaling.fitting import laws
from scaling.fitting.fit import fit as run
from scaling.fitting.validation.admissible import spread
from scaling.fitting.validation.backtest import GROWTH, Backtest, Cut, backtest, factors
from scaling.fitting.validation.forecast import forecast

LAW = laws.get("power-floor-c")


def cut(at: float, decades: list[float], error: list[float]) -> Cut:
    ones = np.ones(len(error))
    return Cut(
        at=at,
        fitted=10,
        decades=np.array(decades),
        error=np.array(error),
        nominal=0.01 * ones,
        down=0.01 * ones,
        up=0.02 * ones,
    )


def test_each_side_has_the_factor_that_its_own_errors_needed() -> None:
    made = cut(1e18, [0.0, 0.0], [-0.05, 0.03])
    assert factors((made,), 1.0) == pytest.approx((5.0, 1.5))
    lower, upper = made.ends((5.0, 1.5))
    assert lower == pytest.approx([-0.05] * 2)
    assert upper == pytest.approx([0.03] * 2)
    far = cut(1e18, [2.0], [-0.05])
    assert factors((far,), 1.0)[0] == pytest.approx(5 / (1 + 2 * GROWTH))


def test_a_cut_is_not_judged_by_what_lies_beyond_it() -> None:
    first = cut(1e18, [0.5, 2.0], [0.0, 0.5])
    second = cut(1e19, [1.0, 1.0], [0.02, 0.5])
    assert factors((first,), 0.95, known=1e19) == (1.0, 1.0)
    assert factors((first,), 0.95)[1] > 3
    tested = Backtest(ladder="C", cuts=(first, second), level=0.95, factors=(1.0, 1.0))
    nominal, calibrated, total = tested.coverage()
    assert (nominal, calibrated, total) == (0.0, 0.5, 2)
    plain = tested.to_json()
    assert plain["cuts"][1]["factors_before"] == [1.0, 1.0]
    assert plain["by_decades_beyond"]["all"]["calibrated_width"] == pytest.approx(0.03 * (1 + GROWTH))


def curve(noise: float, bend: float = 0.0, floor: float = 1.0) -> pd.DataFrame:
    c = np.geomspace(1e15, 1e19, 40)
    z = np.log10(c / 1e15)
    loss = floor + 3.0 * (c / 1e15) ** -0.08
    rng = np.random.default_rng(0)
    return pd.DataFrame({"C": c, "L": loss * np.exp(bend * z**2 + noise * rng.standard_normal(40))})


def test_a_drift_widens_its_own_side() -> None:
    fit = run(curve(0.001, bend=0.02), LAW, objective="squares", resamples=60, starts=4)
    tested = backtest(fit, cuts=5, resamples=40)
    assert tested.factors[1] > 1.5 > tested.factors[0] == 1.0
    told = forecast(fit, backtests=tested, C=1e20)
    low, high = (np.log(end[0] / told.value[0]) for end in told.calibrated)
    assert high > -low
    truth = curve(0.0, bend=0.02)
    step = np.log10(1e20 / 1e15)
    assert told.calibrated[1][0] > (1 + 3 * 10 ** (-0.08 * step)) * np.exp(0.02 * step**2) > told.value[0]
    assert truth["L"].iloc[-1] > told.nominal[0][0]


def test_a_floor_that_the_data_do_not_see_opens_the_band_downwards() -> None:
    fit = run(curve(0.04), LAW, objective="squares", bootstrap="none", starts=6)
    far = {"C": np.array([1e21])}
    lowest, highest = spread(fit, fit.problem, fit.optimum, far)
    without = run(curve(0.04), LAW, objective="squares", bootstrap="none", starts=6, fixed={"E": 4e-6})
    assert lowest[0] == pytest.approx(
        np.log(without.predict(**far).value / fit.predict(**far).value)[0], rel=0.01
    )
    assert highest[0] == 0
    # With little noise the floor is seen, and the law without it is no longer admissible.
    seen = run(curve(0.0005), LAW, objective="squares", bootstrap="none", starts=6)
    assert spread(seen, seen.problem, seen.optimum, far)[0][0] == 0
