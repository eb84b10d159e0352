"""Collect records into the ledger, a Parquet file with one row per run.

Records never change, so records that are in the ledger already are not read again. Ledgers are merged by
concatenation.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaling import files
from scaling.errors import StorageError, TableError
from scaling.tables.ledger import CURVES, LEDGER, POSITIONS, Damaged, impossible, rows
from scaling.tables.schema import COLUMNS, CURVE_COLUMNS, POSITION_COLUMNS, Column
from scaling.training import record as records
from scaling.training.paths import RunPaths

if TYPE_CHECKING:
    import pyarrow as pa

Science = Mapping[str, Mapping[str, Any]]
"""Run id → columns that the plan computed from the config of the cell."""
_BESIDE = {CURVES: ("curve", CURVE_COLUMNS), POSITIONS: ("positions", POSITION_COLUMNS)}
"""Files beside a ledger → (file of each run that is collected, columns). Rows are sorted by run id and the
first column."""


def collect(
    results: Path, sweep: str, run_ids: Iterable[str], science: Science | None = None
) -> list[dict[str, Any]]:
    """Collect the records of `run_ids` into the sweep's ledger and return its rows, sorted by run id.

    The curves and the losses by position are collected beside the ledger. Each file is written atomically,
    and only if something changed. A damaged file is renamed, and a record that is not of its cell (`science`:
    run id → columns of the plan) is left out; both are said on standard error. Raises TableError for a ledger
    of another schema version, StorageError if the folder cannot be written.
    """
    wanted = sorted(set(run_ids))
    folder = results / sweep
    known = {row["run_id"]: row for row in _known(folder / LEDGER)}
    found: list[dict[str, Any]] = []
    fresh: list[str] = []
    for run_id in wanted:
        cell = (science or {}).get(run_id, {})
        row = known.get(run_id)
        if row is None or records.foreign(row, cell):
            row = _record(results, run_id, cell)
            if row is None:
                continue
            fresh.append(run_id)
        found.append({name: row.get(name) for name in COLUMNS})
    changed = bool(fresh) or len(found) != len(known) or not (folder / LEDGER).exists()
    if changed:
        write(table(found), folder / LEDGER)
    for name in _BESIDE:
        if changed or not _is_parquet(folder / name):
            _collect_beside(name, results, folder, [row["run_id"] for row in found], set(fresh))
    return found


def _known(path: Path, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Return the rows of a ledger, none if there is none or a damaged one, which is renamed.

    A row whose loss no run can have is left out, so that its record is read again.
    """
    try:
        found = rows(path, columns) if path.exists() else []
        return [row for row in found if impossible(row) is None]
    except Damaged as error:
        aside = files.set_aside(path)
        _say(f"{error.args[0].partition(';')[0]}; it was renamed to {aside.name} and is collected again")
        return []


