"""A ledger is found by folder and by name, and read by both halves alike."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from scaling.errors import TableError
from scaling.tables import ledger
from scaling.tables.read import read


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SCALING_RESULTS", str(tmp_path))
    (tmp_path / "tiny").mkdir()
    runs = pd.DataFrame({"run_id": ["a", "b"], "schema": [1, 2], "loss": [3.0, None]})
    runs.to_parquet(tmp_path / "tiny" / "ledger.parquet")
    return tmp_path / "tiny"


def test_by_folder_and_by_name(folder: Path) -> None:
    path = folder / "ledger.parquet"
    assert ledger.find(folder) == ledger.find(str(folder)) == ledger.find("tiny") == path
    assert ledger.find(path) is None
    assert ledger.find("tinny") is None
    assert ledger.names() == ["tiny"]


def test_rows_and_frames_hold_the_same(folder: Path) -> None:
    path = folder / "ledger.parquet"
    rows, frame = ledger.rows(path, ["loss", "parent"]), read("tiny").frame
    assert [row["run_id"] for row in rows] == list(frame["run_id"]) == ["a", "b"]
    assert [row["loss"] for row in rows] == [3.0, None]
    assert math.isnan(frame["loss"][1])
    assert [row["parent"] for row in rows] == [None, None]
    assert frame.equals(ledger.frame(path, path.read_bytes()))


def test_a_ledger_of_another_schema_or_damaged_is_one_sentence(folder: Path) -> None:
    path = folder / "ledger.parquet"
    pd.DataFrame({"run_id": ["a"], "schema": [9]}).to_parquet(path)
    for read_it in (ledger.rows, ledger.arrow, ledger.frame, read):
        with pytest.raises(
            TableError, match="has schema version 9; this package reads versions 1 and 2; run"
        ):
            read_it(path)
    path.write_bytes(b"PAR1")
    for read_it in (ledger.rows, ledger.arrow, ledger.frame, read):
        with pytest.raises(TableError, match=r"cannot be read as Parquet .* to write it again"):
            read_it(path)


@pytest.mark.parametrize("loss", [1e300, 1e-300, -1.0])
def test_a_loss_that_no_run_can_have_is_not_read(folder: Path, loss: float) -> None:
    path = folder / "ledger.parquet"
    pd.DataFrame({"run_id": ["a", "b"], "schema": [2, 2], "loss": [3.0, loss]}).to_parquet(path)
    for read_it in (ledger.frame, read):
        with pytest.raises(TableError, match=r"run 'b' has .* for 'loss', .*; `scaling .*` writes its row"):
            read_it(path)
