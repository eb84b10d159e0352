"""Rounding and pruning inside a network that trains."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scaling.errors import ConfigError
from scaling.training.compression.pruning import masks
from scaling.training.compression.rounding import straight_through
from scaling.training.config.compression import Compression


class CompressedLinear(nn.Linear):
    """A linear map whose weights are masked, then rounded, on their way into the product. The weights that
    learn stay whole, and a masked one gets no gradient."""

    kept: Tensor | None

    def __init__(self, linear: nn.Linear, *, bits: int | None, masked: bool) -> None:
        super().__init__(1, 1, bias=False)
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.weight, self.bias, self.bits = linear.weight, linear.bias, bits
        # a buffer: a checkpoint carries it
        self.register_buffer("kept", torch.ones_like(linear.weight, dtype=torch.bool) if masked else None)

    def effective_weight(self) -> Tensor:
        """What the product is taken with."""
        weight: Tensor = self.weight if self.kept is None else self.weight * self.kept
        return weight if self.bits is None else straight_through(weight, self.bits)

    def forward(self, x: Tensor) -> Tensor:
        """(…, inputs) → (…, outputs)."""
        return F.linear(x, self.effective_weight(), self.bias)


def compress(module: nn.Module, compression: Compression) -> None:
    """Replaces the linear maps of the blocks, in place. Raises ConfigError for a network without any."""
    found = 0
    for block in getattr(module, "blocks", ()):
        for parent in list(block.modules()):
            for name, child in list(parent.named_children()):
                if type(child) is nn.Linear:
                    masked = compression.sparsity is not None
                    setattr(parent, name, CompressedLinear(child, bits=compression.bits, masked=masked))
                    found += 1
    if not found:
        raise ConfigError(
            f"compression needs blocks of linear maps and {type(module).__name__} has none; set "
            "compression.bits and compression.sparsity to null"
        )
    prune(module, compression, step=0, steps=1)


def prune(module: nn.Module, compression: Compression, *, step: int, steps: int) -> None:
    """Masks as many weights as the schedule asks for after this step, by their magnitude now. One that was
    masked may come back while the share still grows, as its magnitude stays where it was."""
    if compression.sparsity is None:
        return
    now = compression.sparsity_at(step, steps)
    if step and now == compression.sparsity_at(step - 1, steps):
        return
    linears = [m for m in module.modules() if isinstance(m, CompressedLinear)]
    kept = masks([linear.weight for linear in linears], now, str(compression.scope))
    for linear, mask in zip(linears, kept, strict=True):
        assert linear.kept is not None
        linear.kept.copy_(mask)
