"""Checkpoints in parts, by `torch.distributed.checkpoint`: every process writes what it holds of weights and
optimiser, and any number of processes, one among them, reads what it then holds.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from scaling.errors import StorageError
from scaling.files import storage
from scaling.training.loop import Trainer


def save(trainer: Trainer, folder: Path) -> None:
    """Writes everyone's parts into a fresh folder, whole once this returns. Raises StorageError."""
    from torch.distributed.checkpoint.filesystem import FileSystemWriter
    from torch.distributed.checkpoint.state_dict_saver import save as save_parts

    trainer.team.share(lambda: shutil.rmtree(folder, ignore_errors=True))
    with storage(folder, "a checkpoint in parts"), _quiet():
        save_parts(_tensors(trainer), storage_writer=FileSystemWriter(folder))


def load(trainer: Trainer, folder: Path) -> None:
    """Reads our parts into weights and optimiser. Raises StorageError when the folder is damaged; the trainer
    is then of no more use."""
    from torch.distributed.checkpoint.api import CheckpointException  # no Exception of Python's
    from torch.distributed.checkpoint.filesystem import FileSystemReader
    from torch.distributed.checkpoint.state_dict_loader import load as load_parts

    try:
        with torch.no_grad(), _quiet():
            load_parts(_tensors(trainer), storage_reader=FileSystemReader(folder), no_dist=True)
    except (Exception, CheckpointException) as error:
        raise StorageError(f"{folder} is damaged ({type(error).__name__}); it was set aside") from error


def _tensors(trainer: Trainer) -> dict[str, Tensor]:
    """Weights and moments by name; the moments of an optimiser that has not stepped are made, zero."""
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict

    options = StateDictOptions(flatten_optimizer_state_dict=True)
    weights, moments = get_state_dict(trainer.module, trainer.optimizers.parts, options=options)
    # rates and decays are the config's
    held: dict[str, Any] = {f"module.{name}": one for name, one in weights.items()}
    held |= {f"optimizers.{name}": one for name, one in moments.items() if isinstance(one, Tensor)}
    return held


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        # of torch's own calls of torch
        warnings.simplefilter("ignore")
        yield
