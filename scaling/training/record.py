"""Write, read and check a run's record: a flat JSON object with one key per column."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from scaling.errors import StorageError, TableError
from scaling.files import atomic, set_aside
from scaling.tables.schema import ADDED, COLUMNS, READABLE, STATUSES
from scaling.training.paths import RunPaths

CONTINUED = ("failed", "out_of_memory")
"""Statuses of a run that keeps its checkpoint, from which `sweep.retry` continues it."""
_PYTHON: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "int64": int,
    "float64": (int, float),
    "bool": bool,
}


def write(paths: RunPaths, record: Mapping[str, Any]) -> None:
    """Write the record atomically.

    Raises:
        TableError: when the record's fields are not the columns of the schema.
        StorageError: when the file cannot be written.
    """
    check(record, paths)
    ordered = {name: record[name] for name in (*COLUMNS, "config")}
    with atomic(paths.record, "the record") as file:
        file.write((json.dumps(ordered, indent=1, allow_nan=False) + "\n").encode())


def read(paths: RunPaths) -> dict[str, Any]:
    """Return the record of a finished run.

    Raises:
        StorageError: when the file is damaged; it is renamed to `record.json.damaged`, so that the run can be
            repeated.
        TableError: when another version of this package wrote it.
        FileNotFoundError: when there is no record.
    """
    text = paths.record.read_bytes()
    try:
        record = json.loads(text)
        if not isinstance(record, dict) or "schema" not in record:
            raise ValueError
    except ValueError:
        aside = set_aside(paths.record)
        raise StorageError(
            f"{paths.record} is damaged ({len(text)} bytes, not a whole record); it was renamed to "
            f"{aside.name}; "
            f"run the sweep again to repeat this run"
        ) from None
    complete: dict[str, Any] = dict.fromkeys(ADDED) | record
    check(complete, paths)
    return complete


def find(paths: RunPaths) -> dict[str, Any] | None:
    """Return the record, or None if the run has no record or a damaged one, which `read` renames.

    Raises TableError when another version of this package wrote it.
    """
    try:
        return read(paths)
    except (FileNotFoundError, NotADirectoryError, StorageError):
        return None


def check(record: Mapping[str, Any], paths: RunPaths) -> None:
    """Raise TableError for the first field that is missing, unknown or of the wrong type."""
    schema = record.get("schema")
    if schema not in READABLE:
        raise TableError(
            f"{paths.record} has schema version {schema!r}, this version of scaling reads "
            f"{' and '.join(map(str, READABLE))}; "
            f"choose another folder with results=FOLDER or use the version of scaling that wrote it"
        )
    missing = [name for name in (*COLUMNS, "config") if name not in record]
    foreign = [name for name in record if name not in COLUMNS and name != "config"]
    if missing or foreign:
        what = f"lacks {missing[0]!r}" if missing else f"has {foreign[0]!r}, which is not a column"
        raise TableError(f"{paths.record} {what}; remove the file to repeat the run")
    for name, column in COLUMNS.items():
        value = record[name]
        if value is None:
            if column.required:
                raise TableError(
                    f"{paths.record} has no value for {name!r}; remove the file to repeat the run"
                )
        elif not isinstance(value, _PYTHON[column.dtype]) or (
            column.dtype != "bool" and isinstance(value, bool)
        ):
            raise TableError(
                f"{paths.record} has {value!r} for {name!r}, which is {column.dtype}; remove the file to "
                "repeat the run"
            )
    if record["status"] not in STATUSES:
        raise TableError(
            f"{paths.record} has status {record['status']!r}, not one of {', '.join(STATUSES)}; "
            f"remove the file to repeat the run"
        )
    if record["status"] == "done" and record["loss"] is None:
        raise TableError(
            f"{paths.record} has status 'done' and no value for 'loss'; remove the file to repeat the run"
        )
