"""Share the trunk of warm-up–stable–decay (wsd) runs of one size.

With a fixed number of warm-up steps, two wsd runs that differ only in their number of steps are equal until
the shorter one decays (arXiv:2405.18392 section 4.1). Each run writes a checkpoint at that step, and a longer
run continues from it. Its result is bitwise equal to that of a run from scratch.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

from scaling.training.cell import Cell
from scaling.training.paths import RunPaths

_FILE = re.compile(r"^step-(\d+)\.pt$")
_HORIZON = ("decay_fraction", "final_fraction", "warmup_fraction")


def trunk_id(cell: Cell) -> str | None:
    """Return sixteen hex digits that identify a cell's trunk; None if the cell cannot share one.

    A cell can share its trunk if its schedule is wsd, its warm-up is set in steps, it does not stop early
    (which depends on earlier evaluations) and it is not compressed (pruning depends on the number of steps).
    """
    h = cell.hyperparameters
    if h.schedule != "wsd" or h.warmup_steps is None or h.patience or cell.compression is not None:
        return None
    science = cell.identity()
    del science["steps"], science["evaluation"]
    science["hyperparameters"] = {k: v for k, v in science["hyperparameters"].items() if k not in _HORIZON}
    text = json.dumps(science, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def branch_step(cell: Cell) -> int:
    """Return the step at which a wsd run leaves the trunk: the start of its decay, or the end of warm-up."""
    return max(cell.steps - cell.decay_steps, cell.warmup_steps)


def checkpoints(cell: Cell, paths: RunPaths) -> list[tuple[int, Path]]:
    """Return (step, file) of the trunk's checkpoints from which a run can continue, the last step first."""
    name = trunk_id(cell)
    folder = paths.trunks / name if name else None
    if folder is None or not folder.is_dir():
        return []
    files = [(int(m[1]), path) for path in folder.iterdir() if (m := _FILE.match(path.name))]
    return sorted((f for f in files if f[0] <= branch_step(cell)), reverse=True)


def file_at_branch(cell: Cell, paths: RunPaths) -> Path | None:
    """Return the file of the trunk's checkpoint at the branch step; None if the run cannot share one."""
    name = trunk_id(cell)
    return paths.trunks / name / f"step-{branch_step(cell)}.pt" if name else None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Saving:
    """The compute of a set of cells with and without shared trunks."""

    flops_apart: float
    """Training FLOPs if every cell is trained from scratch."""
    flops_shared: float
    """Training FLOPs if every step of a trunk is trained once."""

    @property
    def factor(self) -> float:
        """Ratio of the FLOPs without sharing to those with it."""
        return self.flops_apart / self.flops_shared if self.flops_shared else 1.0


def saving(cells: Iterable[Cell]) -> Saving:
    """Return the compute of cells with and without shared trunks.

    With sharing, each trunk is trained once, up to its last branch, and each run trains its own decay.
    """
    apart = shared = 0.0
    longest: dict[str, tuple[int, float]] = {}
    for cell in cells:
        apart += cell.flops
        name = trunk_id(cell)
        if name is None:
            shared += cell.flops
            continue
        at, each = branch_step(cell), cell.flops / cell.steps
        shared += (cell.steps - at) * each
        longest[name] = max(longest.get(name, (0, 0.0)), (at, each))
    shared += sum(at * each for at, each in longest.values())
    return Saving(flops_apart=apart, flops_shared=shared)
