"""Round and prune the weights of a network during training."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scaling.errors import ConfigError
from scaling.training.compression.pruning import masks
from scaling.training.compression.rounding import straight_through
from scaling.training.config.compression import Compression


class CompressedLinear(nn.Linear):
    """A linear layer that masks and rounds its weights in the forward pass.

    The trained weights keep their full precision. A masked weight gets no gradient.
    """

    kept: Tensor | None

    def __init__(self, linear: nn.Linear, *, bits: int | None, masked: bool) -> None:
        super().__init__(1, 1, bias=False)
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.weight, self.bias, self.bits = linear.weight, linear.bias, bits
        # a buffer, so that checkpoints include it
        self.register_buffer("kept", torch.ones_like(linear.weight, dtype=torch.bool) if masked else None)

    def effective_weight(self) -> Tensor:
        """Return the masked and rounded weights."""
        weight: Tensor = self.weight if self.kept is None else self.weight * self.kept
        return weight if self.bits is None else straight_through(weight, self.bits)

    def forward(self, x: Tensor) -> Tensor:
        """Map (…, inputs) to (…, outputs)."""
        return F.linear(x, self.effective_weight(), self.bias)


def compress(module: nn.Module, compression: Compression) -> None:
    """Replace the linear layers of the blocks in place. Raises ConfigError when there are none."""
    replaced = 0
    for block in getattr(module, "blocks", ()):
        for parent in list(block.modules()):
            for name, child in list(parent.named_children()):
                if type(child) is nn.Linear:
                    masked = compression.sparsity is not None
                    setattr(parent, name, CompressedLinear(child, bits=compression.bits, masked=masked))
                    replaced += 1
    if not replaced:
        raise ConfigError(
            f"compression needs blocks of linear layers and {type(module).__name__} has none; set "
            "compression.bits and compression.sparsity to null"
        )
    prune(module, compression, step=0, steps=1)


def prune(module: nn.Module, compression: Compression, *, step: int, steps: int) -> None:
    """Mask the weights of smallest magnitude, as many as the schedule sets after this step.

    A masked weight keeps its value, so a later call may unmask it until the schedule ends.
    """
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
