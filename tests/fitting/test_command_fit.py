"""`scaling fit` as a person types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scaling import cli
from scaling.fitting import laws

ODD = [
    "--n",
    "Model Size",
    "--d",
    "`Training FLOP` / (6 * `Model Size`)",
    "--loss",
    "final loss",
    "--resamples",
    "60",
]


def typed(
    arguments: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    """`scaling` in this process: its exit code and what it said."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SCALING_RESULTS", str(folder / "results"))
    monkeypatch.setattr(sys, "argv", ["scaling", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0), *capsys.readouterr()


def scaling(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "SCALING_RESULTS": str(cwd / "results")}
    return subprocess.run(
        [sys.executable, "-m", "scaling", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    n, c = 10 ** rng.uniform(6, 8, 40), 10 ** rng.uniform(16, 19, 40)
    loss = laws.get("chinchilla").predict(
        {"E": 1.7, "A": 400.0, "B": 900.0, "alpha": 0.34, "beta": 0.3}, {"N": n, "D": c / 6 / n}
    ) * np.exp(0.003 * rng.standard_normal(40))
    pd.DataFrame({"Model Size": n, "Training FLOP": c, "final loss": loss}).to_csv(
        tmp_path / "runs.csv", index=False
    )
    ledger = tmp_path / "results" / "tiny"
    ledger.mkdir(parents=True)
    frame = pd.DataFrame(
        {
            "run_id": [f"r{i}" for i in range(40)],
            "status": "done",
            "params": n,
            "tokens": c / 6 / n,
            "loss": loss,
        }
    )
    frame.to_parquet(ledger / "ledger.parquet")
    return tmp_path


@pytest.mark.slow
def test_a_file_with_odd_columns_gives_json(folder: Path) -> None:
    done = scaling("fit", "runs.csv", *ODD, "--starts", "8", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    payload = json.loads(done.stdout)
    low, high = payload["parameters"]["alpha"]["interval"]
    assert low < payload["parameters"]["alpha"]["value"] < high
    assert {"objective", "certificate", "warnings", "derived", "approaches", "made"} <= set(payload)


def test_a_sweep_by_name_writes_beside_its_ledger_and_the_same_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["fit", "tiny", "--resamples", "60", "--quick"]
    code, out, err = typed(asked, folder, monkeypatch, capsys)
    assert code == 0, err
    assert "written:" in out
    assert "certificate" in out
    path = folder / "results" / "tiny" / "fit.json"
    one = json.loads(path.read_text())
    typed(asked, folder, monkeypatch, capsys)
    two = json.loads(path.read_text())
    one.pop("made"), two.pop("made")
    assert one == two


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["absent.csv"], "no table at"),
        (["runs.csv"], "no column 'params'"),
        (["runs.csv", *ODD, "--law", "chinchila"], "did you mean 'chinchilla'"),
        (["runs.csv", *ODD, "--delta", "small"], "--delta is 'small'"),
        (["runs.csv", *ODD, "--fix", "E"], "--fix 'E' is not NAME=number"),
        (["runs.csv", *ODD, "--column", "N=params"], "has two columns"),
        (["runs.csv", "--n", "open('x')"], "calls a function that is not allowed"),
        (["runs.csv", *ODD, "--bootstrap", "cluster"], "needs a column"),
    ],
)
def test_mistakes_end_in_one_sentence(
    folder: Path,
    arguments: list[str],
    part: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, _, said = typed(["fit", *arguments], folder, monkeypatch, capsys)
    assert code == 2
    assert part in said
    assert said.count("\n") == 1
