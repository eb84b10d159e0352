"""Read the state of a sweep from files: the saved plan, the ledger, and the folders of the other runs.

A ledger of imported runs has no plan.
"""

from __future__ import annotations

import dataclasses
import math
import os
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaling import files
from scaling.errors import ConfigError, StorageError, TableError, one_of
from scaling.sweeping import lease
from scaling.sweeping.planning.collector import uncollected
from scaling.tables import ledger
from scaling.tables import plan as plans
from scaling.training import record
from scaling.training.paths import RunPaths

if TYPE_CHECKING:
    import pandas as pd

_PLANNED = (
    "run_id", "family", "size", "seed", "params", "tokens", "steps", "budget_flops", "flops", "seconds",
)  # fmt: skip
_of_plan = itemgetter(*_PLANNED)
ENDED = {"done", "diverged", "failed", "out_of_memory"}
"""States that change only when the sweep is run again."""


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class Status:
    """The present state of one sweep."""

    sweep: str
    """Name of the sweep."""
    folder: Path
    """Folder of the ledger."""
    cells: list[dict[str, Any]]
    """Cells with `run_id`, `state` (done, diverged, …, running, waiting, failed, interrupted, preempted,
    died, damaged) and the columns that are known.
    """
    planned: bool = True
    """Whether there is a plan; False for imported runs."""
    notes: tuple[str, ...] = ()
    """Sentences on files that cannot be read."""

    def to_frame(self) -> pd.DataFrame:
        """Return one row a cell: its run id, its state and what is known of it."""
        import pandas as pd

        return pd.DataFrame(self.cells)

    def __repr__(self) -> str:
        states = ", ".join(f"{count} {state}" for state, count in self.counts().items())
        return f"Status of {self.sweep}: {states}"

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>{self.to_frame().to_html(border=0, max_rows=20)}"

    def counts(self) -> dict[str, int]:
        """Return the number of cells in each state."""
        found: dict[str, int] = {}
        for cell in self.cells:
            found[cell["state"]] = found.get(cell["state"], 0) + 1
        return found

    def best(self) -> list[dict[str, Any]]:
        """Return the run of lowest loss at each budget so far."""
        lowest: dict[float, dict[str, Any]] = {}
        for cell in self.cells:
            if cell["state"] != "done" or cell["loss"] is None:
                continue
            budget, loss = cell["budget_flops"], cell["loss"]
            if budget and (budget not in lowest or loss < lowest[budget]["loss"]):
                lowest[budget] = {
                    "budget_flops": budget,
                    "loss": loss,
                    "params": cell["params"],
                    "run_id": cell["run_id"],
                }
        return [lowest[budget] for budget in sorted(lowest)]

    def seconds_left(self) -> float | None:
        """Return the remaining seconds of seats, or None if a cell has no predicted time.

        Running cells count at their present speed, the others as predicted by the plan.
        """
        left = 0.0
        for cell in self.cells:
            if cell["state"] not in ENDED:
                each = cell.get("seconds_left", cell["seconds"])
                if each is None:
                    return None
                left += each
        return left

    def payload(self) -> dict[str, Any]:
        """Return the state as JSON values."""

        def total(name: str) -> float:
            return math.fsum(cell.get(name) or 0.0 for cell in self.cells)

        return {
            "sweep": self.sweep,
            "folder": str(self.folder),
            "planned": self.planned,
            "counts": self.counts(),
            "seconds_spent": total("seconds_spent"),
            "dollars_spent": total("dollars_spent"),
            "kwh_spent": total("kwh_spent"),
            "seconds_left": self.seconds_left(),
            "flops_spent": sum(cell.get("flops") or 0.0 for cell in self.cells if cell["state"] == "done"),
            "best": self.best(),
            "notes": list(self.notes),
            "cells": self.cells,
        }


def sweeps(results: Path) -> list[str]:
    """Return the names of the sweeps that have a plan or a ledger under `results`."""
    try:
        with os.scandir(results) as entries:
            return sorted(
                entry.name
                for entry in entries
                if any((Path(entry.path) / name).is_file() for name in (plans.PLAN, ledger.LEDGER))
            )
    except OSError:
        return []


