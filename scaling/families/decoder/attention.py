"""Self-attention with optional grouped heads, sliding window, RoPE, ALiBi and QK norm."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scaling.families.decoder.layers import EPSILON
from scaling.families.decoder.switches import Switches
from scaling.families.shape import Shape


class Attention(nn.Module):
    """The attention layer softmax(QKᵀ/√head_dim + bias)V: (batch, context, width) → the same shape.

    Without a bias the mask is causal, or absent when `causal` is false. `scale` replaces 1/√head_dim.
    """

    def __init__(
        self, shape: Shape, switches: Switches, *, causal: bool = True, scale: float | None = None
    ) -> None:
        super().__init__()
        self.causal, self.scale = causal, scale
        self.heads, self.kv_heads, self.head_dim = shape.heads, shape.kv_heads, shape.head_dim
        self.dropout = switches.dropout
        # queries, keys and values in one product, in this order
        self.qkv = nn.Linear(
            shape.width, (shape.heads + 2 * shape.kv_heads) * shape.head_dim, bias=switches.bias
        )
        self.out = nn.Linear(shape.heads * shape.head_dim, shape.width, bias=switches.bias)
        self.query_gain = nn.Parameter(torch.ones(shape.head_dim)) if switches.qk_norm else None
        self.key_gain = nn.Parameter(torch.ones(shape.head_dim)) if switches.qk_norm else None

    def forward(self, x: Tensor, cos: Tensor | None, sin: Tensor | None, bias: Tensor | None) -> Tensor:
        """Return the output of the layer, (batch, context, width).

        Args:
            x: (batch, context, width).
            cos, sin: RoPE tables, (context, head_dim), or None.
            bias: added to the scores, (heads or 1, context, context), or None.
        """
        batch, context, _ = x.shape
        heads, kv_heads, dim = self.heads, self.kv_heads, self.head_dim
        mixed: Tensor = self.qkv(x).view(batch, context, heads + 2 * kv_heads, dim).transpose(1, 2)
        if cos is None and self.query_gain is None:
            query, key, value = torch.split(mixed, [heads, kv_heads, kv_heads], dim=1)
        else:
            # queries and keys go through the same operations, so they stay one tensor: fewer kernel calls
            both, value = torch.split(mixed, [heads + kv_heads, kv_heads], dim=1)
            if self.query_gain is not None and self.key_gain is not None:
                gain = torch.cat(
                    (self.query_gain.expand(heads, 1, dim), self.key_gain.expand(kv_heads, 1, dim))
                )
                both = F.rms_norm(both, (dim,), eps=EPSILON) * gain
            if cos is not None and sin is not None:
                both = torch.addcmul(both * cos, both.roll(dim // 2, dims=-1), sin)
            query, key = torch.split(both, [heads, kv_heads], dim=1)
        y = F.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=bias,
            dropout_p=self.dropout if self.training else 0.0,
            is_causal=self.causal and bias is None,
            scale=self.scale,
            enable_gqa=kv_heads != heads,
        )
        mixed = self.out(y.transpose(1, 2).reshape(batch, context, heads * dim))
        return mixed
