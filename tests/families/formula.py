"""Attention as its formula, an oracle for the fast one."""

from __future__ import annotations

import torch
from torch import Tensor


def written_out(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return attention by its formula. query: (…, heads, T, d); key and value: (…, kv_heads, T, d)."""
    groups = query.shape[-3] // key.shape[-3]
    key, value = key.repeat_interleave(groups, dim=-3), value.repeat_interleave(groups, dim=-3)
    scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
    if bias is None:
        context = query.shape[-2]
        bias = torch.full((context, context), float("-inf"), dtype=scores.dtype).triu(1)
    mixed: Tensor = (scores + bias).softmax(dim=-1) @ value
    return mixed
