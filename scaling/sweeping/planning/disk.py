"""Estimate the disk space of a run, while it runs and after it has ended. No torch."""

from __future__ import annotations

import shutil
from pathlib import Path

from scaling.config import Config
from scaling.training.cell import Cell
from scaling.training.checkpoints import trunk
from scaling.training.lifecycle.placement import Placement, milestone_steps

_NUMBER_BYTES = 4
"""Bytes per weight or moment, which are float32 in every number format."""
_MOMENTS = {"adamw": 2, "adam": 2, "muon": 2, "sgd": 1, "lion": 1, "soap": 8}
"""Numbers that an optimiser stores per weight.

Muon stores one per matrix weight and two otherwise; it is counted as two. SOAP stores 6 for a square matrix
and 10.5 for a matrix four times as long as wide; it is counted as 8.
"""
_CHECKPOINTS = 3
"""Checkpoints on disk during a run: the newest, the one before it, and the one being written."""
RECORD_BYTES = 30_000
"""Approximate bytes of the record, config, curve and losses by position of one run."""


def weights_bytes(cell: Cell) -> int:
    """Return the bytes of a file of weights."""
    return _NUMBER_BYTES * int(cell.counts.params_total)


def checkpoint_bytes(cell: Cell) -> int:
    """Return the bytes of a checkpoint: weights and moments."""
    return weights_bytes(cell) * (1 + _MOMENTS[cell.hyperparameters.optimizer])


def kept_bytes(cell: Cell, config: Config) -> int:
    """Return the bytes that a finished run keeps, including the checkpoint for other branches of its trunk.

    Raises ConfigError.
    """
    placement = Placement.from_config(config)
    files = placement.keep_weights + placement.keep_best + len(milestone_steps(cell, placement.milestones))
    left = checkpoint_bytes(cell) if placement.share_trunk and trunk.trunk_id(cell) else 0
    return files * weights_bytes(cell) + left + RECORD_BYTES


def working_bytes(cell: Cell) -> int:
    """Return the additional bytes on disk during the run."""
    return _CHECKPOINTS * checkpoint_bytes(cell)


def free_bytes(folder: Path) -> int | None:
    """Return the free bytes on the disk of a folder, which may not exist yet; None if unknown."""
    there = folder.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    try:
        return shutil.disk_usage(there).free
    except OSError:
        return None
