"""`scaling compare`, `allocate` and `next` as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from scaling.cli import app
from scaling.errors import ScalingError
from scaling.fitting import laws

LAW = laws.get("chinchilla")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCALING_RESULTS", str(tmp_path / "results"))
    rng = np.random.default_rng(0)
    parts = []
    for family, a in (("old", 400.0), ("new", 300.0)):
        c = np.repeat(np.geomspace(1e17, 1e20, 5), 7)
        n = 0.1 * c**0.47 * np.tile(np.geomspace(0.2, 5, 7), 5)
        truth = {"E": 1.7, "A": a, "B": 2.25 * a, "alpha": 0.34, "beta": 0.3}
        loss = LAW.predict(truth, {"N": n, "D": c / 6 / n}) * np.exp(0.003 * rng.standard_normal(35))
        parts.append(
            pd.DataFrame(
                {
                    "family": family,
                    "params": n,
                    "tokens": c / 6 / n,
                    "flops": c,
                    "budget_flops": c,
                    "loss": loss,
                }
            )
        )
        parts[-1].to_csv(tmp_path / f"{family}.csv", index=False)
    ledger = tmp_path / "results" / "both"
    ledger.mkdir(parents=True)
    pd.concat(parts).assign(run_id=[f"r{i}" for i in range(70)], status="done").to_parquet(
        ledger / "ledger.parquet"
    )
    return tmp_path


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.stdout


def test_compare_takes_what_a_fit_takes(folder: Path) -> None:
    asked = ("compare", "old.csv", "new.csv", "--resamples", "40", "--json", "--objective", "squares")
    found = json.loads(run(*asked, "--fix", "E=1.7", "--tie", "beta=alpha", "--bootstrap", "wild"))
    for row in found["exponents"]:
        if row["name"] == "E":
            assert {e["value"] for e in row["estimates"].values()} == {1.7}
    values = {row["name"]: row["estimates"]["old"]["value"] for row in found["exponents"]}
    assert values["alpha"] == values["beta"]
    assert {row["model"] for row in found["shared"]} == {
        "separate laws",
        "shared exponents",
        "one law for all",
    }
    methods = {row["name"]: row["differences"]["new"]["method"] for row in found["exponents"]}
    assert "wild bootstrap" in methods["alpha"]
    assert methods["E"] == "the same in every resample"
    clustered = json.loads(run(*asked, "--bootstrap", "cluster", "--cluster", "budget_flops"))
    assert "5 clusters" in clustered["gains"][0]["headline"]["method"]
    with pytest.raises(ScalingError, match="--delta is 'wide'; give a number above zero, or auto"):
        run(*asked, "--delta", "wide")


@pytest.mark.slow
def test_two_files_or_one_ledger_by_family_compare_alike(folder: Path) -> None:
    two = json.loads(run("compare", "old.csv", "new.csv", "--resamples", "40", "--json"))
    one = json.loads(
        run(
            "compare",
            "both",
            "--by",
            "family",
            "--base",
            "old",
            "--resamples",
            "40",
            "--json",
            "--out",
            "c.json",
        )
    )
    assert two["labels"] == one["labels"] == ["old", "new"]
    assert two["gains"][0]["headline"]["value"] == pytest.approx(
        one["gains"][0]["headline"]["value"], rel=1e-6
    )
    assert json.loads((folder / "c.json").read_text())["gains"]
    assert "compute-equivalent gain of new over old" in run(
        "compare", "old.csv", "new.csv", "--resamples", "20"
    )


def test_a_fit_file_allocates_without_being_told_again(folder: Path) -> None:
    run("fit", "old.csv", "--resamples", "60", "--out", "old.json", "--objective", "squares", "--quick")
    told = json.loads(run("allocate", "old.json", "1e21", "--json"))
    assert told["optimum"]["N"]["value"] > 0
    assert "total_flops" in run("allocate", "old.json", "1e21", "--inference", "1e11", "--data", "1e10")
    assert "cheapest way to a loss" in run("allocate", "old.json", "--to-loss", "2.5")
    assert "→ interval ×" in run("next", "old.json", "--cells", "2", "--simulations", "20")
    frame = pd.read_csv("old.csv")
    frame["loss"] += 0.01
    frame.to_csv("old.csv", index=False)
    with pytest.raises(ScalingError, match="has changed since"):
        run("allocate", "old.json", "1e21")


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["compare", "old.csv"], "two tables or more"),
        (["compare", "old.csv", "new.csv", "--by", "family"], "splits one table"),
        (["compare", "old.csv", "--by", "family"], "has only the value 'old'"),
        (["compare", "both", "--by", "family", "--base", "older"], "did you mean 'old'"),
        (["compare", "old.csv", "new.csv", "--label", "x"], "1 labels for 2 tables"),
        (["compare", "old.csv", "new.csv", "--label", "x", "--label", "x"], "its own name"),
        (["allocate", "old.csv"], "either a budget"),
        (["allocate", "old.csv", "1e20", "--to-loss", "3"], "either a budget"),
        (["allocate", "old.csv", "--to-loss", "3", "--data", "1e9"], "leave one of them out"),
        (["allocate", "absent.json", "1e20"], "no fit file"),
        (["next", "old.csv", "--for", "nothing"], "must be one of"),
    ],
)
def test_mistakes_end_in_a_sentence(folder: Path, arguments: list[str], part: str) -> None:
    with pytest.raises(ScalingError, match=part):
        run(*arguments)