def _record(results: Path, run_id: str, cell: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the record of a run, or None if there is none that can be used, and say why it cannot."""
    try:
        return records.find(RunPaths.of(results, run_id), cell)
    except (TableError, StorageError) as error:
        _say(str(error))
        return None


def _say(sentence: str) -> None:
    sys.stderr.write(f"scaling: {sentence}\n")


def forget(folder: Path, run_ids: Iterable[str]) -> None:
    """Remove the rows of runs that will be run again from a ledger."""
    gone = set(run_ids)
    if gone and (folder / LEDGER).exists():
        write(table([row for row in rows(folder / LEDGER) if row["run_id"] not in gone]), folder / LEDGER)


def merge(paths: Sequence[Path]) -> pa.Table:
    """Concatenate ledgers, keeping the first row of each run id."""
    seen: dict[str, dict[str, Any]] = {}
    for path in paths:
        for row in rows(path):
            seen.setdefault(row["run_id"], row)
    return table([seen[run_id] for run_id in sorted(seen)])


def table(found: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return rows as an Arrow table with the ledger's columns, types, and units and meanings as metadata."""
    import pyarrow as pa

    return pa.Table.from_pylist(
        [{name: row.get(name) for name in COLUMNS} for row in found], schema=_schema(COLUMNS)
    )


def write(found: pa.Table, path: Path) -> None:
    """Write a Parquet file atomically. Raises StorageError."""
    import pyarrow.parquet as pq

    content = io.BytesIO()
    pq.write_table(found, content, compression="zstd")
    files.write(path, content.getvalue(), "the ledger")


def _schema(columns: Mapping[str, Column]) -> pa.Schema:
    import pyarrow as pa

    kinds = {"string": pa.string(), "int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_()}
    return pa.schema(
        [
            pa.field(name, kinds[column.dtype], metadata={"unit": column.unit, "meaning": column.meaning})
            for name, column in columns.items()
        ]
    )


def _is_parquet(path: Path) -> bool:
    """Return whether a file is there and has the end of a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        files.check_kind(path)
        pq.read_metadata(path)
    except (pa.ArrowException, ValueError, OSError):
        return False
    return True


def _collect_beside(name: str, results: Path, folder: Path, run_ids: Sequence[str], fresh: set[str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    left, columns = _BESIDE[name]
    schema = _schema({"run_id": COLUMNS["run_id"], **columns})
    pieces = []
    old: set[str] = set()
    if (folder / name).exists():
        try:
            files.check_kind(folder / name)
            kept = pq.ParquetFile(folder / name).read()
            stay = set(run_ids) - fresh
            mask = pa.array([run_id in stay for run_id in kept.column("run_id").to_pylist()], type=pa.bool_())
            kept = kept.filter(mask).cast(schema)
            old = set(kept.column("run_id").unique().to_pylist())
            pieces.append(kept)
        except (pa.ArrowException, KeyError, ValueError, OSError):
            old = set()
            aside = files.set_aside(folder / name)
            _say(f"{folder / name} is damaged; it was renamed to {aside.name} and is collected again")
    for run_id in run_ids:
        if run_id not in old:
            path = getattr(RunPaths.of(results, run_id), left)
            pieces.append(pa.Table.from_pylist(_lines(path, run_id, columns), schema=schema))
    joined = pa.concat_tables(pieces) if pieces else schema.empty_table()
    write(joined.sort_by([("run_id", "ascending"), (next(iter(columns)), "ascending")]), folder / name)


def _lines(path: Path, run_id: str, columns: Mapping[str, Column]) -> list[dict[str, Any]]:
    """Return the rows of a run's CSV file, none if there is none or it cannot be read, which is said."""
    try:
        files.check_kind(path)
        with path.open(newline="", encoding="utf-8") as file:
            lines = csv.DictReader(file, strict=True)
            if lines.fieldnames is None or list(lines.fieldnames) != list(columns):
                raise ValueError(f"its columns are not {', '.join(columns)}")
            return [{"run_id": run_id, **_values(line, columns)} for line in lines]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        _say(f"{path} cannot be read ({(error.strerror or str(error)).lower()}), so its rows are left out")
    except (ValueError, OverflowError, csv.Error) as error:
        _say(f"{path} is damaged ({error}), so its rows are left out")
    return []


def _values(line: Mapping[str | None, Any], columns: Mapping[str, Column]) -> dict[str, Any]:
    """Return the values of one line. Raises ValueError or OverflowError for a line that no run wrote."""
    if None in line:
        raise ValueError("a line has more values than columns")
    row: dict[str, Any] = {}
    for name, column in columns.items():
        text = line[name]
        if text is None or (column.required and not text):
            raise ValueError(f"a line has no value for {name!r}")
        row[name] = None if text == "" else (int(float(text)) if column.dtype == "int64" else float(text))
        if column.dtype == "int64" and not 0 <= row[name] < 2**63:
            raise ValueError(f"a line has {text[:40]!r} for {name!r}")
    return row


def finished(
    results: Path, sweep: str, run_ids: Iterable[str], science: Science | None = None
) -> dict[str, str]:
    """Return the status of each of `run_ids` that has a record.

    Statuses come from the sweep's ledger, or else from the run's folder. What cannot be used is treated as in
    `collect`. Raises TableError for a ledger of another schema version.
    """
    known = {
        row["run_id"]: row for row in _known(results / sweep / LEDGER, ["status", "loss", *records.SCIENCE])
    }
    found = {}
    for run_id in run_ids:
        cell = (science or {}).get(run_id, {})
        row = known.get(run_id)
        if row is None or records.foreign(row, cell):
            row = _record(results, run_id, cell)
        if row is not None:
            found[run_id] = str(row["status"])
    return found
