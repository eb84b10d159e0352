"""Comparison: planted differences are found, equal laws are not told apart, the gain is the planted gain."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq

from scaling.errors import ConfigError, FitError
from scaling.fitting import laws, table
from scaling.fitting.comparison.compare import compare
from scaling.fitting.comparison.exponents import difference
from scaling.fitting.comparison.gain import best_loss, frontier, gain
from scaling.fitting.comparison.joint import GROUP, joint
from scaling.fitting.comparison.pairing import paired
from scaling.fitting.decisions.surface import best_split
from scaling.fitting.fit import fit as run

LAW = laws.get("chinchilla")
OLD = {"E": 1.7, "A": 400.0, "B": 900.0, "alpha": 0.34, "beta": 0.30}
NEW = {**OLD, "A": 300.0, "B": 675.0}


def ledger(
    truth: dict[str, float], seed: int, noise: float = 0.003, low: float = 1e17, high: float = 1e20
) -> table.Table:
    rng = np.random.default_rng(seed)
    rows = []
    for c in np.geomspace(low, high, 5):
        for k, factor in enumerate(np.geomspace(1 / 5, 5, 7)):
            n = 0.1 * c**0.47 * factor
            rows.append(
                {"params": n, "tokens": c / 6 / n, "flops": c, "budget_flops": c, "size": k, "seed": 0}
            )
    frame = pd.DataFrame(rows)
    clean = LAW.predict(truth, {"N": frame["params"], "D": frame["tokens"]})
    return table.read(frame.assign(loss=clean * np.exp(noise * rng.standard_normal(len(frame)))))


def test_the_planted_gain_comes_back_under_every_floor() -> None:
    found = compare({"old": ledger(OLD, 0), "new": ledger(NEW, 1)}, objective="squares", resamples=300)
    head = found.gains[0].headline
    gamma = 0.34 * 0.30 / 0.64
    planted = 0.75 ** (-1 / gamma)  # both terms × 0.75: the reducible loss at any C is × 0.75
    assert head.interval[0] < planted < head.interval[1]
    floors = found.gains[0].by_floor
    assert floors["shared"]["gain"] == pytest.approx(planted, rel=0.1)
    assert floors["profiled"]["gain"][0] <= floors["shared"]["gain"] * 1.01
    assert 0 < found.gains[0].inside.sum() < len(found.gains[0].inside)
    json.dumps(found.to_json(), allow_nan=False)
    for word in ("compute-equivalent gain of new over old", "shared exponents", "paired by"):
        assert word in repr(found)


def test_frontier_is_the_minimum_over_sizes() -> None:
    fit = run(ledger(OLD, 0, noise=0.0), LAW, bootstrap="none")
    for c in (1e18, 1e22):
        n, d = best_split(fit, fit.theta[None], c)
        direct = fit.predict(N=n, D=d).value[0]
        assert best_loss(frontier(fit, fit.theta), np.array([c]))[0] == pytest.approx(direct, rel=1e-9)


def test_a_crossing_is_a_place_with_an_interval_or_none() -> None:
    """Laws that cross in the data do so inside the interval; of two tables of one law some draws cross, and
    no place is printed."""
    steeper = {**OLD, "A": 400.0 * 1e9**0.06, "alpha": 0.40}
    old, new, again = (
        run(ledger(truth, seed, noise=0.0005), LAW, objective="squares", resamples=300)
        for truth, seed in ((OLD, 0), (steeper, 2), (OLD, 1))
    )

    def apart(log: float) -> float:
        return float(
            np.diff([best_loss(frontier(old, LAW.vector(t)), np.exp([log]))[0] for t in (OLD, steeper)])[0]
        )

    truth = np.exp(brentq(apart, np.log(1e16), np.log(1e22)))
    found = gain(old, new, ("old", "new")).crossing
    low, high = found.interval
    assert low < truth < high
    assert low < found.flops < high < 10 * low
    assert f"[{low:.3g}, {high:.3g}]" in found.words
    open_ = gain(old, again, ("old", "again")).crossing
    assert 0 < open_.share < 0.95
    assert np.isnan(open_.flops)
    assert open_.interval is None
    assert open_.words.startswith("not determined: ")


def test_gain_solves_its_own_equation() -> None:
    old, new = (run(ledger(t, s), LAW, objective="squares", resamples=50) for t, s in ((OLD, 0), (NEW, 1)))
    told = gain(old, new, ("old", "new"))
    i = 20
    c, g = told.flops[i], told.value[i]
    goal = best_loss(frontier(new, new.theta), np.array([c]))[0]
    root = brentq(
        lambda log: best_loss(frontier(old, old.theta), np.array([np.exp(log)]))[0] - goal,
        np.log(c) - 9,
        np.log(c) + 9,
    )
    assert g == pytest.approx(np.exp(root) / c, rel=1e-6)


def test_a_planted_exponent_is_seen_and_an_equal_one_is_not() -> None:
    steeper = {**OLD, "alpha": 0.40, "A": 1200.0}
    found = compare(
        {"a": ledger(OLD, 0), "b": ledger(steeper, 1), "c": ledger(OLD, 2)},
        objective="squares",
        resamples=300,
    )
    row = next(r for r in found.exponents if r.name == "alpha")
    assert 0 < row.differences["b"].p < 0.001
    assert row.differences["b"].estimate.method.endswith("300 resamples; p by the tail of a normal")
    line = next(line for line in repr(found).splitlines() if line.startswith("  alpha "))
    # Of 300 draws no smaller p can be counted.
    assert line.split(" | ")[3].endswith(" p < 0.001")
    assert row.differences["b"].estimate.interval[0] > 0
    assert row.differences["c"].p > 0.05
    models = {
        m["model"]: m
        for m in compare({"a": ledger(OLD, 0), "b": ledger(OLD, 3)}, resamples=50, objective="squares").shared
    }
    assert models["one law for all"]["p_against_separate"] > 0.01
    assert not any(model["told_apart"] for model in models.values())


def test_paired_noise_cancels_in_differences() -> None:
    one = ledger(OLD, 0, noise=0.01)
    own = np.exp(1e-4 * np.random.default_rng(1).standard_normal(35))
    shifted = one.frame.assign(loss=one.frame["loss"] * 0.99 * own)
    together = compare({"a": one, "b": table.read(shifted)}, objective="squares", resamples=200)
    apart = compare(
        {"a": one, "b": table.read(shifted.drop(columns=["size", "budget_flops", "seed"]).head(34))},
        objective="squares",
        resamples=200,
    )
    width = [
        np.diff(next(r for r in c.exponents if r.name == "alpha").differences["b"].estimate.interval)[0]
        for c in (together, apart)
    ]
    assert together.pairs == "size and budget_flops and seed"
    assert apart.pairs is None
    assert width[0] < 0.1 * width[1]


def test_pairing_reorders_and_refuses_what_does_not_match() -> None:
    one = ledger(OLD, 0)
    mixed = table.read(one.frame.sample(frac=1, random_state=0))
    tables, columns = paired([one, mixed], LAW.variables)
    assert np.array_equal(tables[1].values["L"], one.values["L"])
    assert columns == "size and budget_flops and seed"
    assert paired([one, one.take(np.arange(30))], LAW.variables) is None


def test_what_is_held_has_no_interval_of_its_difference() -> None:
    tables = [ledger(OLD, 0), ledger(NEW, 1)]
    found = compare(dict(zip("ab", tables, strict=True)), objective="squares", resamples=50, fixed={"E": 1.7})
    rows = {row.name: row.differences["b"] for row in found.exponents}
    assert rows["E"].to_json() == {
        "value": 0.0,
        "interval": None,
        "level": 0.95,
        "method": "the same in every resample",
        "p": None,
    }
    assert rows["alpha"].estimate.interval[0] < rows["alpha"].estimate.interval[1]
    line = next(line for line in repr(found).splitlines() if line.startswith("  E "))
    assert line == "  E      a 1.7 | b 1.7 | b − a 0"


def test_a_difference_without_finite_draws_is_not_called_the_same() -> None:
    none = np.full(50, np.nan)
    found, p = difference((1.0, none), (1.0, none), spare=None, level=0.95, method="draws")
    assert found.interval is None
    assert found.method.startswith("draws: too few finite draws")
    assert np.isnan(p)


def test_runs_are_paired_by_the_values_of_the_variables_under_any_name() -> None:
    bare = ledger(OLD, 0).frame[["params", "tokens", "loss"]]
    mixed = bare.sample(frac=1, random_state=0)
    for names in ({}, {"params": "N", "tokens": "D"}, {"params": "Model Size", "tokens": "seen"}):
        columns = {"N": names.get("params", "params"), "D": names.get("tokens", "tokens")}
        tables = [table.read(part.rename(columns=names), columns=columns) for part in (bare, mixed)]
        found = paired(tables, LAW.variables)
        assert found is not None
        assert found[1] == "N and D"
        assert np.array_equal(found[0][1].values["L"], tables[0].values["L"])
    # Seeds tell runs of one N and D apart, and pair with the run of their own seed.
    seeds = [
        table.read(pd.concat([part.assign(seed=k, loss=part["loss"] + k) for k in order]))
        for part, order in ((bare, (0, 1)), (mixed, (1, 0)))
    ]
    found = paired(seeds, LAW.variables)
    assert found is not None
    assert found[1] == "N and D and seed"
    assert np.array_equal(found[0][1].values["L"], seeds[0].values["L"])
    assert paired([tables[0], tables[1].take(np.arange(34))], LAW.variables) is None
    nudged = table.read(bare.assign(tokens=1.001 * bare["tokens"]))
    assert paired([table.read(bare), nudged], LAW.variables) is None


def test_a_joint_law_without_sharing_is_its_parts() -> None:
    law = joint(LAW, ["x", "y"], ["E"])
    assert law.names == ("E", "A[x]", "A[y]", "B[x]", "B[y]", "alpha[x]", "alpha[y]", "beta[x]", "beta[y]")
    values = {"E": 1.7} | {f"{k}[{g}]": v for k, v in OLD.items() if k != "E" for g in "xy"}
    x = {"N": np.array([1e7, 1e8]), "D": np.array([1e9, 1e9]), GROUP: np.array([0, 1])}
    assert np.allclose(law.predict(values, x), LAW.predict(OLD, x))
    theta = law.vector(values)
    step = 1e-6 * theta[1]
    moved = theta.copy()
    moved[1] += step
    rise = (law.predict(moved, x) - law.predict(theta, x)) / step
    assert np.allclose(law.gradient(theta, x)[:, 1], rise, rtol=1e-4)
    with pytest.raises(ConfigError, match="two or more groups"):
        joint(LAW, ["x"], [])


def test_no_common_compute_and_one_table_are_refused() -> None:
    near, far = (
        run(ledger(OLD, 0), LAW, resamples=30),
        run(ledger(OLD, 1, low=1e22, high=1e24), LAW, resamples=30),
    )
    with pytest.raises(FitError, match="no compute in common"):
        gain(near, far, ("near", "far"))
    with pytest.raises(ConfigError, match="two tables or more"):
        compare({"a": ledger(OLD, 0)})
