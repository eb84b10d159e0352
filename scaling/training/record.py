"""Write, read and check a run's record: a flat JSON object with one key per column."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from scaling import files
from scaling.errors import StorageError, TableError
from scaling.files import atomic, parse_json, set_aside
from scaling.tables import schema
from scaling.tables.schema import ADDED, COLUMNS, READABLE, STATUSES
from scaling.training.paths import RunPaths

CONTINUED = ("failed", "out_of_memory")
"""Statuses of a run that keeps its checkpoint, from which `sweep.retry` continues it."""
SCIENCE = ("family", "seed", "params", "steps", "batch_sequences", "learning_rate")
"""Columns that a run id decides and that a plan knows; cells of several sizes or budgets can be one run."""
_CONFIG = {
    "seed": ("seed",),
    "size": ("family", "size"),
    "context": ("context",),
    "dtype": ("device", "dtype"),
    "budget_flops": ("budget", "flops"),
    "recipe": ("recipe", "name"),
}
"""Columns that the stored config states too, with their keys."""


class Damaged(StorageError):
    """A record that is not whole."""


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
        Damaged: when the file is not a whole record; it is renamed to `record.json.damaged`, so that the run
            can be repeated.
        StorageError: when the file cannot be read.
        TableError: when another version of this package wrote it, or a value cannot be that of this run.
        FileNotFoundError: when there is no record.
    """
    try:
        return stored(paths)
    except Damaged as error:
        aside = set_aside(paths.record)
        raise Damaged(
            f"{error}; it was renamed to {aside.name}; run the sweep again to repeat this run"
        ) from None


def stored(paths: RunPaths) -> dict[str, Any]:
    """Return the record as `read` does, and leave a damaged one where it is."""
    try:
        content = files.content(paths.record)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise StorageError(
            f"{paths.record} cannot be read: {(error.strerror or str(error)).lower()}; change its "
            f"permissions, or remove it to repeat the run"
        ) from None
    try:
        record = parse_json(content)
    except ValueError as error:
        raise Damaged(
            f"{paths.record} is damaged ({len(content)} bytes, not a whole record: {error})"
        ) from None
    if not isinstance(record, dict) or "schema" not in record:
        raise Damaged(f"{paths.record} is damaged ({len(content)} bytes, not a whole record)")
    complete: dict[str, Any] = dict.fromkeys(ADDED) | record
    check(complete, paths)
    return complete


def find(paths: RunPaths, science: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """Return the record, or None if the run has no record or a damaged one, which `read` renames.

    `science` are columns of the cell as it was planned. Raises TableError when another version of this
    package wrote the record, or when it is that of another cell, and StorageError when it cannot be read.
    """
    try:
        found = read(paths)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except Damaged as error:
        sys.stderr.write(f"scaling: {error}\n")
        return None
    cell = science or {}
    for name in foreign(found, cell):
        raise TableError(
            f"{paths.record} has {found[name]!r} for {name!r} and this cell {cell[name]!r}, so it is the "
            "record of another cell; remove the file to repeat the run"
        )
    return found


def foreign(record: Mapping[str, Any], science: Mapping[str, Any]) -> list[str]:
    """Return the columns in which a record differs from its cell as it was planned."""
    return [name for name in SCIENCE if name in science and record[name] != science[name]]


def check(record: Mapping[str, Any], paths: RunPaths) -> None:
    """Raise TableError for the first field that is missing, unknown or of the wrong type."""
    version = record.get("schema")
    if version not in READABLE:
        raise TableError(
            f"{paths.record} has schema version {version!r}, this version of scaling reads "
            f"{' and '.join(map(str, READABLE))}; "
            f"choose another folder with results=FOLDER or use the version of scaling that wrote it"
        )
    missing = [name for name in (*COLUMNS, "config") if name not in record]
    unknown = [name for name in record if name not in COLUMNS and name != "config"]
    if missing or unknown:
        fault: str | None = (
            f"lacks {missing[0]!r}" if missing else f"has {unknown[0]!r}, which is not a column"
        )
    else:
        fault = schema.fault(record, COLUMNS) or _contradiction(record, paths)
    if fault:
        raise TableError(f"{paths.record} {fault}; remove the file to repeat the run")


def _contradiction(record: Mapping[str, Any], paths: RunPaths) -> str | None:
    """Return in what a record of proper values contradicts itself or its folder; None if in nothing."""
    if record["run_id"] != paths.run_id:
        return f"is the record of run {record['run_id']!r} in the folder of another run"
    if record["status"] not in STATUSES:
        return f"has status {record['status']!r}, not one of {', '.join(STATUSES)}"
    if record["status"] == "done" and record["loss"] is None:
        return "has status 'done' and no value for 'loss'"
    try:
        config = parse_json(str(record["config"]).encode())
    except ValueError as error:
        return f"has a 'config' that cannot be read ({error})"
    for name, keys in _CONFIG.items():
        value = config
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None and value != record[name]:
            return f"has {record[name]!r} for {name!r} and {value!r} in its config"
    return None
