"""Runs from elsewhere into a ledger. What a ledger needs and the source does not say is asked for by name,
never guessed.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scaling.errors import LaunchError, TableError, one_of
from scaling.sweeping import ledger
from scaling.training.record import COLUMNS, SCHEMA_VERSION

NEEDED = ("family", "params", "tokens", "loss")
"""Without these no law can be fitted."""
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
"""Columns of nanochat's results.csv (runs/scaling_laws.sh), of both of its versions."""


def nanochat(path: Path) -> list[Row]:
    """nanochat's results.csv: losses are bits per byte, so a loss per token needs bytes_per_token."""
    return [{NANOCHAT.get(key, key): value for key, value in row.items()} for row in table(path)]


def table(path: Path) -> list[Row]:
    """A CSV or TSV with a header, such as a table that was exported from W&B: `config.lr` and `summary.loss`
    are names too.
    """
    text = _read(path)
    dialect = "excel-tab" if path.suffix == ".tsv" or "\t" in text.split("\n", 1)[0] else "excel"
    return [dict(row) for row in csv.DictReader(text.splitlines(), dialect=dialect)]


def trainer(path: Path) -> list[Row]:
    """A `trainer_state.json` of Hugging Face's Trainer: the last evaluation, and what it counts on the
    way.
    """
    try:
        state = json.loads(_read(path))
        evaluations = [entry for entry in state["log_history"] if "eval_loss" in entry]
    except (ValueError, KeyError, TypeError):
        raise TableError(
            f"{path} is not a trainer_state.json: it has no log_history; give the file that Trainer saves"
        ) from None
    if not evaluations:
        raise TableError(
            f"{path} holds no eval_loss; train with an evaluation, or import a table of your own"
        )
    last = evaluations[-1]
    row: Row = {"loss": last["eval_loss"], "steps": state.get("global_step"), "epochs": state.get("epoch")}
    # total_flos leaves attention scores out: it is not C, and is not taken for it
    if state.get("num_input_tokens_seen"):
        row["tokens"] = state["num_input_tokens_seen"]
    return [{key: value for key, value in row.items() if value is not None}]


def wandb(path: Path) -> list[Row]:
    """A W&B run folder or its `wandb-summary.json`: the summary, and the config beside it as `config.KEY`."""
    file = path / "files" / "wandb-summary.json" if path.is_dir() else path
    if path.is_dir() and not file.exists():
        raise TableError(
            f"{path} is a run that W&B kept offline, in a file that W&B alone reads; send it by `wandb sync` "
            f"and export the runs as CSV, or write them to TensorBoard as well"
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
    """TensorBoard event files of one run: the last value of every scalar, by its tag."""
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


READERS: dict[str, Callable[[Path], list[Row]]] = {
    "table": table, "nanochat": nanochat, "trainer": trainer, "wandb": wandb, "tensorboard": events,
}  # fmt: skip
"""Kind of source → its reader."""


def kind_of(path: Path) -> str:
    """What a path most plainly is: by its name alone."""
    if path.name == "trainer_state.json":
        return "trainer"
    summarised = (path / "files" / "wandb-summary.json").exists() or any(path.glob("run-*.wandb"))
    if path.name == "wandb-summary.json" or (path.is_dir() and summarised):
        return "wandb"
    if ".tfevents." in path.name or (path.is_dir() and any(path.glob("*.tfevents.*"))):
        return "tensorboard"
    if path.suffix in (".csv", ".tsv"):
        return "nanochat" if "tokens_trained" in _read(path).split("\n", 1)[0] else "table"
    raise TableError(f"it is not clear what {path} is; say it with --kind: {', '.join(READERS)}")


def read(
    paths: Sequence[Path], *, kind: str | None, names: Mapping[str, str], values: Mapping[str, str]
) -> list[Row]:
    """Rows of a ledger from sources of one kind.

    `names` maps a ledger column to the source's own name; `values` sets a column for every row. D follows
    from C and N, or loss from bits per byte, only where that is arithmetic: loss = bits_per_byte · ln 2 ·
    bytes_per_token. Raises TableError naming what is missing or unreadable, and how to give it.
    """
    for column in {*names, *values}:
        if column not in COLUMNS:
            raise TableError(one_of("a column of the ledger", column, COLUMNS))
    rows = []
    for path in paths:
        chosen = kind or kind_of(path)
        if chosen not in READERS:
            raise TableError(one_of("--kind", chosen, READERS))
        for number, raw in enumerate(READERS[chosen](path), start=1):
            rows.append(_row(raw, f"{path}, row {number}", names, values))
    if not rows:
        raise TableError(f"{', '.join(map(str, paths))} holds no runs")
    return rows


def _row(raw: Row, where: str, names: Mapping[str, str], values: Mapping[str, str]) -> Row:
    for column, name in names.items():
        if name not in raw:
            raise TableError(f"{where} has no {name!r} for {column}; it has {', '.join(map(str, raw))}")
    given = {key: value for key, value in raw.items() if key in COLUMNS and key not in names}
    given |= {column: raw[name] for column, name in names.items()}
    given |= values
    row: Row = dict.fromkeys(COLUMNS)
    for column, value in given.items():
        row[column] = _typed(value, column, where)
    if row["loss"] is None and row["bits_per_byte"] is not None and row["bytes_per_token"] is not None:
        row["loss"] = row["bits_per_byte"] * math.log(2) * row["bytes_per_token"]
    missing = [column for column in NEEDED if row[column] is None]
    if missing:
        empty = [name for name in missing if names.get(name, name) in raw and name not in values]
        if empty:
            raise TableError(
                f"{where} has nothing in {names.get(empty[0], empty[0])!r} for {empty[0]}, as a run that did "
                f"not end; leave that row out, or fill it in"
            )
        hint = (
            " (or bytes_per_token, which makes it from bits_per_byte)"
            if "loss" in missing and row["bits_per_byte"]
            else ""
        )
        raise TableError(
            f"{where} does not say {' nor '.join(missing)}{hint}; give its name there with --name "
            f"{missing[0]}=NAME, or the value for "
            f"all rows with --set {missing[0]}=VALUE; the source has {', '.join(map(str, raw))}"
        )
    row["status"] = row["status"] or "done"
    row["schema"] = SCHEMA_VERSION
    text = json.dumps([where, {key: row[key] for key in sorted(given)}], sort_keys=True, default=str)
    row["run_id"] = row["run_id"] or hashlib.sha256(text.encode()).hexdigest()[:16]
    return row


def _typed(value: Any, column: str, where: str) -> Any:
    kind = COLUMNS[column].dtype
    if value is None or value == "":
        return None
    try:
        if kind == "string":
            return str(value)
        if kind == "bool":
            return str(value).lower() in ("true", "1", "yes")
        number = float(value)
        if not math.isfinite(number) or (column in NEEDED and number <= 0):
            raise ValueError
        return int(number) if kind == "int64" else number
    except (TypeError, ValueError):
        raise TableError(
            f"{where} has {value!r} for {column}, which must be a positive number; correct it or leave the "
            f"row out"
        ) from None


def save(rows: Sequence[Row], folder: Path) -> Path:
    """Writes the ledger of a sweep's folder. Raises TableError when there is one already, StorageError when
    the disk refuses.
    """
    path = folder / ledger.LEDGER
    if path.exists():
        raise TableError(f"{path} exists already; import into another name with --into, or remove that file")
    ledger.write(ledger.table(sorted(rows, key=lambda row: row["run_id"])), path)
    return path


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise TableError(f"{path} is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise TableError(f"{path} cannot be read ({error.strerror}); give a file that is there") from None
