"""Choose the weights to prune: those of smallest magnitude."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


@torch.no_grad()
def masks(weights: Sequence[Tensor], sparsity: float, scope: str) -> list[Tensor]:
    """Return one mask per matrix, true for the weights that stay (arXiv:1506.02626).

    The round(sparsity × entries) smallest magnitudes are pruned, over all matrices together (`global`) or
    within each (`layer`).
    """
    if scope == "layer":
        return [_kept(weight.abs().flatten(), sparsity).view_as(weight) for weight in weights]
    every = torch.cat([weight.abs().flatten() for weight in weights])
    parts = torch.split(_kept(every, sparsity), [weight.numel() for weight in weights])
    return [part.view_as(weight) for part, weight in zip(parts, weights, strict=True)]


def _kept(magnitudes: Tensor, sparsity: float) -> Tensor:
    drop = round(sparsity * magnitudes.numel())
    kept = torch.ones_like(magnitudes, dtype=torch.bool)
    # by rank: a threshold would prune all or none of the weights of equal magnitude
    kept[magnitudes.argsort(stable=True)[:drop]] = False
    return kept
