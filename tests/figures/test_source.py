"""A folder of results that cannot be used is refused in one sentence that says what to type next."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import synthetic

from scaling.errors import TableError
from scaling.figures import source


def test_a_sweep_is_found_by_name_and_by_path(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALING_RESULTS", str(made.parent))
    assert source.read("made").digest == source.read(made).digest
    with pytest.raises(TableError, match=r"there are 'made'.*scaling run nothing"):
        source.read("nothing")


def test_a_folder_without_a_ledger(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"no ledger.parquet; .* run `scaling run"):
        source.read(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.assign(schema=7), r"schema version 7; this package reads versions 1 and 2"),
        (lambda t: t.drop(columns="loss"), "no column 'loss'"),
        (lambda t: t.head(0), "has no rows"),
    ],
)
def test_a_ledger_that_is_not_one(change, said: str, tmp_path: Path) -> None:
    change(synthetic.ledger()).to_parquet(tmp_path / "ledger.parquet")
    with pytest.raises(TableError, match=said):
        source.read(tmp_path)


def test_damaged_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "ledger.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(TableError, match="cannot be read as Parquet"):
        source.read(tmp_path)
    synthetic.make(tmp_path / "made")
    (tmp_path / "made" / "fit.json").write_text("{")
    with pytest.raises(TableError, match=r"fit\.json cannot be read as JSON"):
        source.read(tmp_path / "made")


def test_runs_that_did_not_end_well_are_in_no_figure(tmp_path: Path) -> None:
    runs = synthetic.ledger()
    runs.loc[0, "status"] = "diverged"
    runs.loc[1, "loss"] = float("nan")
    runs.loc[2, "status"] = "failed"
    runs.to_parquet(tmp_path / "ledger.parquet")
    found = source.read(tmp_path)
    assert len(found.runs) - len(found.done) == 3
    assert isinstance(found.done, pd.DataFrame)
