"""Routed experts in place of the MLP: a router sends each token to a few experts and drops none."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scaling.families.decoder.switches import Switches
from scaling.families.shape import Shape


class Experts(nn.Module):
    """A weighted sum of the MLPs of the chosen experts: (batch, context, width) → the same shape.

    The router's softmax gives each expert a share. The experts with the highest shares are chosen, and their
    shares are normalised to sum to one (arXiv:2401.04088, section 2.1). An expert takes any number of tokens:
    nothing is padded or dropped.
    """

    def __init__(self, shape: Shape, switches: Switches) -> None:
        super().__init__()
        experts, self.chosen = switches.experts or 1, switches.experts_per_token
        hidden = shape.hidden // self.chosen
        self.activation, self.experts = switches.mlp, experts
        self.router = nn.Linear(shape.width, experts, bias=False)
        self.up = nn.Parameter(torch.empty(experts, hidden * (2 if switches.gated else 1), shape.width))
        self.down = nn.Parameter(torch.empty(experts, shape.width, hidden))
        self.imbalance: Tensor | None = None
        self.load: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Route every token; store `imbalance` (scalar, 1 when even) and `load` (share of each expert)."""
        from scaling.families.decoder.layers import activate

        batch, context, width = x.shape
        shares = self.router(x).softmax(dim=-1)
        top, ids = shares.topk(self.chosen, dim=-1)
        top = top / top.sum(dim=-1, keepdim=True)
        self._measure(shares, ids)

        # sort the slots by expert, so that each expert multiplies one block of rows
        slots = ids.flatten()
        order = slots.argsort(stable=True)
        rows = x.reshape(-1, 1, width).expand(-1, self.chosen, width).reshape(-1, width)[order]
        sizes: Any = self._sizes(slots)
        parts = [
            F.linear(activate(F.linear(part, up), self.activation), down)
            for part, up, down in zip(torch.split(rows, sizes), self.up, self.down, strict=True)
        ]
        mixed = torch.cat(parts)[order.argsort()].view(batch, context, self.chosen, width)
        y: Tensor = (mixed * top.unsqueeze(-1)).sum(dim=2)
        return y

    def _sizes(self, slots: Tensor) -> list[int]:
        """Return the number of slots of each expert; an even split on the meta device, which has no data."""
        if slots.device.type == "meta":
            each, left = divmod(slots.numel(), self.experts)
            return [each + (expert < left) for expert in range(self.experts)]
        sizes: list[int] = torch.bincount(slots, minlength=self.experts).tolist()
        return sizes

    def _measure(self, shares: Tensor, ids: Tensor) -> None:
        """Store the load-balancing loss, experts × Σ (share of slots × mean share), and the load.

        The loss (arXiv:2101.03961, eq. 4) is computed within each sequence and then averaged, so it does not
        depend on how a batch is split into micro-batches.
        """
        slots = F.one_hot(ids, self.experts).float().mean(dim=(1, 2))
        self.imbalance = self.experts * (slots * shares.mean(dim=1)).sum(dim=-1).mean()
        self.load = slots.mean(dim=0).detach()
