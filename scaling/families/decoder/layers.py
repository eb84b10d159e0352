"""Norms, the MLP and position encodings."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scaling.families.decoder.switches import Switches
from scaling.families.shape import Shape

EPSILON = 1e-5
"""Added to the mean square or variance inside every norm."""


def make_norm(width: int, switches: Switches) -> nn.Module:
    """Return a norm with a gain over `width` features."""
    if switches.norm == "rmsnorm":
        return nn.RMSNorm(width, eps=EPSILON)
    return nn.LayerNorm(width, eps=EPSILON, bias=switches.bias)


class MLP(nn.Module):
    """The MLP: two matrices, or three when gated: (batch, context, width) → the same shape."""

    def __init__(self, shape: Shape, switches: Switches) -> None:
        super().__init__()
        self.activation = switches.mlp
        # up and gate are one product: at small widths a kernel call costs more than its arithmetic
        self.up = nn.Linear(shape.width, shape.hidden * (2 if switches.gated else 1), bias=switches.bias)
        self.down = nn.Linear(shape.hidden, shape.width, bias=switches.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the MLP to each position separately."""
        y: Tensor = self.down(activate(self.up(x), self.activation))
        return y


def activate(x: Tensor, activation: str) -> Tensor:
    """Return the activation of `x`; `swiglu` takes (…, 2 × hidden), gate first, and returns (…, hidden)."""
    if activation == "swiglu":
        gate, x = x.chunk(2, dim=-1)
        return F.silu(gate) * x
    if activation == "gelu_tanh":
        return F.gelu(x, approximate="tanh")
    if activation == "gelu":
        return F.gelu(x)
    x = F.relu(x)
    return x * x if activation == "relu2" else x


def rotation(context: int, head_dim: int, base: float) -> tuple[Tensor, Tensor]:
    """Return the cosines and signed sines of RoPE (arXiv:2104.09864), each (context, head_dim) float32.

    Pairs are (i, i + head_dim/2) as in transformers. A rotated head is x·cos + roll(x, head_dim/2)·sin. The
    sine table holds the minus sign of the first half, which saves a negation and a concatenation per call.
    """
    half = head_dim // 2
    frequencies = base ** (-torch.arange(half, dtype=torch.float64) / half)
    angles = torch.outer(torch.arange(context, dtype=torch.float64), frequencies)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat((cos, cos), dim=1).float(), torch.cat((-sin, sin), dim=1).float()


def sinusoids(context: int, width: int) -> Tensor:
    """Return the sines and cosines of arXiv:1706.03762, section 3.5: (context, width) float32."""
    even = torch.arange(0, width, 2, dtype=torch.float64)
    angles = torch.outer(torch.arange(context, dtype=torch.float64), 10_000.0 ** (-even / width))
    return torch.stack((angles.sin(), angles.cos()), dim=2).flatten(1)[:, :width].float()


def alibi_slopes(heads: int) -> Tensor:
    """Return the ALiBi penalty per token of distance, (heads,): 2^(−8/heads), its square, and so on.

    Source: arXiv:2108.12409, section 3.
    """
    return torch.tensor([2.0 ** (-8.0 * (head + 1) / heads) for head in range(heads)], dtype=torch.float64)


def attention_bias(shape: Shape, switches: Switches) -> Tensor | None:
    """Return the bias of the scores, (heads or 1, context, context), −inf where a key is masked.

    Returns None where the causal mask suffices, because attention kernels are faster without a bias.
    """
    narrow = switches.window is not None and switches.window < shape.context
    if switches.position != "alibi" and not narrow:
        return None
    query = torch.arange(shape.context)[:, None]
    key = torch.arange(shape.context)[None, :]
    distance = query - key
    hidden = distance < 0
    if narrow and switches.window is not None:
        hidden = hidden | (distance >= switches.window)
    slopes = (
        alibi_slopes(shape.heads) if switches.position == "alibi" else torch.zeros(1, dtype=torch.float64)
    )
    bias = -slopes[:, None, None] * distance
    return bias.masked_fill(hidden, -math.inf).float()
