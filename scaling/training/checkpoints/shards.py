"""Write and read sharded checkpoints with `torch.distributed.checkpoint`.

Every process writes its shards of weights and optimiser. Any number of processes, also one, can read them.
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
    """Write the shards of all processes into a new folder; it is complete on return. Raises StorageError."""
    from torch.distributed.checkpoint.filesystem import FileSystemWriter
    from torch.distributed.checkpoint.state_dict_saver import save as save_parts

    trainer.team.share(lambda: shutil.rmtree(folder, ignore_errors=True))
    with storage(folder, "a checkpoint in parts"), _quiet():
        save_parts(_tensors(trainer), storage_writer=FileSystemWriter(folder))


def load(trainer: Trainer, folder: Path) -> None:
    """Load this process's shards into weights and optimiser.

    Raises StorageError when the folder is damaged; the trainer is then partly loaded and must be discarded.
    """
    from torch.distributed.checkpoint.api import CheckpointException  # not a subclass of Exception
    from torch.distributed.checkpoint.filesystem import FileSystemReader
    from torch.distributed.checkpoint.state_dict_loader import load as load_parts

    try:
        with torch.no_grad(), _quiet():
            load_parts(_tensors(trainer), storage_reader=FileSystemReader(folder), no_dist=True)
    except (Exception, CheckpointException) as error:
        raise StorageError(
            f"{folder} is damaged ({type(error).__name__}); remove it to use an older checkpoint"
        ) from error


def _tensors(trainer: Trainer) -> dict[str, Tensor]:
    """Return weights and moments by name; the moments are zero before the optimiser's first step."""
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict

    options = StateDictOptions(flatten_optimizer_state_dict=True)
    weights, moments = get_state_dict(trainer.module, trainer.optimizers.parts, options=options)
    # learning rates and weight decays come from the config
    held: dict[str, Any] = {f"module.{name}": one for name, one in weights.items()}
    held |= {f"optimizers.{name}": one for name, one in moments.items() if isinstance(one, Tensor)}
    return held


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        # torch warns about calls that it makes itself
        warnings.simplefilter("ignore")
        yield
