"""Define the optimiser Lion, which steps by the sign of a momentum (arXiv:2302.06675, algorithm 2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch


class Lion(torch.optim.Optimizer):
    """Lion, w ← w − lr·(sign(β₁m + (1 − β₁)g) + λw), then m ← β₂m + (1 − β₂)g."""

    def __init__(self, groups: Iterable[dict[str, Any]], *, lr: float, betas: tuple[float, float]) -> None:
        super().__init__(groups, {"lr": lr, "betas": betas, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient."""
        for group in self.param_groups:
            members = [p for p in group["params"] if p.grad is not None]
            if not members:
                continue
            beta1, beta2 = group["betas"]
            for p in members:
                if not self.state[p]:
                    self.state[p]["mean"] = torch.zeros_like(p)
            means = [self.state[p]["mean"] for p in members]
            gradients = [p.grad for p in members]
            direction = torch._foreach_mul(means, beta1)
            torch._foreach_add_(direction, gradients, alpha=1 - beta1)
            torch._foreach_mul_(members, 1 - group["lr"] * group["weight_decay"])
            torch._foreach_add_(members, [d.sign_() for d in direction], alpha=-group["lr"])
            torch._foreach_lerp_(means, gradients, 1 - beta2)
