"""Import runs of other programs into a ledger.

A column that the ledger needs and the source lacks is an error that names the column; it is never guessed.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scaling.errors import TableError, one_of
from scaling.sweeping import ledger
from scaling.sweeping.import_programs import PROGRAMS, Row
from scaling.tables import read as tables
from scaling.tables.columns import cells, column
from scaling.tables.expression import short
from scaling.tables.files import ENDINGS
from scaling.tables.ledger import LEDGER, impossible
from scaling.tables.runs import DONE, select
from scaling.tables.schema import COLUMNS, SCHEMA_VERSION

NEEDED = ("family", "params", "tokens", "loss")
"""Columns that every ledger must have."""

NANOCHAT = {
    "flops_budget": "budget_flops",
    "depth": "depth",
    "model_dim": "width",
    "num_params": "params",
    "params_total": "params",
    "num_iterations": "steps",
    "tokens_trained": "tokens",
    "val_bpb": "bits_per_byte",
    "train_time_sec": "seconds",
}
"""Columns of both versions of nanochat's results.csv (runs/scaling_laws.sh) → columns of the ledger.

Its losses are in bits per byte, so a loss per token needs bytes_per_token.
"""


KINDS = ("table", "nanochat", *PROGRAMS)
"""Kinds that can be imported; a table is read as in `scaling fit`."""


def kind_of(path: Path) -> str:
    """Return the kind of a path, by file names only. Raises TableError if no kind matches."""
    if path.name == "trainer_state.json":
        return "trainer"
    summarised = (path / "files" / "wandb-summary.json").exists() or any(path.glob("run-*.wandb"))
    if path.name == "wandb-summary.json" or (path.is_dir() and summarised):
        return "wandb"
    if ".tfevents." in path.name or (path.is_dir() and any(path.glob("*.tfevents.*"))):
        return "tensorboard"
    if any(suffix.lower() in ENDINGS for suffix in path.suffixes):
        return "table"
    raise TableError(f"the kind of {path} is unknown; give it with --kind: {', '.join(KINDS)}")


def read(
    paths: Sequence[Path],
    *,
    kind: str | None,
    names: Mapping[str, str],
    values: Mapping[str, str],
    where: str | None = None,
    decimal: str | None = None,
) -> tuple[list[Row], list[str]]:
    """Read sources of one kind; return the rows of a ledger and notes on how they were read.

    `names` maps a ledger column to a column or an expression of the source. `values` sets a column for every
    row. Runs that are not done and rows for which `where` is not true are left out. A missing loss is
    computed from bits per byte where bytes_per_token is known: loss = bits_per_byte · ln 2 · bytes_per_token.
    Raises TableError, which names the missing or unreadable column and the option that gives it.
    """
    for name in {*names, *values}:
        if name not in COLUMNS:
            raise TableError(one_of("a column of the ledger", name, COLUMNS))
    if both := sorted(set(names) & set(values)):
        raise TableError(f"--name and --set both give {both[0]}; give it once")
    for name, value in values.items():
        if value != value.encode(errors="replace").decode():
            raise TableError(f"the value {short(value)} of {name} is not text; write it in UTF-8")
    rows: list[Row] = []
    notes: list[str] = []
    for path in paths:
        chosen = kind or kind_of(path)
        if chosen not in KINDS:
            raise TableError(one_of("--kind", chosen, KINDS))
        words = [*_WORDS, *(text for name, text in names.items() if name in _WORDS)]
        source: Any = path
        remarks: list[str] = []
        if chosen in PROGRAMS:
            row, remarks = PROGRAMS[chosen](path)
            source = [row]
        came = tables.read(source, decimal=decimal, text=words)
        frame = came.frame
        if chosen == "nanochat" or (kind is None and "tokens_trained" in frame.columns):
            frame = frame.assign(
                **{ours: frame[theirs] for theirs, ours in NANOCHAT.items() if theirs in frame}
            )
        frame, left_out = select(frame, str(path), where, by="objective" if "objective" in frame else None)
        try:
            rows += _rows(frame, str(path), names, values)
        except TableError as error:
            raise TableError("; ".join([str(error), *remarks])) from None
        notes += [*remarks, *came.notes, *left_out]
    again = [name for name, count in Counter(row["run_id"] for row in rows).items() if count > 1]
    if again:
        raise TableError(
            f"the run_id {short(again[0])} stands in several rows; give each run its own with --name "
            "run_id=COLUMN, and each file once"
        )
    return rows, notes


_FLAGS = {
    "true": True,
    "1": True,
    "1.0": True,
    "yes": True,
    "false": False,
    "0": False,
    "0.0": False,
    "no": False,
}
"""Words of flags, in lower case."""
_WORDS = [name for name, column in COLUMNS.items() if column.dtype == "string"]
"""Text columns, whose values are never converted to numbers, such as a run id of digits."""


def _rows(frame: pd.DataFrame, path: str, names: Mapping[str, str], values: Mapping[str, str]) -> list[Row]:
    """Return the rows of a ledger from a table."""
    texts = {name: name for name in COLUMNS if name in frame.columns} | dict(names)
    given = {
        name: [_scalar(value) for value in _typed(name, text, frame)]
        for name, text in texts.items()
        if name not in values
    }
    if values:
        constants = pd.DataFrame({name: [value or None] * len(frame) for name, value in values.items()})
        given |= {name: [_scalar(value) for value in _typed(name, name, constants)] for name in values}
        for name, value in values.items():
            if value and COLUMNS[name].dtype == "int64" and column(name, name, constants).iloc[0] % 1:
                raise TableError(f"--set {name}={value} is not a whole number, as {name} is")
    return [
        _row(
            {name: column[i] for name, column in given.items()},
            f"{path}, row {i + 1}",
            names,
            list(frame.columns),
        )
        for i in range(len(frame))
    ]


def _typed(name: str, text: str, frame: pd.DataFrame) -> pd.Series:
    """Return the values of one ledger column in its type, with missing values as None or NaN."""
    kind = COLUMNS[name].dtype
    if kind in ("string", "bool"):
        raw = cells(text, name, frame)
        words = raw.astype(str)
        if kind == "bool":
            words = words.str.lower().map(_FLAGS)
            if (odd := raw[words.isna() & raw.notna()]).any():
                raise TableError(
                    f"column {text!r} ({name}) holds {short(str(odd.iloc[0]))}; write true or false"
                )
        return words.astype(object).where(raw.notna(), None)
    numbers = column(text, name, frame, positive=name in NEEDED)
    if kind != "int64":
        return numbers
    if (numbers.abs() >= 2**63).any():
        raise TableError(
            f"column {text!r} ({name}) holds {numbers.abs().max():g}, but the largest whole number of a "
            "ledger is about 9.2e18; check its unit"
        )
    return numbers.astype(object).map(round, na_action="ignore")


def _scalar(value: Any) -> Any:
    """Return a value as a Python number or text, None if it is missing."""
    return None if pd.isna(value) else value.item() if isinstance(value, np.generic) else value


def _row(given: Row, where: str, names: Mapping[str, str], there: Sequence[str]) -> Row:
    """Return one complete ledger row. Raises TableError if a needed column is missing or empty."""
    row: Row = dict.fromkeys(COLUMNS) | given
    if row["loss"] is None and row["bits_per_byte"] is not None and row["bytes_per_token"] is not None:
        row["loss"] = row["bits_per_byte"] * math.log(2) * row["bytes_per_token"]
    missing = [column for column in NEEDED if row[column] is None]
    if missing:
        empty = [name for name in missing if name in given]
        if "loss" in missing and row["bytes_per_token"] and "bits_per_byte" in given:
            empty = ["bits_per_byte"]
        if empty:
            raise TableError(
                f"{where} has no value in {names.get(empty[0], empty[0])!r} for {empty[0]}, perhaps because "
                f"the run did not end; leave that row out with --where, or fill in the value"
            )
        hint = (
            " (or bytes_per_token, which converts bits_per_byte to loss)"
            if "loss" in missing and row["bits_per_byte"]
            else ""
        )
        raise TableError(
            f"{where} has no {' and no '.join(missing)}{hint}; give the source's column with --name "
            f"{missing[0]}=NAME, or one value for all rows with --set {missing[0]}=VALUE; the source has "
            f"{', '.join(map(str, there))}"
        )
    if wrong := impossible(row):
        raise TableError(f"{where} {wrong}; correct it, or leave that row out with --where")
    state = row["status"] or "done"
    row["status"] = "done" if state.strip().lower() in DONE else state
    row["schema"] = SCHEMA_VERSION
    text = json.dumps([where, {key: row[key] for key in sorted(given)}], sort_keys=True, default=str)
    row["run_id"] = row["run_id"] or hashlib.sha256(text.encode()).hexdigest()[:16]
    return row


def save(rows: Sequence[Row], folder: Path) -> Path:
    """Write a new ledger into a folder and return its path.

    Raises TableError if the ledger exists, StorageError if it cannot be written.
    """
    path = folder / LEDGER
    if path.exists():
        raise TableError(f"{path} exists already; give another name with --into, or remove that file")
    ledger.write(ledger.table(sorted(rows, key=lambda row: row["run_id"])), path)
    return path
