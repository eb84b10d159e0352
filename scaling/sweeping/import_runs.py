"""Import runs of other programs into a ledger.

A column that the ledger needs and the source lacks is an error that names the column; it is never guessed.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scaling.errors import LaunchError, TableError, one_of
from scaling.sweeping import ledger
from scaling.tables import read as tables
from scaling.tables.columns import cells, column, kept
from scaling.tables.files import ENDINGS
from scaling.tables.ledger import LEDGER
from scaling.tables.schema import COLUMNS, SCHEMA_VERSION

NEEDED = ("family", "params", "tokens", "loss")
"""Columns that every ledger must have."""
Row = dict[str, Any]

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


def trainer(path: Path) -> list[Row]:
    """Read a `trainer_state.json` of the Hugging Face Trainer: last evaluation, steps, epochs and tokens.

    Raises TableError.
    """
    try:
        state = json.loads(_read(path))
        evaluations = [entry for entry in state["log_history"] if "eval_loss" in entry]
    except (ValueError, KeyError, TypeError):
        raise TableError(
            f"{path} is not a trainer_state.json: it has no log_history; give the file that the Trainer saves"
        ) from None
    if not evaluations:
        raise TableError(
            f"{path} holds no eval_loss; train with an evaluation, or import a table of your own"
        )
    last = evaluations[-1]
    row: Row = {"loss": last["eval_loss"], "steps": state.get("global_step"), "epochs": state.get("epoch")}
    # total_flos leaves out the attention scores, so it is not C
    if state.get("num_input_tokens_seen"):
        row["tokens"] = state["num_input_tokens_seen"]
    return [{key: value for key, value in row.items() if value is not None}]


def wandb(path: Path) -> list[Row]:
    """Read the summary of a W&B run, as `summary.KEY`, and its config, as `config.KEY`. Raises TableError."""
    file = path / "files" / "wandb-summary.json" if path.is_dir() else path
    if path.is_dir() and not file.exists():
        raise TableError(
            f"{path} is an offline W&B run, in a file that only W&B reads; upload it with `wandb sync` and "
            f"export the runs as CSV, or write them to TensorBoard as well"
        )
    try:
        summary = json.loads(_read(file))
    except ValueError:
        raise TableError(
            f"{file} is not a W&B summary; give the folder of a run, or a CSV exported from W&B"
        ) from None
    row: Row = {
        f"summary.{key}": value for key, value in summary.items() if isinstance(value, (int, float, str))
    }
    config = file.with_name("config.yaml")
    if config.exists():
        import yaml

        for key, value in (yaml.safe_load(config.read_text(encoding="utf-8")) or {}).items():
            row[f"config.{key}"] = value.get("value") if isinstance(value, Mapping) else value
    return [row]


def events(path: Path) -> list[Row]:
    """Read the TensorBoard event files of one run: the last value of every scalar, by tag.

    Raises TableError if there are no scalars, LaunchError if TensorBoard is not installed.
    """
    try:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    except ImportError:
        raise LaunchError(
            "reading event files needs TensorBoard; install it with: pip install 'scaling[mirrors]'"
        ) from None
    found = EventAccumulator(str(path), size_guidance={"scalars": 0, "tensors": 0})
    found.Reload()
    tags = found.Tags()
    row: Row = {tag: found.Scalars(tag)[-1].value for tag in tags["scalars"]}
    row |= {
        tag: float(found.Tensors(tag)[-1].tensor_proto.float_val[0])
        for tag in tags["tensors"]
        if found.Tensors(tag)[-1].tensor_proto.float_val
    }
    if not row:
        raise TableError(f"{path} holds no scalars; give the folder of one run's event files")
    return [row]


PROGRAMS: dict[str, Callable[[Path], list[Row]]] = {"trainer": trainer, "wandb": wandb, "tensorboard": events}
"""Each kind of run files → its reader."""
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
    row. `where` keeps only rows for which it is true. A missing loss is computed from bits per byte where
    bytes_per_token is known: loss = bits_per_byte · ln 2 · bytes_per_token. Raises TableError, which names
    the missing or unreadable column and the option that gives it.
    """
    for name in {*names, *values}:
        if name not in COLUMNS:
            raise TableError(one_of("a column of the ledger", name, COLUMNS))
    rows: list[Row] = []
    notes: list[str] = []
    for path in paths:
        chosen = kind or kind_of(path)
        if chosen not in KINDS:
            raise TableError(one_of("--kind", chosen, KINDS))
        words = [*_WORDS, *(text for name, text in names.items() if name in _WORDS)]
        source: Any = PROGRAMS[chosen](path) if chosen in PROGRAMS else path
        came = tables.read(source, decimal=decimal, text=words)
        frame = came.frame
        if chosen == "nanochat" or (kind is None and "tokens_trained" in frame.columns):
            frame = frame.rename(columns=NANOCHAT)
        rows += _rows(kept(frame.reset_index(drop=True), where), str(path), names, values)
        notes += came.notes
    return rows, notes


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
        words = (
            raw.astype(str) if kind == "string" else raw.astype(str).str.lower().isin(("true", "1", "yes"))
        )
        return words.astype(object).where(raw.notna(), None)
    numbers = column(text, name, frame, positive=name in NEEDED)
    return numbers.astype(object).map(int, na_action="ignore") if kind == "int64" else numbers


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
    row["status"] = row["status"] or "done"
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


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise TableError(f"{path} is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise TableError(f"{path} cannot be read ({error.strerror}); give an existing file") from None
