"""What commands print and write as JSON: whole, or nothing; numbers that are not finite are null."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scaling import cli
from scaling.cli import emit, to_json
from scaling.cli.fits import write
from scaling.errors import StorageError
from scaling.fitting import laws
from scaling.fitting.fit_file import refit


def test_numbers_that_are_not_finite_become_null_everywhere() -> None:
    payload = {
        "a": [1.5, float("inf"), (float("nan"), -np.inf)],
        "b": {"c": np.float64("nan"), "d": np.int64(3), "e": np.array([1.0, np.inf]), "f": np.True_},
        "g": date(2024, 1, 2),
        "h": None,
    }
    assert json.loads(to_json(payload)) == {
        "a": [1.5, None, [None, None]],
        "b": {"c": None, "d": 3, "e": [1.0, None], "f": True},
        "g": "2024-01-02",
        "h": None,
    }


def test_a_payload_that_is_no_json_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TypeError):
        emit({"fine": 1, ("a", "b"): 2}, True, lambda: None)
    assert capsys.readouterr().out == ""


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        write(tmp_path / "taken" / "fit.json", "{}")
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two budgets of runs in a file of semicolons and decimal commas."""
    monkeypatch.chdir(tmp_path)
    c = np.repeat([1e18, 1e20], 6)
    n = np.sqrt(c / 120) * np.tile(np.geomspace(0.3, 3, 6), 2)
    truth = {"E": 1.7, "A": 400.0, "B": 410.0, "alpha": 0.34, "beta": 0.28}
    loss = laws.get("chinchilla").predict(truth, {"N": n, "D": c / 6 / n})
    frame = pd.DataFrame({"params": n.round(), "tokens": (c / 6 / n).round(), "loss": loss.round(3)})
    frame.astype({"params": int, "tokens": int}).to_csv("runs.csv", sep=";", decimal=",", index=False)
    return tmp_path / "runs.csv"


def typed(
    line: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["scaling", *line])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_a_fit_goes_through_decimal_and_profile_and_back(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [
        "--decimal",
        ",",
        "--profile",
        "cubic",
        "--resamples",
        "60",
        "--starts",
        "4",
        "--out",
        "fit.json",
    ]
    code, out, err = typed(["fit", table.name, *asked, "--json"], monkeypatch, capsys)
    assert code == 0, err
    found = json.loads(out)
    assert json.loads(Path("fit.json").read_text())["parameters"] == found["parameters"]
    assert found["input"]["decimal"] == ","
    assert found["options"]["curve"] == found["approaches"]["2"]["curve"] == "cubic"
    again = refit(Path("fit.json"))
    assert again.values == {name: row["value"] for name, row in found["parameters"].items()}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            ["--column", "Q=loss"],
            "the letter of a column must be one of 'C', 'D', 'L', 'N', 'S', 'U'; not 'Q'",
        ),
        (["--n", "params", "--d", "params"], "the column 'params' is named for both N and D"),
        (["--profile", "square"], "the curve of approach 2 must be one of"),
        (["--decimal", ";"], "--decimal must be one of"),
        (["--loss", "max(loss, 1)"], "calls a function that is not allowed; use log"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    table: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    line: list[str],
    sentence: str,
) -> None:
    code, out, err = typed(["fit", table.name, *line, "--json"], monkeypatch, capsys)
    assert (code, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1
