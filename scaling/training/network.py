"""Build the network of a cell at step 0: load the parent's weights, adapt and compress it."""

from __future__ import annotations

import torch
from torch import nn

from scaling.errors import ConfigError, StorageError
from scaling.families.adapting.adaptation import HEADS
from scaling.families.adapting.modules import adapt, fold
from scaling.training import tensors
from scaling.training.cell import Cell
from scaling.training.compression.training import compress
from scaling.training.optimization.parametrization import rescale
from scaling.training.parent import Start

__all__ = ["build", "fold"]


def build(cell: Cell, *, trained: bool = True) -> nn.Module:
    """Return the network of a cell on the CPU.

    `trained=False` skips the parent's weights, for a network whose own weights are loaded next.

    Raises:
        StorageError: when the parent's weights were not kept or are damaged.
        ConfigError: when they do not fit.
    """
    module: nn.Module = cell.architecture.build(cell.shape, seed=cell.seed)
    rescale(module, cell.hyperparameters)
    if cell.start is not None:
        if trained:
            take_over(module, cell.start)
        adapt(module, cell.start.adaptation, seed=cell.seed, head_is_new=cell.start.new_head)
    if cell.compression is not None:
        compress(module, cell.compression)
    return module


@torch.no_grad()
def take_over(module: nn.Module, start: Start) -> None:
    """Copy the parent's weights into a module, except a new head and the embedding of a new vocabulary."""
    try:
        theirs = tensors.weights(start.weights, start.run_id)
    except FileNotFoundError:
        raise StorageError(
            f"the weights of run {start.run_id} were not kept ({start.weights}); run it again with "
            "checkpoint.weights=true"
        ) from None
    if start.new_vocabulary and not hasattr(module, "embedding"):
        raise ConfigError(
            f"{type(module).__name__} has no embedding to replace for another tokenizer; set "
            "corpus.tokenizer to the parent's"
        )
    for name, parameter in module.named_parameters():
        first = name.split(".")[0]
        if (start.new_head and first in HEADS) or (start.new_vocabulary and first == "embedding"):
            continue
        if name not in theirs or theirs[name].shape != parameter.shape:
            has = f"is {tuple(theirs[name].shape)} there" if name in theirs else "is not there"
            raise ConfigError(
                f"the weights of run {start.run_id} do not fit: {name}, here {tuple(parameter.shape)}, "
                f"{has}; start from a run of the same family and size"
            )
        parameter.copy_(theirs[name])
