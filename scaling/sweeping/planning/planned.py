"""What a plan is: every cell of a sweep with its N, D, C, epochs, steps, memory, disk and predicted seconds.
No torch.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaling import files
from scaling.config import DeviceConfig, RescueConfig
from scaling.sweeping.planning import disk, price

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "run_id",
    "family",
    "size",
    "seed",
    "params",
    "tokens",
    "tokens_per_parameter",
    "epochs",
    "steps",
    "batch_sequences",
    "budget_flops",
    "flops",
    "flops_spent",
    "learning_rate",
    "memory_bytes",
    "disk_bytes",
    "disk_bytes_working",
    "seconds",
    "seconds_low",
    "seconds_high",
)
"""What `plan.json` says of a cell, beside its overrides without those of `sweep`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Planned:
    """One cell of a plan."""

    overrides: tuple[str, ...]
    """What makes its config from the sweep's."""
    row: Mapping[str, Any]
    """COLUMNS → value; units as in the ledger, memory in bytes."""
    trunk: str | None
    """What it shares its first steps with, under warm-up–stable–decay; None for a run that shares nothing."""
    branch_step: int
    """The step at which it leaves its trunk."""
    derived: Mapping[str, tuple[Any, str]]
    """Each hyperparameter that the recipe derived → its value, and the rule in words."""
    rescues: str | None = None
    """The run that diverged, where this one is its cell again at a lower learning rate."""

    @property
    def run_id(self) -> str:
        """Its identity."""
        return str(self.row["run_id"])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rule:
    """One derived hyperparameter over the cells of a plan."""

    name: str
    """Of the hyperparameter."""
    low: Any
    """Its lowest value; its value in the first cell where values have no order."""
    high: Any
    """Its highest."""
    words: str
    """The rule, as the first cell says it."""
    same: bool = True
    """Whether every cell says it in the same words; they hold numbers of the cell in some recipes."""

    def over(self, value: Any, words: str) -> Rule:
        """With one more cell."""
        ordered = isinstance(value, (int, float)) and isinstance(self.low, (int, float))
        low, high = (min(self.low, value), max(self.high, value)) if ordered else (self.low, self.high)
        same = self.same and words == self.words and (ordered or value == self.low)
        return dataclasses.replace(self, low=low, high=high, same=same)


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class Plan:
    """A sweep, before it runs."""

    sweep: str
    """Its name, and the name of its folder."""
    results: Path
    """The folder of results."""
    cells: tuple[Planned, ...]
    """In the order of the design."""
    dropped: tuple[str, ...]
    """Cells that filters took away, or that are the same run as another, a sentence each."""
    device: DeviceConfig
    """The config's device, with what an hour of it costs."""
    rescue: RescueConfig | None = None
    """What to do about a cell that diverges, beside recording it."""
    assumed: bool = False
    """Whether the seconds come from `device.assumed_flops`, because nothing was measured."""

    def to_frame(self) -> pd.DataFrame:
        """Return one row a cell, with the columns of COLUMNS."""
        import pandas as pd

        return pd.DataFrame([cell.row for cell in self.cells])

    def __repr__(self) -> str:
        flops = sum(cell.row["flops_spent"] for cell in self.cells)
        return f"Plan of {self.sweep}: {len(self.cells)} cells, {flops:.3g} FLOPs"

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>{self.to_frame().to_html(border=0, max_rows=20)}"

    @property
    def saving(self) -> float:
        """How many times fewer FLOPs are spent because runs share trunks; 1 when none do."""
        spent = sum(cell.row["flops_spent"] for cell in self.cells)
        return float(sum(cell.row["flops"] for cell in self.cells) / spent)

    @property
    def folder(self) -> Path:
        """Where the sweep's ledger, fit, figures and report go."""
        return self.results / self.sweep

    @property
    def run_ids(self) -> list[str]:
        """Of every cell."""
        return [cell.run_id for cell in self.cells]

    def longest_first(self, run_ids: set[str]) -> list[Planned]:
        """The cells in `run_ids`, the longest predicted first, so that slots end together.

        Cells of one trunk come in the order of their branches, each a round later than the one before, so
        that a longer run finds the trunk that a shorter one left.
        """
        chosen = [cell for cell in self.cells if cell.run_id in run_ids]
        rounds: dict[str, int] = {}
        trunks: dict[str, list[Planned]] = {}
        for cell in chosen:
            trunks.setdefault(cell.trunk or cell.run_id, []).append(cell)
        for shared in trunks.values():
            for turn, cell in enumerate(sorted(shared, key=lambda cell: cell.branch_step)):
                rounds[cell.run_id] = turn
        return sorted(
            chosen,
            key=lambda cell: (rounds[cell.run_id], -(cell.row["seconds"] or cell.row["flops"] * 1e-12)),
        )

    def payload(self) -> dict[str, Any]:
        """For JSON: where, every cell, the totals."""
        return {
            "sweep": self.sweep,
            "folder": str(self.folder),
            "cells": [
                {**cell.row, "overrides": _own(cell.overrides), "rescues": cell.rescues}
                for cell in self.cells
            ],
            "rules": [dataclasses.asdict(rule) for rule in self.rules()],
            "dropped": list(self.dropped),
            "total": self.total(),
        }

    def rules(self) -> list[Rule]:
        """What the recipe derived, over all cells."""
        found: dict[str, Rule] = {}
        for cell in self.cells:
            for name, (value, words) in cell.derived.items():
                found[name] = (
                    found[name].over(value, words)
                    if name in found
                    else Rule(name=name, low=value, high=value, words=words)
                )
        return list(found.values())

    def total(self) -> dict[str, Any]:
        """Sums over all cells; seconds are of one slot."""
        seconds = [cell.row["seconds"] for cell in self.cells]
        known = all(value is not None for value in seconds) and bool(seconds)
        return {
            "cells": len(self.cells),
            "flops": sum(cell.row["flops"] for cell in self.cells),
            "flops_spent": sum(cell.row["flops_spent"] for cell in self.cells),
            "saving": self.saving,
            "tokens": sum(cell.row["tokens"] for cell in self.cells),
            "epochs_most": max((cell.row["epochs"] for cell in self.cells), default=None),
            "memory_bytes_most": max((cell.row["memory_bytes"] for cell in self.cells), default=None),
            "disk_bytes": sum(cell.row["disk_bytes"] for cell in self.cells),
            "disk_bytes_working_most": max(cell.row["disk_bytes_working"] for cell in self.cells),
            "disk_bytes_free": disk.free_bytes(self.results),
            **{
                name: sum(cell.row[name] for cell in self.cells) if known else None
                for name in ("seconds", "seconds_low", "seconds_high")
            },
            "seconds_assumed": self.assumed,
            **price.bill(self.device, sum(seconds) if known else None),
        }

    def save(self) -> None:
        """Writes `plan.json`, whole. Raises StorageError."""
        files.write(self.folder / "plan.json", _lines({"schema": 1, **self.payload()}), "the plan")


def _own(overrides: tuple[str, ...]) -> list[str]:
    """Without what the command line asked of the sweep: a thousand seeds would stand in each of a thousand
    cells.
    """
    return [one for one in overrides if not one.startswith("sweep.")]


def _lines(payload: Mapping[str, Any]) -> str:
    """JSON with a line for each key and each element of a list; `indent` would take ten times as long."""
    parts = []
    for name, value in payload.items():
        if isinstance(value, list):
            text = "[" + ",".join(f"\n  {json.dumps(one)}" for one in value) + ("\n ]" if value else "]")
        else:
            text = json.dumps(value)
        parts.append(f" {json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"
