"""Round and prune the weights of a trained network for the duration of a context."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from scaling.errors import ConfigError
from scaling.training.compression.pruning import masks
from scaling.training.compression.rounding import rounded
from scaling.training.optimization.parametrization import kind_of


@contextmanager
def compressed(module: nn.Module, *, bits: int | None, sparsity: float, scope: str) -> Iterator[int]:
    """Prune and then round the hidden matrices of a module, and restore them on exit.

    Yields the number of pruned weights. Embedding, head, norms and biases are not changed. Raises ConfigError
    for a network without hidden matrices.
    """
    matrices = hidden(module)
    if not matrices:
        raise ConfigError(f"{type(module).__name__} has no hidden matrices to compress")
    before = [matrix.detach().clone() for matrix in matrices]
    kept = masks(before, sparsity, scope)
    try:
        with torch.no_grad():
            for matrix, mask in zip(matrices, kept, strict=True):
                matrix.mul_(mask)
                if bits is not None:
                    matrix.copy_(rounded(matrix, bits))
        yield sum(int((~mask).sum()) for mask in kept)
    finally:
        with torch.no_grad():
            for matrix, old in zip(matrices, before, strict=True):
                matrix.copy_(old)


def hidden(module: nn.Module) -> list[Tensor]:
    """Return the matrices that are neither embedding nor head."""
    tables = {
        id(p) for m in module.modules() if isinstance(m, nn.Embedding) for p in m.parameters(recurse=False)
    }
    return [p for name, p in module.named_parameters() if kind_of(name, p, tables) == "hidden"]
