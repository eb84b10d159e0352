"""What a run writes to disk: what stays of it, and what lies there while it is at work. No torch."""

from __future__ import annotations

import shutil
from pathlib import Path

from scaling.config import Config
from scaling.training.cell import Cell
from scaling.training.checkpoints import trunk
from scaling.training.lifecycle.placement import Placement, milestone_steps

_NUMBER_BYTES = 4
"""Weights and moments are float32 in every number format."""
_MOMENTS = {"adamw": 2, "adam": 2, "muon": 2, "sgd": 1, "lion": 1, "soap": 8}
"""Numbers that an optimiser keeps for a weight; Muon's one for matrices is counted as Adam's two.
SOAP's are 6 where a matrix is square and 10.5 where it is four times as long as wide."""
_CHECKPOINTS = 3
"""The newest, the one before, and the one that is being written."""
PAPERS_BYTES = 30_000
"""Record, config, curve and losses by position of one run, about."""


def weights_bytes(cell: Cell) -> int:
    """One file of weights."""
    return _NUMBER_BYTES * int(cell.counts.params_total)


def checkpoint_bytes(cell: Cell) -> int:
    """One checkpoint: weights and moments."""
    return weights_bytes(cell) * (1 + _MOMENTS[cell.hyperparameters.optimizer])


def kept_bytes(cell: Cell, config: Config) -> int:
    """What a finished run leaves under the config's keep policy, with the checkpoint for its trunk's other
    branches. Raises ConfigError.
    """
    placement = Placement.from_config(config)
    files = placement.keep_weights + placement.keep_best + len(milestone_steps(cell, placement.milestones))
    left = checkpoint_bytes(cell) if placement.share_trunk and trunk.trunk_id(cell) else 0
    return files * weights_bytes(cell) + left + PAPERS_BYTES


def working_bytes(cell: Cell) -> int:
    """What lies in the folder beside that while the run is at work."""
    return _CHECKPOINTS * checkpoint_bytes(cell)


def free_bytes(folder: Path) -> int | None:
    """Free space where a folder lies or would lie; None where the system does not say."""
    there = folder.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    try:
        return shutil.disk_usage(there).free
    except OSError:
        return None
