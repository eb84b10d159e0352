"""Checks that run unasked: against statsmodels where it has them, and that they find what was planted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.multitest import multipletests

from scaling.errors import FitError
from scaling.fitting import laws
from scaling.fitting.fit import fit as run
from scaling.fitting.law import Law, Parameter
from scaling.fitting.result import Fit
from scaling.fitting.validation.backtest import backtest
from scaling.fitting.validation.candidates import candidates
from scaling.fitting.validation.forecast import forecast
from scaling.fitting.validation.influence import influence, leave_one_size_out
from scaling.fitting.validation.multiverse import multiverse
from scaling.fitting.validation.replicates import lack_of_fit
from scaling.fitting.validation.selection import rejected, selection, vuong
from scaling.fitting.validation.validate import validate

LAW = laws.get("chinchilla")
TRUE = {"E": 1.7, "A": 400.0, "B": 900.0, "alpha": 0.34, "beta": 0.30}
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


def runs(n: int = 80, noise: float = 0.003, seed: int = 0, drift: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    c = 10 ** rng.uniform(17, 21, n)
    size = 0.1 * c**0.47 * 10 ** rng.uniform(-0.5, 0.5, n)
    frame = pd.DataFrame({"N": size, "D": c / 6 / size, "C": c})
    clean = LAW.predict(TRUE, {"N": frame["N"], "D": frame["D"]})
    bend = 1 + drift * np.log10(c / 1e17) ** 2
    return frame.assign(L=clean * bend * np.exp(noise * rng.standard_normal(n)))


@pytest.fixture(scope="module")
def fit() -> Fit:
    return run(runs(), LAW, objective="squares", resamples=300)


def test_backtests_of_a_true_law_cover_and_of_a_drifting_one_only_when_calibrated(fit: Fit) -> None:
    nominal, calibrated, total = backtest(fit).coverage()
    assert total > 100
    assert nominal > 0.8
    assert calibrated > 0.95
    drifting = run(runs(drift=0.01), LAW, objective="squares", resamples=300)
    tested = backtest(drifting)
    nominal, calibrated, _ = tested.coverage()
    assert nominal < 0.8
    assert calibrated > 0.9
    assert tested.to_json()["by_decades_beyond"]["all"]["nominal_coverage"] == nominal
    with pytest.raises(FitError, match="rows over a factor of 3"):
        backtest(run(runs(12), LAW, bootstrap="none"))


def test_forecasts_widen_with_distance_and_calibration_only_widens(fit: Fit) -> None:
    tested = backtest(fit)
    told = forecast(fit, backtests=tested, N=[1e9, 1e10, 1e11], D=[2e10, 2e11, 2e12])
    widths = [np.log(high / low) for low, high in (told.nominal, told.calibrated)]
    assert (np.diff(widths[0]) > 0).all()
    assert (widths[1] >= widths[0]).all()
    assert told.decades_beyond[2] == pytest.approx(np.log10(6 * 2e23 / fit.table.values["C"].max()))
    truth = LAW.predict(TRUE, {"N": np.array([1e10]), "D": np.array([2e11])})[0]
    assert told.nominal[0][1] < truth < told.nominal[1][1]


def test_a_size_left_out_is_predicted_and_a_planted_error_is_seen() -> None:
    frame = runs(60)
    frame["N"] = np.repeat(np.geomspace(1e7, 1e9, 6), 10)
    frame["D"] = frame["C"] / 6 / frame["N"]
    clean = LAW.predict(TRUE, {"N": frame["N"], "D": frame["D"]})
    frame["L"] = clean * np.exp(0.002 * np.random.default_rng(1).standard_normal(60))
    frame.loc[20:29, "L"] *= 1.03
    frame.loc[45, "L"] *= 1.3
    made = run(frame, LAW, resamples=100)
    sizes = leave_one_size_out(made)
    assert [row["rows"] for row in sizes] == [10] * 6
    assert sizes[2]["mean_error"] == pytest.approx(0.03, abs=0.012)
    found = influence(made)
    assert 46 in [row["row"] for row in found["outliers"]]
    squares = influence(run(frame, LAW, objective="squares", resamples=100))
    assert squares["most_influential"][0]["row"] == 46


def test_likelihood_and_lack_of_fit_are_those_of_statsmodels() -> None:
    rng = np.random.default_rng(0)
    x = np.repeat(np.arange(1.0, 7.0), 3)
    y = 10 + 2 * x + 0.3 * (x - 3.5) ** 2 + 0.2 * rng.standard_normal(18)
    made = run({"x": x, "y": y}, LINE, objective="squares", bootstrap="none")
    line = sm.OLS(y, sm.add_constant(x)).fit()
    mine = candidates(made)[0]
    assert mine.likelihood == pytest.approx(line.llf, rel=1e-9)
    assert mine.criteria()[1] == pytest.approx(
        line.bic + np.log(18), rel=1e-9
    )  # we count the noise scale, statsmodels does not
    cells = sm.OLS(y, pd.get_dummies(x).astype(float)).fit()
    f, p, _ = cells.compare_f_test(line)
    tested = lack_of_fit(made)
    assert tested["F"] == pytest.approx(f, rel=1e-6)
    assert tested["p"] == pytest.approx(p, rel=1e-6)
    assert tested["words"].startswith("the law misses")


def test_selection_prefers_the_truth_and_rejects_what_is_false(fit: Fit) -> None:
    found = {row["law"]: row for row in selection(fit)["candidates"]}
    assert found["chinchilla with E = 0"]["test"]["p"] < 1e-6
    assert found["power-floor-n"]["vuong"]["favours"] == "chinchilla"
    assert found["power-floor-n"]["vuong"]["p"] < 0.01
    assert found["chinchilla"]["delta_aicc"] < 4
    same = candidates(fit)[0]
    assert vuong(same, same) == (0.0, 1.0)


@pytest.mark.slow
def test_a_true_restriction_is_rejected_at_its_level() -> None:
    even = {**TRUE, "beta": 0.34}
    p = []
    for seed in range(25):
        frame = runs(60, seed=seed)
        clean = LAW.predict(even, {"N": frame["N"], "D": frame["D"]})
        frame["L"] = clean * np.exp(0.003 * np.random.default_rng(seed + 1000).standard_normal(60))
        made = run(frame, LAW, objective="squares", bootstrap="none", starts=4)
        row = next(c for c in selection(made)["candidates"] if c["law"] == "chinchilla with alpha = beta")
        p.append(row["test"]["p"])
    assert np.mean(np.array(p) < 0.05) < 0.2
    assert 0.3 < np.mean(p) < 0.7


def test_the_report_holds_every_check_and_the_json_too(fit: Fit) -> None:
    found = validate(fit)
    report = repr(found)
    for word in ("backtest over C", "selection:", "influence:", "multiverse of", "leaving sizes out"):
        assert word in report
    checks = found.to_json()
    assert {"backtest", "selection", "influence", "multiverse", "checklist", "lack_of_fit"} <= set(checks)
    assert len(checks["checklist"]) > 20
    assert all(row["answer"] for row in checks["checklist"])
    low, middle, high = checks["multiverse"]["spread"]
    assert low <= middle <= high
    assert {row["approach"] for row in checks["multiverse"]["rows"]} >= {3}


def test_conventions_of_a_ledger_become_rows_of_the_multiverse() -> None:
    frame = runs(60).rename(columns={"N": "params", "D": "tokens", "C": "flops", "L": "loss"})
    frame = frame.assign(
        params_embedding=0.2 * frame["params"] ** 0.9, params_head=0.0, flops_head=0.05 * frame["flops"]
    )
    made = run(frame, LAW, resamples=100)
    rows = multiverse(made)["rows"]
    assert {"as given", "without embedding", "blocks only"} <= {row.get("N") for row in rows}


def test_no_cut_falls_between_runs_of_one_asked_budget() -> None:
    rng = np.random.default_rng(0)
    rows = []
    for budget in (1e16, 2e16, 4e16, 8e16, 1.6e17):
        for N in np.geomspace(1e6, 1e8, 8):
            spent = budget * float(np.exp(rng.uniform(-0.01, 0.01)))
            loss = 1.7 + 400 * N**-0.34 + 400 * (spent / 6 / N) ** -0.28
            noisy = loss * float(np.exp(0.002 * rng.standard_normal()))
            rows.append({"N": N, "D": spent / 6 / N, "L": noisy, "C": spent, "budget_flops": budget})
    fit = run(pd.DataFrame(rows), bootstrap="none", starts=8)
    found = backtest(fit, resamples=50)
    for cut in found.cuts:
        assert cut.fitted % 8 == 0
        assert len(cut.error) % 8 == 0
    plain = found.to_json()
    assert plain["scale"] == "log"
    assert plain["cuts"][0]["factors_before"] is None
    assert plain["cuts"][0]["forecasts"][0][3:] == [None, None]
    for cut, kept in zip(found.cuts, plain["cuts"], strict=True):
        assert sorted(row[1] for row in kept["forecasts"]) == pytest.approx(sorted(cut.error))


@pytest.mark.slow
def test_no_law_is_named_where_the_one_asked_for_is_not_determined() -> None:
    n = np.geomspace(1e6, 1e9, 12)
    loss = (1.7 + 400 * n**-0.34) * np.exp(0.002 * np.random.default_rng(0).standard_normal(12))
    made = run({"N": n, "D": 20 * n, "L": loss}, bootstrap="none")
    assert selection(made)["words"] == "no law is named: chinchilla itself is not determined by these rows"


@pytest.mark.slow
def test_no_law_is_named_where_the_rows_lie_on_laws_to_rounding() -> None:
    made = run(runs(40, noise=0), LAW, bootstrap="none", starts=8)
    found = selection(made)
    assert found["words"].startswith("no law is named: the rows lie on chinchilla")
    assert found["words"].endswith(" to rounding, and no noise tells laws apart")
    assert found["best_by_aicc"] is None
    restricted = next(row for row in found["candidates"] if row["law"] == "chinchilla with E = 0")
    assert restricted["test"]["p"] < 1e-6


def test_outliers_do_not_hide_that_a_restriction_is_rejected() -> None:
    frame = runs(42, noise=0.004, seed=2)
    frame.loc[[3, 17, 30], "L"] += [0.8, 1.2, -0.3]
    found = selection(run(frame, LAW, bootstrap="none", starts=4))
    row = next(row for row in found["candidates"] if row["law"] == "chinchilla with E = 0")
    assert row["test"]["p"] < 1e-3
    assert found["words"] == "chinchilla is not told apart from chinchilla with alpha = beta by AICc"
    true = {**TRUE, "E": 0.0}
    frame = runs(42)
    frame["L"] *= LAW.predict(true, frame) / LAW.predict(TRUE, frame)
    words = selection(run(frame, LAW, bootstrap="none", starts=4))["words"]
    assert words.startswith("chinchilla is not told apart from chinchilla with E = 0")


@pytest.mark.slow
def test_restrictions_are_rejected_together_as_statsmodels_rejects_them() -> None:
    rng = np.random.default_rng(0)
    for _ in range(6):  # each collects all garbage of the process
        p = dict(zip("abcd", rng.uniform(0, 0.05, 4) ** 1.2, strict=True))
        expected = multipletests(list(p.values()), alpha=0.05, method="holm")[0]
        assert rejected(p) == {name for name, no in zip(p, expected, strict=True) if no}
