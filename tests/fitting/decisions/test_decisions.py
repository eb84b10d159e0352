"""Decisions: optima against SciPy, the promise of further runs against simulation, and honest words where
there is no answer."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar

from scaling.errors import ConfigError, FitError
from scaling.fitting import laws
from scaling.fitting.decisions.allocate import allocate, cheapest_way
from scaling.fitting.decisions.answers import Answer
from scaling.fitting.decisions.design import next_runs
from scaling.fitting.fit import fit as run
from scaling.fitting.law import Law
from scaling.fitting.result import Fit

LAW = laws.get("chinchilla")
TRUE = {"E": 1.7, "A": 400.0, "B": 900.0, "alpha": 0.34, "beta": 0.30}


def runs(noise: float = 0.003) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [
        {"params": 0.1 * c**0.47 * f, "flops": c, "size": k + 1.0, "budget_flops": c}
        for c in np.geomspace(1e17, 1e20, 5)
        for k, f in enumerate(np.geomspace(1 / 5, 5, 7))
    ]
    frame = pd.DataFrame(rows)
    frame["tokens"] = frame["flops"] / 6 / frame["params"]
    clean = LAW.predict(TRUE, {"N": frame["params"], "D": frame["tokens"]})
    return frame.assign(loss=clean * np.exp(noise * rng.standard_normal(len(frame))))


@pytest.fixture(scope="module")
def fit() -> Fit:
    return run(runs(), LAW, objective="squares", resamples=300)


def direct(values: dict[str, float], flops: float, inference: float) -> float:
    def loss(log_n: float) -> float:
        n = np.exp(log_n)
        d = flops / 6 / n - inference / 3
        return float(LAW.predict(values, {"N": [n], "D": [d]})[0]) if d > 0 else 1e9

    return float(
        np.exp(
            minimize_scalar(
                loss, bounds=(np.log(1e5), np.log(1e13)), method="bounded", options={"xatol": 1e-12}
            ).x
        )
    )


@pytest.mark.parametrize("inference", [0.0, 1e10, 1e12])
def test_allocation_is_the_minimum_that_scipy_finds(fit: Fit, inference: float) -> None:
    told = allocate(fit, 1e21, inference_tokens=inference, calibrate=False).optimum
    assert told.N.value == pytest.approx(direct(fit.values, 1e21, inference), rel=1e-4)
    spent = 6 * told.N.value * told.D.value + 2 * told.N.value * inference
    assert spent == pytest.approx(1e21, rel=1e-6)
    low, high = told.N.interval
    assert low < told.N.value < high


def test_inference_makes_models_smaller_and_a_data_limit_larger(fit: Fit) -> None:
    plain = allocate(fit, 1e21, calibrate=False)
    served = allocate(fit, 1e21, inference_tokens=1e12, calibrate=False)
    assert served.optimum.N.value < plain.optimum.N.value
    tokens = plain.optimum.D.value
    limited = allocate(fit, 1e21, data_limit=tokens / 4, calibrate=False)
    assert limited.limited.D.value == pytest.approx(tokens / 4)
    assert limited.limited.loss.value > limited.repeated.loss > plain.optimum.loss.value
    assert 1 < limited.repeated.epochs < 4.5
    assert "do not bind" in allocate(fit, 1e21, data_limit=10 * tokens, calibrate=False).limit_words


def test_the_reverse_is_the_reverse(fit: Fit) -> None:
    there = allocate(fit, 1e20, calibrate=False).optimum
    back = cheapest_way(fit, there.loss.value).optimum
    assert back.training_flops.value == pytest.approx(1e20, rel=1e-4)
    assert back.N.value == pytest.approx(there.N.value, rel=1e-3)
    with pytest.raises(FitError, match=r"its irreducible loss is 1\.7"):
        cheapest_way(fit, 1.5)


def test_what_is_given_has_no_interval(fit: Fit) -> None:
    def bare(answer: Answer) -> set[str]:
        entries = answer.to_json()
        assert all(e["method"] == "the same in every resample" for e in entries.values() if not e["interval"])
        return {name for name, entry in entries.items() if not entry["interval"]}

    flops = {"training_flops", "total_flops"}
    told = allocate(fit, 1e21, data_limit=1e9)
    assert bare(told.optimum) == flops
    # With a tenth of the tokens that are wanted, all are used and the budget gives N.
    assert bare(told.limited) == flops | {"N", "D", "tokens_per_parameter"}
    assert bare(allocate(fit, 1e21, inference_tokens=1e11).optimum) == {"total_flops"}
    assert bare(cheapest_way(fit, 2.4).optimum) == {"loss"}
    # Draws that never reach the loss do not make it uncertain.
    assert fit.draws is not None
    assert bare(cheapest_way(fit, float(np.median(fit.draws.theta[:, 0])) + 0.02).optimum) == {"loss"}


def test_draws_that_never_reach_a_loss_leave_its_cost_open(fit: Fit) -> None:
    assert fit.draws is not None
    floor = np.sort(fit.draws.theta[:, LAW.names.index("E")])
    # At the 90 % point of the floors: a tenth of the draws never reach it, more than a tail of 2.5 %.
    goal = float(floor[269:271].mean())
    told = cheapest_way(fit, goal)
    for name in ("N", "D", "training_flops", "total_flops"):
        low, high = getattr(told.optimum, name).interval
        assert np.isinf(high), name
        assert 0 < low < getattr(told.optimum, name).value
    assert told.optimum.tokens_per_parameter.interval == (-np.inf, np.inf)
    # The draws with a floor above the goal never reach it, nor do a few next to it at any size searched.
    share, words = told.warnings[-1].split("% of the bootstrap draws never reach this loss: ")
    assert 10 <= float(share) <= 12
    assert words == "no upper end of its cost is known"
    json.dumps(told.to_json(), allow_nan=False)
    # One in a hundred is less than the tail: the end is known, and higher than without that draw.
    rare = float(floor[-4]) + 0.4 * float(floor[-3] - floor[-4])
    known = cheapest_way(fit, rare)
    spent = known.optimum.total_flops.interval
    assert spent[0] < known.optimum.total_flops.value < spent[1]
    assert "1% of the bootstrap draws never reach this loss: the upper ends count" in known.warnings[-1]


def test_any_surface_can_be_allocated(fit: Fit) -> None:
    own = Law(
        name="own",
        variables=("N", "D"),
        parameters=LAW.parameters,
        function=LAW.function,
        formula="",
        source="",
        analytic=True,
    )
    same = run(runs(), own, objective="squares", resamples=40)
    for question in (lambda f: allocate(f, 1e21, calibrate=False), lambda f: cheapest_way(f, 2.4)):
        assert question(same).optimum.N.value == pytest.approx(question(fit).optimum.N.value, rel=2e-3)


def test_distance_is_said_and_forecasts_are_calibrated(fit: Fit) -> None:
    told = allocate(fit, 1e24)
    assert any("extrapolation beyond ×10" in w for w in told.warnings)
    forecast, mean = told.optimum.loss_forecast.interval, told.optimum.loss.interval
    assert forecast[0] < mean[0] < mean[1] < forecast[1]
    assert not allocate(fit, 1e19, calibrate=False).warnings
    json.dumps(told.to_json(), allow_nan=False)


@pytest.mark.parametrize("asked", ["a", "loss", "E"])
def test_the_promise_of_further_runs_is_kept_in_simulation(fit: Fit, asked: str) -> None:
    told = next_runs(fit, asked=asked, cells=5, simulations=400)
    assert told.interval_foreseen < 0.95
    assert told.interval_simulated == pytest.approx(told.interval_foreseen, rel=0.2)
    shares = [row.interval_after for row in told.cells]
    assert shares == sorted(shares, reverse=True)
    assert told.spent_flops <= told.budget_flops
    assert told.cells[0].size > 0


def test_questions_without_an_answer_end_in_a_sentence(fit: Fit) -> None:
    with pytest.raises(ConfigError, match="must be one of"):
        next_runs(fit, asked="gamma")
    with pytest.raises(FitError, match="buys none of the cells"):
        next_runs(fit, budget=1e3)
    with pytest.raises(ConfigError, match="above zero"):
        allocate(fit, -1.0)
    with pytest.raises(FitError, match="needs a law of N and D"):
        allocate(run(runs(), "power-floor-n", bootstrap="none"), 1e20)


def test_serving_beyond_the_budget_is_named(fit: Fit) -> None:
    smallest = float(fit.table.values["N"].min())
    with pytest.raises(ConfigError, match=r"serving 1e\+20 tokens costs .* FLOPs .*raise the budget"):
        allocate(fit, 1e21, inference_tokens=1e20)
    told = allocate(fit, 1e21, inference_tokens=1e21 / (2 * smallest) * 0.9, calibrate=False).optimum
    assert told.total_flops.value == pytest.approx(1e21, rel=1e-6)
    with pytest.raises(ConfigError, match="inference tokens are -1"):
        cheapest_way(fit, 2.5, inference_tokens=-1)


def test_a_plan_says_what_the_fit_leaves_open() -> None:
    frame = runs()
    line = frame.assign(tokens=20 * frame["params"], flops=120 * frame["params"] ** 2)
    line["loss"] = LAW.predict(TRUE, {"N": line["params"], "D": line["tokens"]})
    loose = run(
        line.assign(loss=line["loss"] * np.exp(0.003 * np.random.default_rng(1).standard_normal(35))),
        LAW,
        objective="squares",
        bootstrap="none",
        starts=8,
    )
    for asked in ("a", "alpha", "loss", "all"):
        with pytest.raises(FitError, match=r"undetermined|open"):
            next_runs(loose, asked=asked, simulations=0)
    one = frame.assign(params=1e8, tokens=frame["flops"] / 6e8, budget_flops=frame["flops"])
    rng = np.random.default_rng(2)
    one["loss"] = LAW.predict(TRUE, {"N": one["params"], "D": one["tokens"]}) * np.exp(
        0.003 * rng.standard_normal(35)
    )
    partly = run(one, LAW, objective="squares", bootstrap="none", starts=8)
    told = next_runs(partly, asked="beta", simulations=0).warnings
    assert len(told) == 1
    assert "certificate of the fit behind this does not hold" in told[0]
    with pytest.raises(FitError, match="alpha is undetermined: N is 1e"):
        next_runs(partly, asked="alpha", simulations=0)


def test_a_plan_takes_no_option_without_effect(fit: Fit) -> None:
    assert next_runs(fit, asked="a", simulations=0).warnings == ()
    with pytest.raises(ConfigError, match="a is asked for at a compute of 1e"):
        next_runs(fit, asked="a", at=1e22)
    with pytest.raises(ConfigError, match="20 simulations or none"):
        next_runs(fit, simulations=1)
