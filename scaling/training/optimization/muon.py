"""Define the optimiser Muon, which orthogonalises its momentum by a Newton–Schulz iteration.

Source: K. Jordan and others, "Muon: an optimizer for hidden layers in neural networks" (2024). The learning
rate is scaled as in arXiv:2502.16982, equation 4, so that updates are as large as AdamW's and both can use
one recipe.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic polynomial; five iterations bring every singular value to about 0.7 … 1.2."""


def orthogonal(matrix: Tensor, steps: int = 5) -> Tensor:
    """Return approximately U Vᵀ of a matrix's (rows, columns) singular value decomposition, in bfloat16."""
    a, b, c = COEFFICIENTS
    x = matrix.bfloat16()
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = x.T
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x


class Muon(torch.optim.Optimizer):
    """Muon, w ← (1 − lr·λ)w − lr·0.2·√max(rows, columns)·orthogonal(Nesterov momentum), for matrices only."""

    def __init__(self, groups: Iterable[dict[str, Any]], *, lr: float, momentum: float) -> None:
        super().__init__(groups, {"lr": lr, "momentum": momentum, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """Update every matrix that has a gradient."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["mean"] = torch.zeros_like(p)
                mean = state["mean"].lerp_(p.grad, 1 - group["momentum"])
                update = orthogonal(p.grad.lerp(mean, group["momentum"]).flatten(1))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(update.view_as(p), alpha=-group["lr"] * 0.2 * math.sqrt(max(update.shape)))
