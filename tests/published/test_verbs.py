"""The verbs laws, fetch and reproduce, as typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scaling.cli import app
from scaling.errors import ConfigError, TableError

runner = CliRunner()


def test_laws_lists_formula_and_source() -> None:
    done = runner.invoke(app, ["laws", "--json"])
    assert done.exit_code == 0
    known = {law["name"]: law for law in json.loads(done.stdout)["laws"]}
    assert len(known) >= 40
    assert known["repeats"]["variables"] == ["N", "D", "U"]
    assert "2305.16264" in known["repeats"]["source"]
    assert all(law["formula"] and law["source"] for law in known.values())
    assert "repeats" in runner.invoke(app, ["laws"], env={"COLUMNS": "200"}).stdout


def test_laws_shows_the_parameters_of_one() -> None:
    done = runner.invoke(app, ["laws", "over-training", "--json"])
    assert [p["name"] for p in json.loads(done.stdout)["parameters"]] == ["E", "a", "b", "eta"]
    assert "M_star" in runner.invoke(app, ["laws", "over-training"]).stdout
    assert isinstance(runner.invoke(app, ["laws", "over-trainig"]).exception, ConfigError)
    only = json.loads(runner.invoke(app, ["laws", "--kind", "curve", "--json"]).stdout)["laws"]
    assert {law["name"] for law in only} == {"annealing", "collapse", "multi-power"}
    assert isinstance(runner.invoke(app, ["laws", "--kind", "curv"]).exception, ConfigError)


def test_fetch_lists_and_brings(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALING_MIRROR", str(mirror))
    listed = json.loads(runner.invoke(app, ["fetch", "--json"]).stdout)["tables"]
    assert {"chinchilla", "datablations"} <= {row["name"] for row in listed}
    assert "mirror only" in runner.invoke(app, ["fetch"], env={"COLUMNS": "200"}).stdout
    got = json.loads(runner.invoke(app, ["fetch", "olmo-ladder", "--json"]).stdout)["tables"][0]
    assert Path(got["path"]).is_file()
    assert isinstance(runner.invoke(app, ["fetch", "olmo"]).exception, TableError)


def test_reproduce_prints_and_writes(mirror: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SCALING_MIRROR", str(mirror))
    asked = ["reproduce", "gadre", "--json", "--write", str(tmp_path / "out")]
    done = runner.invoke(app, asked)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["summary"]["reproduced"] == 6
    assert (tmp_path / "out" / "outcomes.csv").is_file()
    assert "6 reproduced" in runner.invoke(app, ["reproduce", "gadre"]).stdout
    listed = runner.invoke(app, ["reproduce", "--list"]).stdout
    assert "repeats/stars" in listed
    assert isinstance(runner.invoke(app, ["reproduce", "gadr"]).exception, ConfigError)
