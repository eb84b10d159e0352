"""Turn the records of `scaling bench` into the table of seconds per step, measured with all seats busy."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scaling import files
from scaling.errors import LaunchError
from scaling.sweeping.planning import price


def measured(rows: Sequence[Mapping[str, Any]]) -> list[price.Measured]:
    """Return the measured speeds of a bench's records."""
    found = []
    for row in rows:
        if row["status"] != "done" or not row["tokens_per_second"]:
            continue
        per_token = row["flops"] / row["tokens"]
        training = _training(row)
        config = json.loads(row["config"])
        evaluated = config["evaluation"]["sequences"] * row["context"] * per_token / 3
        found.append(
            price.Measured(
                family=row["family"],
                depth=row["depth"],
                flops_per_step=row["flops"] / row["steps"],
                seconds_per_step=training / row["steps"],
                seconds_per_evaluated_flop=max(0.0, row["seconds"] - training) / evaluated,
            )
        )
    return found


def speeds(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows for people of a bench's records: shape, batch, tokens/s, FLOP/s and MFU."""
    shape = ("family", "params", "width", "depth", "batch_sequences", "context", "dtype")
    return [
        {
            **{name: row[name] for name in (*shape, "tokens_per_second", "mfu")},
            "flops_per_second": row["flops"] / _training(row),
        }
        for row in sorted(rows, key=lambda row: (row["family"], row["params"], row["batch_sequences"]))
        if row["status"] == "done" and row["tokens_per_second"]
    ]


def _training(row: Mapping[str, Any]) -> float:
    """Return the seconds of training."""
    return float(row["tokens"] / row["tokens_per_second"])


def keep(path: Path, found: Sequence[price.Measured]) -> dict[str, Any]:
    """Write the table of speeds, replacing earlier rows of the same families.

    Raises LaunchError if fewer than three shapes were measured, StorageError if it cannot be written.
    """
    if len(found) < 3:
        raise LaunchError(
            f"only {len(found)} shapes were measured, but a table needs 3; see `scaling status bench`"
        )
    families = {row.family for row in found}
    before = []
    if path.exists():
        try:
            rows = files.parse_json(files.content(path))["measured"]
            before = [row for row in rows if row["family"] not in families]
        except (OSError, ValueError, KeyError, TypeError):
            files.set_aside(path)
    table = {
        "schema": 1,
        "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "measured": [
            *before,
            *(dataclasses.asdict(row) for row in sorted(found, key=lambda row: row.flops_per_step)),
        ],
    }
    files.write(path, json.dumps(table, indent=1) + "\n", "the table of speeds")
    return table
