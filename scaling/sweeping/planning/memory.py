"""What a training step holds in memory, by component, from the shape alone. No torch.

Checked against what autograd keeps, on torch's fake tensors (tests/training/devices/test_paper.py).
"""

from __future__ import annotations

from typing import Any

BYTES = {"float32": 4, "tf32": 4, "bfloat16": 2, "float16": 2}
"""Of a number in each format."""


def activations_per_token(shape: Any, switches: dict[str, Any], dtype: str) -> float:
    """Bytes that the forward pass of a decoder keeps for the backward pass, per token, without the head.

    With fused attention, which keeps queries, keys, values, its output and one number a head, never the
    scores. Norms run in float32 under autocast and their outputs are copied for the products.

    Args:
        shape: width, depth, heads, kv_heads, head_dim, hidden.
        switches: of the family: norm, position, mlp.
        dtype: of the forward pass.
    """
    each = BYTES[dtype]
    inside, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    # RMSNorm keeps what it read, what it made before the gain, and a number; LayerNorm what it read and two
    norm = 4 * ((2 * shape.width + 1) if switches["norm"] == "rmsnorm" else (shape.width + 2))
    norm += each * shape.width
    rotated = inside + keys if switches["position"] == "rope" else 0
    attention = each * (2 * inside + 2 * keys + rotated) + 4 * shape.heads
    mlp = each * shape.hidden * (4 if switches["mlp"] == "swiglu" else 2)
    return float(shape.depth * (2 * norm + attention + mlp) + norm)


def logits_per_token(vocab: int, dtype: str) -> float:
    """Bytes of logits, their float32 copy and its gradient, per token whose logits are held at once."""
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
    """Bytes on one device by component.

    Args:
        counts: of the family: parameters.
        shape, switches, dtype: as in `activations_per_token`.
        sequences: of a micro-batch.
        context: tokens of a sequence.
        sharded: devices over which weights, gradients and optimiser are cut (FSDP); 1 = whole on each.
        loss_chunk: tokens whose logits are held at once; None = all of the micro-batch.
    """
    n, tokens = counts.params_total, sequences * context
    at_once = tokens if loss_chunk is None else min(loss_chunk, tokens)
    gathered = (counts.params_block / max(shape.depth, 1)) * 2 if sharded > 1 else 0.0
    # autocast copies matrices into its format and keeps them until the backward pass is through
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
