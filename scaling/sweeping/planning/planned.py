"""Define a plan: the cells of a sweep with N, D, C, epochs, steps, memory, disk and seconds. No torch."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaling import files
from scaling.config import DeviceConfig, RescueConfig
from scaling.sweeping.planning import disk, price
from scaling.tables import plan as plans

if TYPE_CHECKING:
    import pandas as pd


@dataclasses.dataclass(frozen=True, kw_only=True)
class Planned:
    """One cell of a plan."""

    overrides: tuple[str, ...]
    """Overrides that give the cell's config."""
    row: Mapping[str, Any]
    """Values of `scaling.tables.plan.COLUMNS`; units as in the ledger, memory and disk in bytes."""
    trunk: str | None
    """Id of the trunk whose steps the run shares (warm-up–stable–decay); None if it has no trunk."""
    branch_step: int
    """Step at which the run leaves its trunk."""
    derived: Mapping[str, tuple[Any, str]]
    """Hyperparameters that the recipe derived → (value, rule in words)."""
    rescues: str | None = None
    """Run id of the diverged run that this cell repeats at a lower learning rate; None otherwise."""

    @property
    def run_id(self) -> str:
        """Return the run id."""
        return str(self.row["run_id"])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rule:
    """One derived hyperparameter over the cells of a plan."""

    name: str
    """Name of the hyperparameter."""
    low: Any
    """Lowest value, or the value of the first cell if values have no order."""
    high: Any
    """Highest value, or the value of the first cell if values have no order."""
    words: str
    """Rule in words, of the first cell."""
    same: bool = True
    """Whether one line describes all cells: the same words, and the same value if values have no order."""

    def over(self, value: Any, words: str) -> Rule:
        """Return the rule with one more cell."""
        ordered = isinstance(value, (int, float)) and isinstance(self.low, (int, float))
        low, high = (min(self.low, value), max(self.high, value)) if ordered else (self.low, self.high)
        same = self.same and words == self.words and (ordered or value == self.low)
        return dataclasses.replace(self, low=low, high=high, same=same)


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class Plan:
    """The plan of a sweep."""

    sweep: str
    """Name of the sweep and of its folder."""
    results: Path
    """Folder of results."""
    cells: tuple[Planned, ...]
    """Cells in the order of the design."""
    dropped: tuple[str, ...]
    """Sentences on the cells that filters removed or that are the same run as another cell."""
    device: DeviceConfig
    """Device of the config, with its price per hour."""
    rescue: RescueConfig | None = None
    """Settings for running diverged cells again; None: they are only recorded."""
    command: tuple[str, ...] = ()
    """Words after `scaling run`: the sweep, by name or absolute path, and overrides that change the plan."""
    assumed: bool = False
    """Whether the seconds are computed from `device.assumed_flops` instead of measurements."""

    def to_frame(self) -> pd.DataFrame:
        """Return one row a cell, with the columns of `scaling.tables.plan`."""
        import pandas as pd

        return pd.DataFrame([cell.row for cell in self.cells])

    def __repr__(self) -> str:
        flops = sum(cell.row["flops_spent"] for cell in self.cells)
        return f"Plan of {self.sweep}: {len(self.cells)} cells, {flops:.3g} FLOPs"

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>{self.to_frame().to_html(border=0, max_rows=20)}"

    @property
    def saving(self) -> float:
        """Return the FLOPs of all cells divided by the FLOPs spent; above 1 if runs share trunks."""
        spent = sum(cell.row["flops_spent"] for cell in self.cells)
        return float(sum(cell.row["flops"] for cell in self.cells) / spent)

    @property
    def folder(self) -> Path:
        """Return the folder of the sweep's ledger, fit, figures and report."""
        return self.results / self.sweep

    @property
    def run_ids(self) -> list[str]:
        """Return the run ids of all cells."""
        return [cell.run_id for cell in self.cells]

    @property
    def science(self) -> dict[str, Mapping[str, Any]]:
        """Return the columns of every cell by run id, which its record must repeat."""
        return {cell.run_id: cell.row for cell in self.cells}

    def longest_first(self, run_ids: set[str]) -> list[Planned]:
        """Return the cells in `run_ids`, the longest predicted first, so that all seats end together.

        Cells of one trunk are ordered by branch step, each one round after the one before, so that a longer
        run can start from the trunk of a shorter one.
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
        """Return the plan as JSON values: folder, cells, rules, dropped cells and totals."""
        return {
            "sweep": self.sweep,
            "folder": str(self.folder),
            **({"command": list(self.command)} if self.command else {}),
            "cells": [
                {**cell.row, "overrides": _own(cell.overrides), "rescues": cell.rescues}
                for cell in self.cells
            ],
            "rules": [dataclasses.asdict(rule) for rule in self.rules()],
            "dropped": list(self.dropped),
            "total": self.total(),
        }

    def rules(self) -> list[Rule]:
        """Return the derived hyperparameters over all cells."""
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
        """Return sums over all cells; seconds are of one seat."""
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
        """Write `plan.json` atomically. Raises StorageError."""
        files.write(self.folder / plans.PLAN, _lines({"schema": plans.SCHEMA, **self.payload()}), "the plan")


def _own(overrides: tuple[str, ...]) -> list[str]:
    """Return the overrides except those of `sweep`, which can be long (such as a thousand seeds)."""
    return [one for one in overrides if not one.startswith("sweep.")]


def _lines(payload: Mapping[str, Any]) -> str:
    """Return JSON with one line per key and list element; `indent` would take ten times as long."""
    parts = []
    for name, value in payload.items():
        if isinstance(value, list):
            text = "[" + ",".join(f"\n  {json.dumps(one)}" for one in value) + ("\n ]" if value else "]")
        else:
            text = json.dumps(value)
        parts.append(f" {json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"
