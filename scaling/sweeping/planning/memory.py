"""Compute the memory of a training step by component, from the shape only. No torch.

Tests compare it with the tensors that autograd stores (tests/training/devices/test_paper.py).
"""

from __future__ import annotations

from typing import Any

BYTES = {"float32": 4, "tf32": 4, "bfloat16": 2, "float16": 2}
"""Bytes per number in each format."""


def activations_per_token(shape: Any, switches: dict[str, Any], dtype: str) -> float:
    """Return the bytes per token that a decoder without its head stores for the backward pass.

    Attention is fused: it stores queries, keys, values, its output and one number per head, but no scores.
    Under autocast, norms run in float32 and their outputs are copied for the matrix products.

    Args:
        shape: width, depth, heads, kv_heads, head_dim and hidden of the decoder.
        switches: norm, position and mlp of the family.
        dtype: number format of the forward pass.
    """
    each = BYTES[dtype]
    inside, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    # RMSNorm stores its input, its output before the gain and one number; LayerNorm its input and two
    norm = 4 * ((2 * shape.width + 1) if switches["norm"] == "rmsnorm" else (shape.width + 2))
    norm += each * shape.width
    rotated = inside + keys if switches["position"] == "rope" else 0
    attention = each * (2 * inside + 2 * keys + rotated) + 4 * shape.heads
    mlp = each * shape.hidden * (4 if switches["mlp"] == "swiglu" else 2)
    return float(shape.depth * (2 * norm + attention + mlp) + norm)


def logits_per_token(vocab: int, dtype: str) -> float:
    """Return the bytes per token of the logits, their float32 copy and its gradient."""
    return float(vocab * (BYTES[dtype] + 4 + 4))


def components(
    counts: Any,
    shape: Any,
    switches: dict[str, Any],
    *,
    dtype: str,
    sequences: int,
    context: int,
    sharded: int = 1,
    loss_chunk: int | None = None,
) -> dict[str, float]:
    """Return the bytes on one device, by component.

    Args:
        counts: parameter counts of the family.
        shape, switches, dtype: as in `activations_per_token`.
        sequences: sequences of a micro-batch.
        context: tokens per sequence.
        sharded: number of devices that share weights, gradients and optimiser state (FSDP); 1: not sharded.
        loss_chunk: tokens whose logits are computed at once; None: all of the micro-batch.
    """
    n, tokens = counts.params_total, sequences * context
    at_once = tokens if loss_chunk is None else min(loss_chunk, tokens)
    gathered = (counts.params_block / max(shape.depth, 1)) * 2 if sharded > 1 else 0.0
    # autocast keeps a copy of the matrices in its format until the backward pass ends
    copied = BYTES[dtype] * (gathered if sharded > 1 else n) if BYTES[dtype] < 4 else 0.0
    return {
        "weights": 4.0 * n / sharded,
        "gradients": 4.0 * n / sharded,
        "optimizer": 8.0 * n / sharded,
        "gathered": 4.0 * gathered,
        "weights_in_format": float(copied),
        "activations": tokens * activations_per_token(shape, switches, dtype),
        "logits": at_once * logits_per_token(shape.vocab, dtype),
    }
