"""Shared models: p-values against exact F tests, options that hold in every group, ranges that hold their own
estimate."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from scaling.errors import ConfigError, FitError
from scaling.fitting import laws, table
from scaling.fitting.comparison.compare import compare
from scaling.fitting.comparison.shared import fit_shared, shared_models, verdict
from scaling.fitting.fit import fit as run
from scaling.fitting.law import Law, Parameter
from scaling.fitting.result import Fit
from scaling.fitting.uncertainty.estimate import percentile

LAW = laws.get("chinchilla")
OLD = {"E": 1.7, "A": 400.0, "B": 900.0, "alpha": 0.34, "beta": 0.30}
NEW = {**OLD, "A": 330.0, "B": 743.0}
LINE = Law(
    name="line",
    variables=("x",),
    target="y",
    scale="raw",
    parameters=(
        Parameter(name="k", meaning="level", start=(-1, 1)),
        Parameter(name="m", meaning="slope", start=(-1, 1)),
    ),
    function=lambda p, x: p["k"] + p["m"] * x["x"],
    formula="y = k + m x",
    source="school",
    analytic=True,
)
X = np.linspace(1.0, 3.0, 24)


def lines(one: np.ndarray, two: np.ndarray) -> list[Fit]:
    return [run({"x": X, "y": y}, LINE, objective="squares", bootstrap="none", starts=2) for y in (one, two)]


def common(rows: list[dict[str, object]]) -> float:
    return next(row["p_against_separate"] for row in rows if row["model"] == "one law for all")


@pytest.mark.parametrize("shift", [0.0, 0.45])
def test_the_p_value_of_squares_is_that_of_the_exact_f_test(shift: float) -> None:
    rng = np.random.default_rng(3)
    one = 5 + X + rng.standard_normal(24)
    two = 5 + X + shift + rng.standard_normal(24)
    found = common(shared_models(lines(one, two), ["a", "b"], resamples=1000))
    group = np.repeat([0.0, 1.0], 24)
    both = np.tile(X, 2)
    narrow = sm.OLS(np.concatenate([one, two]), sm.add_constant(both)).fit()
    wide = sm.OLS(np.concatenate([one, two]), np.column_stack([np.ones(48), both, group, group * both])).fit()
    assert found == pytest.approx(wide.compare_f_test(narrow)[1], abs=0.03)


def test_noise_that_pairs_share_does_not_hide_a_difference() -> None:
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(24)
    one = 5 + X + noise + 0.1 * rng.standard_normal(24)
    two = 5 + X + noise + 0.1 * rng.standard_normal(24) + 0.06
    fits = lines(one, two)
    assert common(shared_models(fits, ["a", "b"], resamples=400)) > 0.9
    paired = common(shared_models(fits, ["a", "b"], paired=True, resamples=400))
    # Of the differences, pair by pair, the exact test that level and slope are zero.
    differences = sm.OLS(two - one, sm.add_constant(X)).fit()
    assert paired == pytest.approx(differences.f_test(np.eye(2)).pvalue, abs=0.05)


def test_paired_rows_have_one_verdict_and_it_is_that_of_their_test() -> None:
    rng = np.random.default_rng(1)
    noise = rng.standard_normal(24)
    one, two = 5 + X + noise + 0.1 * rng.standard_normal((2, 24))
    fits = lines(one, two + 0.3)
    rows = shared_models(fits, ["a", "b"], paired=True)
    exact = sm.OLS(two + 0.3 - one, sm.add_constant(X)).fit().f_test(np.eye(2)).pvalue
    assert exact < 1e-6
    assert verdict(rows) == "told apart by p: one law for all; not told apart: none"
    assert {row["aicc"] for row in rows} == {row["delta_aicc"] for row in rows} == {None}
    # Taken as independent, the same rows are not told apart: their shared noise hides the shift.
    apart = verdict(shared_models(fits, ["a", "b"]))
    assert apart == "not told apart by AICc: one law for all, separate laws"
    alike = verdict(shared_models(lines(one, two), ["a", "b"], paired=True))
    assert alike == "told apart by p: none; not told apart: one law for all"


def runs(truth: dict[str, float], seed: int, noise: float = 0.003) -> table.Table:
    c = np.repeat(np.geomspace(1e17, 1e20, 5), 7)
    n = 0.1 * c**0.47 * np.tile(np.geomspace(1 / 5, 5, 7), 5)
    clean = LAW.predict(truth, {"N": n, "D": c / 6 / n})
    frame = pd.DataFrame({"params": n, "tokens": c / 6 / n, "flops": c})
    return table.read(
        frame.assign(loss=clean * np.exp(noise * np.random.default_rng(seed).standard_normal(35)))
    )


def test_what_is_fixed_and_tied_is_so_in_every_group() -> None:
    fits = [
        run(
            runs(OLD, seed),
            LAW,
            objective="squares",
            bootstrap="none",
            fixed={"E": 1.7},
            tied={"beta": "alpha"},
            bounds={"alpha": (0.1, 0.33)},
        )
        for seed in (0, 1)
    ]
    rows = {row["model"]: row for row in shared_models(fits, ["a", "b"], resamples=20)}
    free = {name: row["free_parameters"] for name, row in rows.items()}
    assert free == {"separate laws": 6, "shared exponents": 5, "one law for all": 3}
    assert rows["separate laws"]["objective"] == pytest.approx(
        sum(fit.optimum.objective for fit in fits), rel=1e-6
    )


def test_one_model_is_named_only_where_it_wins_by_more_than_its_noise() -> None:
    rng = np.random.default_rng(1)
    one, two = 5 + X + 0.1 * rng.standard_normal((2, 24))
    alike = verdict(shared_models(lines(one, two), ["a", "b"]))
    assert alike == "not told apart by AICc: one law for all, separate laws"
    apart = lines(5 + X + 0.1 * rng.standard_normal(24), 6 + X + 0.1 * rng.standard_normal(24))
    assert verdict(shared_models(apart, ["a", "b"])) == "lowest AICc: separate laws, by more than its noise"


@pytest.mark.parametrize("objective", ["squares", pytest.param("likelihood", marks=pytest.mark.slow)])
def test_every_range_holds_its_own_estimate(objective: str) -> None:
    # Tables of unlike noise: a profile that weights them otherwise than the estimate would leave it out.
    tables = [runs(OLD, 4, 0.012), runs(NEW, 5, 0.001)]
    found = compare(dict(zip(("old", "new"), tables, strict=True)), objective=objective, resamples=30, seed=1)
    floors = found.gains[0].by_floor
    low, high = floors["profiled"]["gain"]
    assert low < floors["shared"]["gain"] < high
    assert floors["profiled"]["E"][0] < floors["shared"]["E"] < floors["profiled"]["E"][1]
    assert min(row["rise"] for row in floors["profiled"]["profile"]) == 0
    estimates = [
        entry
        for row in found.exponents
        for entry in (*row.estimates.values(), *(d.estimate for d in row.differences.values()))
    ]
    for estimate in [*estimates, found.gains[0].headline]:
        assert estimate.interval[0] <= estimate.value <= estimate.interval[1]


def test_an_interval_reaches_to_an_estimate_that_its_draws_leave_out() -> None:
    draws = np.linspace(1.0, 2.0, 101)
    assert percentile(0.5, draws, 0.9, "").interval == (0.5, pytest.approx(1.95))
    assert percentile(1.5, draws, 0.9, "").interval == pytest.approx((1.05, 1.95))


def test_paired_runs_share_the_draws_of_their_clusters() -> None:
    base = runs(OLD, 0, 0.01).frame.assign(size=np.arange(35) % 7, budget_flops=np.repeat(np.arange(5), 7))
    one = table.read(base.assign(run=np.arange(35) // 5))
    own = np.exp(1e-5 * np.random.default_rng(1).standard_normal(35))
    two = table.read(base.assign(run=6 - np.arange(35) // 5, loss=0.99 * own * base["loss"]))
    found = compare(
        {"a": one, "b": two}, objective="squares", bootstrap="cluster", cluster="run", resamples=100
    )
    alpha = next(row for row in found.exponents if row.name == "alpha").differences["b"].estimate
    assert found.pairs is not None
    # 1 % on every loss is no difference of exponents, and one draw of clusters sees the same runs twice.
    assert np.abs(alpha.interval).max() < 1e-3
    other = table.read(two.frame.assign(run=np.arange(35) % 7))
    with pytest.raises(ConfigError, match="fall into different clusters of run"):
        compare({"a": one, "b": other}, bootstrap="cluster", cluster="run", resamples=50)


def test_joint_laws_keep_optional_columns() -> None:
    """Separate laws, fitted jointly, are the laws fitted alone; without the warm-up they are not."""
    law = laws.get("annealing")
    step = np.arange(500.0, 6000.0, 250.0)
    rate = 3e-4 * 0.5 * (1 + np.cos(np.pi * step / 6000))
    rng, fits = np.random.default_rng(0), []
    for level in (2.6, 2.8):
        frame = pd.DataFrame({"step": step, "lr": rate, "warm_up": 400.0})
        values = {"L_0": level, "A": 0.5, "alpha": 0.5, "C": 0.4}
        clean = law.predict(values, {name: frame[name].to_numpy(float) for name in frame})
        frame["L"] = clean * np.exp(1e-4 * rng.standard_normal(len(step)))
        fits.append(run(frame, law, objective="squares", bootstrap="none", starts=6))
    joined, problem, optimum = fit_shared(fits, ["one", "two"], [])
    assert problem.x["warm_up"] == pytest.approx(400.0)
    for label, fit in zip(("one", "two"), fits, strict=True):
        for name in law.names:
            found = optimum.theta[joined.names.index(f"{name}[{label}]")]
            assert found == pytest.approx(fit.values[name], rel=1e-4), name
    bare = run(
        fits[1].table.frame.drop(columns="warm_up"), law, objective="squares", bootstrap="none", starts=6
    )
    with pytest.raises(FitError, match="'warm_up' is in the table of one and not in all"):
        fit_shared([fits[0], bare], ["one", "two"], [])
