"""The ledger: what it collects, what it refuses, how two become one. Read back with pandas, which we did not
write.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from scaling.errors import StorageError, TableError
from scaling.sweeping import lease, ledger, status
from scaling.tables import ledger as stored
from scaling.tables import schema
from scaling.training import record
from scaling.training.paths import RunPaths

VALUES = {"string": "x", "int64": 1, "float64": 0.5, "bool": False}


def leave(results: Path, run_id: str, **given: Any) -> RunPaths:
    """A record, as a run would have left it."""
    row: dict[str, Any] = {name: VALUES[column.dtype] for name, column in schema.COLUMNS.items()}
    row |= {
        "run_id": run_id,
        "schema": schema.SCHEMA_VERSION,
        "status": "done",
        "reason": None,
        "config": "{}",
    }
    paths = RunPaths.of(results, run_id)
    paths.make()
    record.write(paths, row | given)
    paths.curve.write_text(
        "step,tokens,flops,loss_train,learning_rate,gradient_norm,loss\n1,64,1e3,5.5,0.1,1,\n2,128,2e3,5.4,0.1,1,5.3\n"
    )
    paths.positions.write_text("position,loss,loss_se\n0,5.5,0.1\n1,5.1,\n")
    return paths


def test_it_collects_records_and_curves(tmp_path: Path) -> None:
    for run_id in ("b", "a", "c"):
        leave(tmp_path, run_id, loss=1.5)
    rows = ledger.collect(tmp_path, "sweep", ["b", "a"])
    table = pd.read_parquet(tmp_path / "sweep" / "ledger.parquet")
    assert list(table.columns) == list(schema.COLUMNS)
    assert list(table.run_id) == ["a", "b"] == [row["run_id"] for row in rows]
    curves = pd.read_parquet(tmp_path / "sweep" / "curves.parquet")
    assert list(curves.run_id) == ["a", "a", "b", "b"]
    assert curves.loss.isna().tolist() == [True, False, True, False]


def test_losses_by_position_lie_beside_the_ledger(tmp_path: Path) -> None:
    for run_id in ("b", "a", "c"):
        leave(tmp_path, run_id)
    RunPaths.of(tmp_path, "c").positions.unlink()  # a regression has no positions
    ledger.collect(tmp_path, "sweep", ["a", "b", "c"])
    path = tmp_path / "sweep" / "positions.parquet"
    table = pd.read_parquet(path)
    assert list(table.columns) == ["run_id", "position", "loss", "loss_se"]
    assert list(table.run_id) == ["a", "a", "b", "b"]
    assert table.position.tolist() == [0, 1] * 2
    assert table.loss.tolist() == [5.5, 5.1] * 2
    assert table.loss_se.isna().tolist() == [False, True] * 2
    # a ledger from before there were such tables gets one
    path.unlink()
    ledger.collect(tmp_path, "sweep", ["a", "b", "c"])
    assert pd.read_parquet(path).equals(table)


def test_it_grows_without_reading_old_records_again(tmp_path: Path) -> None:
    leave(tmp_path, "a")
    ledger.collect(tmp_path, "sweep", ["a"])
    RunPaths.of(tmp_path, "a").record.unlink()
    leave(tmp_path, "b")
    assert [row["run_id"] for row in ledger.collect(tmp_path, "sweep", ["a", "b"])] == ["a", "b"]


def test_orphans_leave_the_ledger_and_keep_their_records(tmp_path: Path) -> None:
    for run_id in ("a", "b"):
        leave(tmp_path, run_id)
    ledger.collect(tmp_path, "sweep", ["a", "b"])
    assert [row["run_id"] for row in ledger.collect(tmp_path, "sweep", ["b"])] == ["b"]
    assert RunPaths.of(tmp_path, "a").record.exists()
    assert set(pd.read_parquet(tmp_path / "sweep" / "curves.parquet").run_id) == {"b"}


def test_a_truncated_record_is_set_aside(tmp_path: Path) -> None:
    leave(tmp_path, "a")
    damaged = leave(tmp_path, "b")
    damaged.record.write_bytes(damaged.record.read_bytes()[:100])
    assert ledger.finished(tmp_path, "sweep", ["a", "b"]) == {"a": "done"}
    assert (damaged.folder / "record.json.damaged").exists()
    assert [row["run_id"] for row in ledger.collect(tmp_path, "sweep", ["a", "b"])] == ["a"]


def test_two_ledgers_merge_by_concatenation(tmp_path: Path) -> None:
    for sweep, run_ids in (("one", "ab"), ("two", "bc")):
        for run_id in run_ids:
            leave(tmp_path, run_id)
        ledger.collect(tmp_path, sweep, run_ids)
    merged = ledger.merge([tmp_path / "one" / "ledger.parquet", tmp_path / "two" / "ledger.parquet"])
    assert merged.column("run_id").to_pylist() == ["a", "b", "c"]
    joined = pd.concat(pd.read_parquet(tmp_path / name / "ledger.parquet") for name in ("one", "two"))
    assert set(joined.run_id) == {"a", "b", "c"}


def test_another_schema_version_is_refused(tmp_path: Path) -> None:
    leave(tmp_path, "a")
    ledger.collect(tmp_path, "sweep", ["a"])
    path = tmp_path / "sweep" / "ledger.parquet"
    pd.read_parquet(path).assign(schema=99).to_parquet(path)
    with pytest.raises(TableError, match="schema version 99"):
        stored.rows(path)


def test_a_ledger_of_version_one_reads_with_null_in_younger_columns(tmp_path: Path) -> None:
    leave(tmp_path, "a")
    ledger.collect(tmp_path, "sweep", ["a"])
    path = tmp_path / "sweep" / "ledger.parquet"
    pd.read_parquet(path).assign(schema=1).drop(columns=list(schema.ADDED)).to_parquet(path)
    assert [stored.rows(path)[0][name] for name in schema.ADDED] == [None] * len(schema.ADDED)
    assert stored.rows(path, ["parent", "loss"])[0]["parent"] is None
    leave(tmp_path, "b", parent="a")
    rows = ledger.collect(tmp_path, "sweep", ["a", "b"])
    assert [(row["schema"], row["parent"]) for row in rows] == [(1, None), (2, "a")]
    merged = ledger.merge([path])
    assert merged.column("parent").to_pylist() == [None, "a"]


def test_a_record_of_version_one_reads_with_null_in_younger_columns(tmp_path: Path) -> None:
    paths = leave(tmp_path, "a")
    old = {k: v for k, v in json.loads(paths.record.read_text()).items() if k not in schema.ADDED}
    paths.record.write_text(json.dumps(old | {"schema": 1}))
    assert [record.read(paths)[name] for name in schema.ADDED] == [None] * len(schema.ADDED)
    del old["loss"]
    paths.record.write_text(json.dumps(old | {"schema": 1}))
    with pytest.raises(TableError, match="lacks 'loss'"):
        record.read(paths)


@pytest.mark.parametrize("content", [b"", b"PAR1 no more", b"run_id,loss\na,1\n"])
def test_a_damaged_ledger_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ledger.parquet").write_bytes(content)
    with pytest.raises(TableError, match="cannot be read"):
        stored.rows(tmp_path / "ledger.parquet")
    with pytest.raises(TableError, match="there is no ledger"):
        stored.rows(tmp_path / "none.parquet")


def test_a_table_that_is_no_ledger(tmp_path: Path) -> None:
    pd.DataFrame({"loss": [1.0]}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(TableError, match="is not a ledger"):
        stored.rows(tmp_path / "x.parquet")


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    leave(tmp_path, "a")
    (tmp_path / "sweep").write_text("a file")
    with pytest.raises(StorageError, match="cannot be written"):
        ledger.collect(tmp_path, "sweep", ["a"])


def test_status_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="has no sweeps yet"):
        status.status(tmp_path, "demo")


@pytest.mark.parametrize("name", ["record.json", "claim.json", "progress.json", "error.txt", "config.yaml"])
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_in_the_place_of_a_file_of_a_run_is_refused(
    tmp_path: Path, name: str, make: Callable[[Path], None]
) -> None:
    paths = leave(tmp_path, "a")
    (paths.folder / name).unlink(missing_ok=True)
    make(paths.folder / name)
    with pytest.raises(StorageError, match=f"{name} is a .* where a file should be; move it away"):
        paths.make()
    if name == "claim.json":
        with pytest.raises(StorageError, match="where a file should be"):
            lease.take(paths.claim)


@pytest.mark.parametrize("name", ["record.json", "curve.csv", "positions.csv"])
def test_a_pipe_among_the_files_of_a_run_is_not_waited_for(tmp_path: Path, name: str) -> None:
    paths = leave(tmp_path, "a")
    (paths.folder / name).unlink()
    os.mkfifo(paths.folder / name)
    assert len(ledger.collect(tmp_path, "sweep", ["a"])) == (name != "record.json")


@pytest.mark.parametrize("name", [stored.CURVES, stored.POSITIONS])
def test_a_pipe_beside_a_ledger_is_renamed(tmp_path: Path, name: str) -> None:
    leave(tmp_path, "a")
    ledger.collect(tmp_path, "sweep", ["a"])
    path = tmp_path / "sweep" / name
    path.unlink()
    os.mkfifo(path)
    ledger.collect(tmp_path, "sweep", ["a"])
    assert path.is_file()
    assert path.with_name(f"{name}.damaged").is_fifo()


@pytest.mark.parametrize("loss", [1e300, 1e-300, -1.0])
def test_a_loss_that_no_run_can_have_is_taken_from_the_record(tmp_path: Path, loss: float) -> None:
    paths = leave(tmp_path, "a", loss=1.5)
    ledger.collect(tmp_path, "sweep", ["a"])
    path = tmp_path / "sweep" / "ledger.parquet"
    ledger.write(ledger.table([row | {"loss": loss} for row in stored.rows(path)]), path)
    shown = status.status(tmp_path, "sweep")
    assert not shown.cells
    assert f"run 'a' has {loss!r} for 'loss'" in shown.notes[0]
    assert [row["loss"] for row in ledger.collect(tmp_path, "sweep", ["a"])] == [1.5]
    paths.record.write_text(paths.record.read_text().replace('"loss": 1.5', f'"loss": {loss}'))
    with pytest.raises(TableError, match="for 'loss', which is"):
        record.read(paths)
