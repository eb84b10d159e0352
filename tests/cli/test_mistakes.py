"""Mistakes at the command line end in one sentence and a non-zero exit code."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scaling import cli


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the corpora that plans need are built once."""
    return tmp_path_factory.mktemp("results")


@pytest.fixture
def runs(tmp_path: Path, results: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """A working folder with `runs.csv`: the law of Hoffmann et al. on three budgets, with a little noise."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCALING_RESULTS", str(results))
    draw = np.random.default_rng(0)
    budget = np.repeat(np.geomspace(1e18, 1e20, 3), 6)
    params = np.sqrt(budget / 120) * np.tile(np.geomspace(0.3, 3, 6), 3)
    tokens = budget / (6 * params)
    loss = (1.7 + 400 / params**0.34 + 410 / tokens**0.28) * np.exp(draw.normal(0, 0.002, 18))
    frame = pd.DataFrame({"params": params, "tokens": tokens, "flops": budget, "loss": loss})
    frame.to_csv("runs.csv", index=False)
    return frame


def ends(line: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit code of a command."""
    monkeypatch.setattr(sys, "argv", ["scaling", *line])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return int(stop.value.code or 0)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["fitt"], "did you mean 'fit'"),
        (["fit"], "missing argument"),
        (["fit", "runs.csv", "--nope"], "no such option"),
        (["fit", "runs.csv", "--resamples", "many"], "--resamples"),
        (["fit", "runs.csv", "--d", " "], "--d is empty"),
        (["fit", "runs.csv", "--d", "flops > 3"], "is true or false"),
        (["fit", "runs.csv", "--seed", "-1"], "seed is -1"),
        (["fit", "a" * 5000], "has 5,000 characters, too many for a file"),
        (["fit", "runs.csv", "--quick", "--resamples", "0", "--out", "a" * 5000], "too many for a file"),
        (["fit", "latin.csv"], "is not UTF-8 text (byte 0xe9"),
        (["fit", "grouped.csv"], "choose --decimal , (decimal mark) or --decimal . (thousands)"),
        (["next", "runs.csv", "--reach", "0"], "the reach is 0"),
        (["next", "runs.csv", "--cells", "0"], "at least 1 cell"),
        (["next", "runs.csv", "--simulations", "-1"], "0 simulations"),
        (["import", "runs.csv", "--into", "../elsewhere"], "without slashes"),
        (["plan", "demo", "=3"], "has no key; write key=value"),
        (["plan", "demo", "start.rank=4"], "needs a trained run to start from"),
        (["plan", "demo", "start=lora", "start.run=0123456789abcdef"], "there is no finished run"),
        (["plan", "transfer", "corpus=sotu", "start.sweep=none"], "type first: scaling run"),
        (["compress", "none"], "there is no ledger"),
        (["compress", "demo", "--bits", "1"], "between 2 and 16"),
        (["compress", "demo", "--sparsity", "1"], "must be a number from 0, below 1"),
        (["compress", "demo", "--scope", "row"], "--scope"),
        (["plan", "demo", "family=3"], "write key=value"),
        (["plan", "demo", "family=llama,mine.py:Bag"], "give your own as family=path.py:Name"),
        (["plan", "demo", "family=nowhere.py:Bag"], "there is no file 'nowhere.py'"),
        (["plan", "demo", "context=long"], "context is 'long'; it must be a whole number"),
        (["plan", "demo", "sweep.budgets=[]"], "sweep.budgets is empty"),
        (["plan", "demo", "sweep.name=../elsewhere"], "without slashes"),
    ],
)
def test_one_sentence(
    runs: pd.DataFrame,
    line: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    runs.assign(params=[f"{int(n) % 900_000 + 1000:,}" for n in runs["params"]]).to_csv(
        "grouped.csv", index=False
    )
    Path("latin.csv").write_bytes(b"params,tokens,loss\n1e6,1e7,\xe9 3\n")
    assert ends(line, monkeypatch) == 2
    out, err = capsys.readouterr()
    assert said.lower() in err.lower()
    assert err.startswith("scaling: ")
    assert err.count("\n") == 1
    assert not out


@pytest.mark.parametrize("verb", ["fit", "figures", "report", "compare", "next"])
def test_a_ledger_of_another_schema_is_refused(
    runs: pd.DataFrame, verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("later").mkdir()
    runs.assign(run_id=range(len(runs)), schema=99).to_parquet("later/ledger.parquet")
    assert ends([verb, "./later", *(["runs.csv"] if verb == "compare" else [])], monkeypatch) == 2
    assert "has schema version 99; this package reads versions 1 and 2" in capsys.readouterr().err


def test_a_folder_is_no_file_to_write(
    runs: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        ends(
            ["fit", "runs.csv", "--out", ".", "--bootstrap", "none", "--starts", "2", "--quick"], monkeypatch
        )
        == 2
    )
    assert "is a folder" in capsys.readouterr().err


def test_one_budget_of_few_runs_is_reported_in_words(
    runs: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs.head(6).to_csv("runs.csv", index=False)
    assert ends(["fit", "runs.csv", "--resamples", "20", "--starts", "4"], monkeypatch) == 0
    said = capsys.readouterr().out
    assert "all runs spent one compute budget" in said
    assert "no law is named: chinchilla itself is not determined by these rows" in said


def test_a_column_that_cannot_be_used_is_named(
    runs: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs["flops"] = runs["flops"].astype(object)
    runs.loc[3, "flops"] = "lost"
    runs.to_csv("runs.csv", index=False)
    assert ends(["fit", "runs.csv", "--resamples", "20", "--starts", "4", "--quick"], monkeypatch) == 0
    assert "C is not used: column 'flops' (C) holds the text 'lost' in row 4" in capsys.readouterr().out
