"""Insert low-rank maps or bottleneck adapters into a trained network, and freeze the other weights."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scaling.families.adapting.adaptation import Adaptation


class LowRankLinear(nn.Linear):
    """A linear map with a low-rank map: x Wᵀ + b + (alpha / r) (x Aᵀ) Bᵀ (arXiv:2106.09685, equation 3).

    W and b are those of the trained network. B starts at zero, so training starts from that network.
    """

    def __init__(self, linear: nn.Linear, *, rank: int, alpha: float, generator: torch.Generator) -> None:
        super().__init__(1, 1, bias=False)
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.weight, self.bias = linear.weight, linear.bias
        self.scale = alpha / rank
        first = torch.empty(rank, linear.in_features).normal_(
            0, 1 / math.sqrt(linear.in_features), generator=generator
        )
        self.lora_a = nn.Parameter(first)
        self.lora_b = nn.Parameter(torch.zeros(linear.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        """Return the output of both maps: (…, inputs) → (…, outputs)."""
        learnt = F.linear(F.linear(x, self.lora_a), self.lora_b)
        return F.linear(x, self.weight, self.bias) + self.scale * learnt

    def effective_weight(self) -> Tensor:
        """Return W + (alpha / r) B A, the weight of the equivalent plain linear map."""
        return self.weight + self.scale * self.lora_b @ self.lora_a


class Adapter(nn.Module):
    """An adapter: x + up(GELU(down(x))), where `up` starts at zero (arXiv:1902.00751, section 2.1)."""

    def __init__(self, width: int, bottleneck: int, *, generator: torch.Generator) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(width, bottleneck), nn.Linear(bottleneck, width)
        with torch.no_grad():
            self.down.weight.normal_(0, 1 / math.sqrt(width), generator=generator)
            for zero in (self.down.bias, self.up.weight, self.up.bias):
                zero.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """Return the adapted features: (…, width) → the same shape."""
        y: Tensor = x + self.up(F.gelu(self.down(x)))
        return y


class Adapted(nn.Module):
    """A sublayer followed by an adapter."""

    def __init__(self, inner: nn.Module, adapter: Adapter) -> None:
        super().__init__()
        self.inner, self.adapter = inner, adapter

    def forward(self, *inputs: Tensor | None) -> Tensor:
        """Return the adapted output of the sublayer."""
        y: Tensor = self.adapter(self.inner(*inputs))
        return y


def adapt(module: nn.Module, adaptation: Adaptation, *, seed: int, head_is_new: bool) -> None:
    """Insert the modules of the adaptation, drawn with `seed`, and freeze the other weights; in place."""
    generator = torch.Generator().manual_seed(seed)
    blocks: list[nn.Module] = list(getattr(module, "blocks", ()))
    for block in blocks:
        if adaptation.kind == "lora":
            for part in (block.attention, block.mlp):
                for name in adaptation.targets or ():
                    linear = getattr(part, name, None)
                    if isinstance(linear, nn.Linear):
                        low = LowRankLinear(
                            linear,
                            rank=int(adaptation.rank or 0),
                            alpha=float(adaptation.alpha or 0),
                            generator=generator,
                        )
                        setattr(part, name, low)
        elif adaptation.kind == "adapters":
            for name in ("attention", "mlp"):
                width, features = module.shape.width, int(adaptation.bottleneck or 0)  # type: ignore[union-attr]
                adapter = Adapter(int(width), features, generator=generator)  # type: ignore[arg-type]
                setattr(block, name, Adapted(getattr(block, name), adapter))
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(adaptation.learns(name, len(blocks), head_is_new=head_is_new))


@torch.no_grad()
def fold(module: nn.Module) -> nn.Module:
    """Replace every linear map that has an `effective_weight` by the equivalent plain map; in place."""
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Linear) and hasattr(child, "effective_weight"):
                plain = nn.Linear(1, 1, bias=False)
                plain.in_features, plain.out_features = child.in_features, child.out_features
                plain.weight = nn.Parameter(child.effective_weight().clone())  # type: ignore[operator]
                plain.bias = child.bias
                setattr(parent, name, plain)
    return module