@uncollected()
def status(results: Path, sweep: str) -> Status:
    """Return the state of every cell of a sweep in `results`.

    Read the ledger, and the run folders of cells that are not in it. Raises ConfigError if there is no such
    sweep, TableError if its plan is damaged, or its ledger is and it has no plan.
    """
    folder = results / sweep
    cells = _planned_cells(results, sweep)
    rows: dict[str, dict[str, Any]] = {}
    notes: tuple[str, ...] = ()
    if (folder / ledger.LEDGER).exists():
        wanted = ("status", "reason", "loss", "seconds", "device", "price", "kwh")
        try:
            found = ledger.rows(folder / ledger.LEDGER, wanted if cells is not None else (*wanted, *_PLANNED))
            wrong = {row["run_id"]: why for row in found if (why := ledger.impossible(row))}
            rows = {row["run_id"]: row for row in found if row["run_id"] not in wrong}
            notes = tuple(f"{folder / ledger.LEDGER}: run {run_id!r} {why}" for run_id, why in wrong.items())
        except TableError as error:
            if cells is None:
                raise
            notes = (str(error),)
    return Status(
        sweep=sweep,
        folder=folder,
        cells=[
            _cell(results, cell, rows.get(cell["run_id"]))
            for cell in (rows.values() if cells is None else cells)
        ],
        planned=cells is not None,
        notes=notes,
    )


def _planned_cells(results: Path, sweep: str) -> list[dict[str, Any]] | None:
    """Return the cells of the saved plan, or None if there is only a ledger."""
    folder = results / sweep
    if (folder / plans.PLAN).exists():
        return list(plans.read(folder / plans.PLAN)["cells"])
    if (folder / ledger.LEDGER).is_file():
        return None
    known = sweeps(results)
    if not known:
        raise ConfigError(f"{results} has no sweeps yet; start one with: scaling run demo")
    raise ConfigError(one_of(f"a sweep in {results}", sweep, known))


def _cell(results: Path, planned: dict[str, Any], row: dict[str, Any] | None) -> dict[str, Any]:
    known = dict(zip(_PLANNED, _of_plan(planned), strict=True))
    known["rescues"] = planned.get("rescues")
    if row is not None:
        known.update(_ended(row))
        return known
    paths = RunPaths.of(results, planned["run_id"])
    if not paths.folder.exists():
        return {**known, "state": "waiting"}
    try:
        return known | _ended(record.stored(paths))
    except (StorageError, TableError) as error:
        return {**known, "state": "damaged", "reason": str(error)}
    except OSError:  # there is no record yet
        return {**known, **_under_way(paths, planned)}


def _under_way(paths: RunPaths, planned: dict[str, Any]) -> dict[str, Any]:
    """Return the state of a run without a record, and what is known of its progress."""
    progress = plans.heartbeat(paths.progress) or {}
    moving: dict[str, Any] = {
        name: progress[name]
        for name in ("step", "loss", "tokens_per_second", "slot", "host")
        if name in progress
    }
    claimed = os.path.lexists(paths.claim)
    if claimed and not lease.stale(paths.claim, lease.read(paths.claim)):
        speed = progress.get("tokens_per_second")
        if speed:
            left = max(0.0, planned["steps"] - progress["step"]) / planned["steps"] * planned["tokens"]
            moving["seconds_left"] = left / speed
        return {**moving, "state": "running"}
    if paths.error.exists():
        return {"state": "failed", "reason": _last_line(paths.error)}
    if claimed:
        return {**moving, "state": "died", "reason": "its process ended without a record"}
    if not progress:
        return {"state": "waiting"}
    signal = progress.get("stopped")
    state = "preempted" if signal not in (None, "SIGINT") else "interrupted"
    return {**moving, "state": state, "reason": signal and f"{signal} came at step {progress['step']}"}


def _ended(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "state": row["status"], "reason": row["reason"], "loss": row["loss"], "device": row["device"],
        "seconds_spent": row["seconds"], "dollars_spent": row["price"], "kwh_spent": row["kwh"],
    }  # fmt: skip


def _last_line(path: Path) -> str:
    try:
        lines = files.content(path).decode(errors="replace").strip().splitlines()
    except OSError:
        return "its error file cannot be read"
    return lines[-1] if lines else "its error file is empty"
