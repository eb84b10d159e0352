"""Weights rounded to a few bits: symmetric, to the nearest, one scale a row."""

from __future__ import annotations

from torch import Tensor


def rounded(weight: Tensor, bits: int) -> Tensor:
    """Each entry at the nearest of 2^bits − 1 evenly spaced levels: scale = largest of the row / (2^(bits−1)
    − 1).

    Args:
        weight: (…, outputs, inputs); a row is one output's weights.
        bits: 2 or more; at 2 the levels are −1, 0 and 1 times the scale.

    Returns the same shape, in the weight's own format (round-to-nearest, as the baseline of
    arXiv:2210.17323).
    """
    most = 2 ** (bits - 1) - 1
    scale = weight.abs().amax(-1, keepdim=True) / most
    # a row of zeros has no scale and stays zero
    safe = scale.clamp_min(1e-30)
    nearest: Tensor = (weight / safe).round().clamp(-most, most) * scale
    return nearest


def straight_through(weight: Tensor, bits: int) -> Tensor:
    """`rounded` forward; backward as if nothing had been rounded (arXiv:1308.3432)."""
    return weight + (rounded(weight, bits) - weight).detach()
