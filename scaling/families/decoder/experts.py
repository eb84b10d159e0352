"""Routed experts in the place of the MLP: each token is sent to a few of many, none is dropped."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scaling.families.decoder.switches import Switches
from scaling.families.shape import Shape


class Experts(nn.Module):
    """Σ over the chosen experts of their share × their MLP: (batch, context, width) → the same.

    The router's softmax over all experts picks the highest few, whose shares are then made to sum to one
    (arXiv:2401.04088, section 2.1). Work follows the tokens, whatever their distribution: nothing is padded
    or dropped.
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
        """Routes every token, and leaves `imbalance` (1 when even, scalar) and `load` (share of each
        expert)."""
        from scaling.families.decoder.layers import activate

        batch, context, width = x.shape
        shares = self.router(x).softmax(dim=-1)
        top, ids = shares.topk(self.chosen, dim=-1)
        top = top / top.sum(dim=-1, keepdim=True)
        self._measure(shares, ids)

        # slots sorted by expert, so that each expert multiplies one block of rows
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
        """Slots of each expert. On the meta device, which has no data, an even split: the total is the
        same."""
        if slots.device.type == "meta":
            each, left = divmod(slots.numel(), self.experts)
            return [each + (expert < left) for expert in range(self.experts)]
        sizes: list[int] = torch.bincount(slots, minlength=self.experts).tolist()
        return sizes

    def _measure(self, shares: Tensor, ids: Tensor) -> None:
        """experts × Σ (share of slots × mean share) (arXiv:2101.03961, eq. 4), within each sequence and then
        averaged: so it does not depend on how a batch is cut into micro-batches."""
        slots = F.one_hot(ids, self.experts).float().mean(dim=(1, 2))
        self.imbalance = self.experts * (slots * shares.mean(dim=1)).sum(dim=-1).mean()
        self.load = slots.mean(dim=0).detach()
