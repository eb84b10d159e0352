"""Forecasts held against what came, flat directions, and how a sweep went: the numbers that are said are
those of the rows behind them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import synthetic

from scaling.figures import catalogue, source
from scaling.figures.belief import profiles
from scaling.figures.runs import progress


def test_the_title_says_the_share_that_was_held(made: Path) -> None:
    found = source.read(made)
    data = catalogue.of(found, ["forecasts"])["forecasts"]
    assert found.fit is not None
    cuts = found.fit["validation"]["backtest"]["cuts"]
    rows = np.array([row[:3] for cut in cuts for row in cut["forecasts"]])
    held = np.mean(np.abs(rows[:, 1]) <= rows[:, 2])
    assert f"{100 * held:.2g}\u202f% of {len(rows)} forecasts" in data["title"]


def test_a_fit_that_was_not_backtested_says_why(tmp_path: Path) -> None:
    folder = synthetic.make(tmp_path / "made")
    fit = json.loads((folder / "fit.json").read_text())
    fit["validation"] |= {"backtest": None, "missing": {"backtest": "a backtest needs 13 rows"}}
    (folder / "fit.json").write_text(json.dumps(fit))
    said = catalogue.of(source.read(folder), ["forecasts"])["forecasts"]["missing"]
    assert "a backtest needs 13 rows" in said


def test_an_unbounded_parameter_is_named_and_its_interval_ends_at_the_line(made: Path) -> None:
    data = catalogue.of(source.read(made), ["profiles"])["profiles"]
    assert data["title"] == "The runs do not bound B"
    assert data["limit"] == pytest.approx(9 * 0.66**2, rel=0.01)


def test_profiles_of_another_ledger_are_not_drawn(tmp_path: Path) -> None:
    folder = synthetic.make(tmp_path / "made")
    fit = json.loads((folder / "fit.json").read_text())
    fit["validation"]["profiles"] = []
    fit["parameters"]["alpha"]["value"] = 0.9
    (folder / "fit.json").write_text(json.dumps(fit))
    data = catalogue.of(source.read(folder), ["profiles"])["profiles"]
    assert "scaling fit made" in data["missing"]


def test_profiles_are_made_where_the_fit_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from scaling.fitting.fit import fit as run

    folder = synthetic.make(tmp_path / "made", noise=0.002)
    fitted = run(str(folder), bootstrap="none", starts=4)
    fit = json.loads((folder / "fit.json").read_text())
    fit["validation"]["profiles"] = []
    for name, value in zip(fitted.law.names, fitted.theta, strict=True):
        fit["parameters"][name]["value"] = float(value)
    (folder / "fit.json").write_text(json.dumps(fit))
    monkeypatch.setattr(profiles, "POINTS", 7)
    data = catalogue.of(source.read(folder), ["profiles"])["profiles"]
    assert [p["name"] for p in data["profiles"]] == list(fitted.law.names)
    for p in data["profiles"]:
        assert min(p["rise"]) == pytest.approx(0, abs=1e-3)


def test_lanes_never_hold_two_runs_at_once() -> None:
    start, end = np.array([0.0, 0, 1, 2, 2.5]), np.array([2.0, 5, 3, 4, 6])
    assert progress._lanes(start, end) == [0, 1, 2, 0, 3]


def test_failed_cells_are_told_apart(tmp_path: Path) -> None:
    folder = synthetic.make(tmp_path / "made")
    runs = synthetic.ledger()
    runs.loc[0, "status"] = "diverged"
    runs.to_parquet(folder / "ledger.parquet")
    data = catalogue.of(source.read(folder), ["progress"])["progress"]
    assert f"{len(runs) - 1} of {len(runs)} cells done" in data["title"]
    assert "1 failed" in data["title"]


@pytest.mark.usefixtures("few_conventions")
def test_one_family_is_not_asked_for_a_comparison(tmp_path: Path) -> None:
    folder = synthetic.make(tmp_path / "made")
    (folder / "compare.json").unlink()
    assert "families" not in catalogue.of(source.read(folder))
    runs = synthetic.ledger()
    runs.loc[::2, "family"] = "gpt2"
    runs.to_parquet(folder / "ledger.parquet")
    assert "--by family" in catalogue.of(source.read(folder))["families"]["missing"]


def test_a_comparison_by_family_lands_where_the_report_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scaling.cli.comparisons import beside

    folder = synthetic.make(tmp_path / "results" / "made")
    monkeypatch.setenv("SCALING_RESULTS", str(tmp_path / "results"))
    assert beside(["made"], "family", None) == str(folder / "compare.json")
    assert beside(["made"], "seed", None) is None
    assert beside(["made"], "family", "seed == 0") is None
    assert beside([str(tmp_path / "table.csv")], "family", None) is None
