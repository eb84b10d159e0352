"""Warm-up–stable–decay runs of one size share their trunk: a longer run goes on where a shorter one began to
decay.

With wsd and a fixed number of warm-up steps, two runs that differ in their horizon alone do the same steps
until the shorter one decays (arXiv:2405.18392 section 4.1). Each leaves a checkpoint there, and the longer
takes it over: the same cell, the same bits as from scratch, fewer steps paid.
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
    """Sixteen hex digits of all that the trunk's weights depend on; None for a run that shares none.

    A run shares its trunk with wsd, warm-up in steps, and no early stopping, which looks at what came before,
    and no pruning, whose schedule moves with the horizon.
    """
    h = cell.hyperparameters
    if h.schedule != "wsd" or h.warmup_steps is None or h.patience or cell.compression is not None:
        return None
    science = cell.science()
    del science["steps"], science["evaluation"]
    science["hyperparameters"] = {k: v for k, v in science["hyperparameters"].items() if k not in _HORIZON}
    text = json.dumps(science, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def branch_step(cell: Cell) -> int:
    """The step at which a wsd run leaves the trunk: its first step of decay, or the end of its warm-up."""
    return max(cell.steps - cell.decay_steps, cell.warmup_steps)


def checkpoints(cell: Cell, paths: RunPaths) -> list[tuple[int, Path]]:
    """(step, file) of the trunk's checkpoints that this run can take over, the last step first."""
    name = trunk_id(cell)
    folder = paths.trunks / name if name else None
    if folder is None or not folder.is_dir():
        return []
    found = [(int(m[1]), path) for path in folder.iterdir() if (m := _FILE.match(path.name))]
    return sorted((f for f in found if f[0] <= branch_step(cell)), reverse=True)


def file_at_branch(cell: Cell, paths: RunPaths) -> Path | None:
    """Where the run leaves the trunk's checkpoint for others; None for a run that shares none."""
    name = trunk_id(cell)
    return paths.trunks / name / f"step-{branch_step(cell)}.pt" if name else None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Saving:
    """What sharing trunks saves over a set of cells."""

    flops_apart: float
    """C of all cells, each from scratch."""
    flops_shared: float
    """C with every trunk step paid once."""

    @property
    def factor(self) -> float:
        """How many times cheaper."""
        return self.flops_apart / self.flops_shared if self.flops_shared else 1.0


def saving(cells: Iterable[Cell]) -> Saving:
    """What sharing trunks saves: each trunk is paid once, as far as its longest branch, and each decay by its
    run."""
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
