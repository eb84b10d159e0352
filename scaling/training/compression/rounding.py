"""Round weights to a few bits: symmetric, to the nearest level, one scale per row."""

from __future__ import annotations

from torch import Tensor


def rounded(weight: Tensor, bits: int) -> Tensor:
    """Return weights rounded to the nearest of 2^bits − 1 evenly spaced levels per row.

    The distance of two levels is the largest magnitude of the row / (2^(bits−1) − 1). This is the baseline
    round-to-nearest of arXiv:2210.17323.

    Args:
        weight: (…, outputs, inputs); a row is one output's weights.
        bits: 2 or more; at 2 the levels are −1, 0 and 1 times the scale.

    Returns:
        A tensor of the same shape and dtype.
    """
    most = 2 ** (bits - 1) - 1
    scale = weight.abs().amax(-1, keepdim=True) / most
    # avoids a division by zero in a row of zeros
    safe = scale.clamp_min(1e-30)
    nearest: Tensor = (weight / safe).round().clamp(-most, most) * scale
    return nearest


def straight_through(weight: Tensor, bits: int) -> Tensor:
    """Return rounded weights whose gradient is that of the unrounded weights (arXiv:1308.3432)."""
    return weight + (rounded(weight, bits) - weight).detach()
