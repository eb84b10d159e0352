"""The spine: a table in, a fit out, the same twice, and the report in words and JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scaling.errors import ConfigError, FitError, StorageError
from scaling.fitting import laws
from scaling.fitting.fit import fit as run
from scaling.fitting.fit_file import contents, refit, save
from scaling.fitting.validation.validate import validate

TRUE = {"E": 1.7, "A": 400.0, "B": 900.0, "alpha": 0.34, "beta": 0.30}


def iso_flops(noise: float = 0.003, seed: int = 0) -> pd.DataFrame:
    """Five budgets of nine sizes around the optimum of the true law."""
    rng = np.random.default_rng(seed)
    budgets = np.geomspace(1e17, 1e20, 5)
    total = TRUE["alpha"] + TRUE["beta"]
    g = (TRUE["alpha"] * TRUE["A"] / (TRUE["beta"] * TRUE["B"])) ** (1 / total)
    rows = []
    for c in budgets:
        for factor in np.geomspace(1 / 6, 6, 9):
            n = factor * g * (c / 6) ** (TRUE["beta"] / total)
            rows.append({"params": n, "tokens": c / 6 / n, "flops": c, "budget_flops": c})
    frame = pd.DataFrame(rows)
    clean = laws.get("chinchilla").predict(TRUE, {"N": frame.params, "D": frame.tokens})
    frame["loss"] = clean * np.exp(noise * rng.standard_normal(len(frame)))
    return frame


def test_noiseless_data_give_the_parameters_back() -> None:
    fit = run(iso_flops(0.0), bootstrap="none")
    for name, value in TRUE.items():
        assert fit.values[name] == pytest.approx(value, rel=1e-6)
    assert fit.certificate.definite


def test_the_same_table_and_options_give_the_same_json() -> None:
    frame = iso_flops()
    first, second = (contents(run(frame, resamples=100)) for _ in range(2))
    assert json.dumps(first, allow_nan=False) == json.dumps(second, allow_nan=False)


def test_report_and_json_name_level_and_method() -> None:
    fit = run(iso_flops(), resamples=200, objective="squares")
    payload = contents(fit, validate(fit))
    low, high = payload["parameters"]["alpha"]["interval"]
    assert low < TRUE["alpha"] < high
    assert payload["parameters"]["alpha"]["level"] == 0.95
    assert "pairs bootstrap, 200 resamples" in payload["parameters"]["alpha"]["method"]
    assert (
        payload["approaches"]["2"]["a"]["interval"][0]
        < 0.469
        < payload["approaches"]["2"]["a"]["interval"][1]
    )
    assert {"a", "b", "G"} <= set(payload["derived"])
    assert len(payload["bootstrap"]["draws"]) == 200
    for word in ("alpha", "certificate", "ridge", "95%"):
        assert word in repr(fit)


def test_fixed_and_tied_parameters_are_obeyed() -> None:
    fit = run(iso_flops(), fixed={"E": 1.7}, tied={"beta": "alpha"}, bootstrap="none")
    assert fit.values["E"] == 1.7
    assert fit.values["alpha"] == fit.values["beta"]
    with pytest.raises(ConfigError, match="tie each parameter"):
        run(iso_flops(), fixed={"beta": 0.3}, tied={"beta": "alpha"})


def test_too_few_rows_and_odd_options_end_in_a_sentence() -> None:
    frame = iso_flops()
    with pytest.raises(FitError, match="5 free parameters and the table 4 rows"):
        run(frame.head(4))
    with pytest.raises(ConfigError, match="did you mean 'objective'"):
        run(frame, objectiv="lad")
    with pytest.raises(ConfigError, match="'huber'"):
        run(frame, objective="hubert")
    with pytest.raises(ConfigError, match="needs a column to group by"):
        run(frame, bootstrap="cluster")


def test_what_follows_from_held_parameters_has_no_interval() -> None:
    made = run(iso_flops(), fixed={"alpha": 0.34}, tied={"beta": "alpha"}, resamples=50)
    assert made.derived["a"].value == 0.5
    assert made.derived["a"].interval is None
    assert made.derived["G"].interval is not None


def test_a_file_holds_no_number_of_what_is_undetermined() -> None:
    n = np.geomspace(1e6, 1e9, 12)
    loss = (1.7 + 400 * n**-0.34) * np.exp(0.002 * np.random.default_rng(0).standard_normal(12))
    made = contents(run({"N": n, "D": 20 * n, "L": loss}, resamples=50))
    open_ = [name in made["certificate"]["undetermined"] for name in made["bootstrap"]["names"]]
    assert any(open_)
    for row in (*made["bootstrap"]["draws"], *(b["parameters"] for b in made["certificate"]["basins"])):
        assert all(value is None for value, hidden in zip(row, open_, strict=True) if hidden)


def test_an_exponent_without_effect_is_zero_where_no_floor_hides_it() -> None:
    rng = np.random.default_rng(0)
    n, d = np.geomspace(1e6, 1e9, 20), 10 ** rng.uniform(8, 11, 20)
    rate = 3 * d**-0.3 * np.exp(0.01 * rng.standard_normal(20))
    made = run({"N": n, "D": d, "learning_rate": rate}, "learning-rate", resamples=200)
    low, high = made.parameters["a"].interval or (1.0, -1.0)
    assert -0.01 < low < 0 < high < 0.01


def test_columns_and_options_are_keywords() -> None:
    frame = iso_flops().rename(columns={"params": "size", "loss": "val"})
    made = run(
        frame.assign(size=frame["size"] / 1e6),
        "chinchilla",
        N="size * 1e6",
        L="val",
        where="size > 0",
        bootstrap="none",
    )
    plain = run(iso_flops(), bootstrap="none")
    assert made.values == pytest.approx(plain.values, rel=1e-6)
    with pytest.raises(ConfigError, match="cannot be 'bootstrp'; did you mean 'bootstrap'"):
        run(frame, bootstrp="none")
    with pytest.raises(ConfigError, match=r"N is 100000000\.0; give the name of a column or an expression"):
        run(frame, N=1e8)


def test_a_repr_makes_no_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    made = run(iso_flops(), resamples=50)
    monkeypatch.setattr("scaling.fitting.estimation.newton.minimise", None)
    monkeypatch.setattr("scaling.fitting.estimation.solve.descend", None)
    words = repr(made)
    assert "certificate: " in words
    assert str(made.parameters["alpha"]) in words
    assert "backtest" not in words


def test_a_saved_fit_comes_back(tmp_path: Path) -> None:
    table, file = tmp_path / "runs.csv", tmp_path / "fit.json"
    iso_flops().to_csv(table, index=False)
    made = run(str(table), resamples=50)
    save(made, file)
    assert np.array_equal(refit(file).draws.theta, made.draws.theta)
    (tmp_path / "taken").touch()
    with pytest.raises(StorageError, match="the fit cannot be written"):
        save(made, tmp_path / "taken" / "fit.json")
