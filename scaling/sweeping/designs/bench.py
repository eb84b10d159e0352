"""Design `bench`: one short run per size, of about equal FLOPs, to measure the seconds per step."""

from __future__ import annotations

from typing import Any

from scaling.sweeping.designs.space import Space

_FLOPS = 1.5e10
"""FLOPs of one run, about a second on one core."""
_FEWEST_STEPS = 30

KEYS = ("sizes",)
"""Keys of `sweep` that this design reads."""


def cells(space: Space) -> list[dict[str, Any]]:
    """Return one cell for each of `sweep.sizes`, with a token budget of whole steps."""
    assert space.cell is not None
    found = []
    for size in space.values("sizes"):
        step = space.cell({"family.size": size, "budget.tokens": 1e6}).batch_tokens
        steps = max(_FEWEST_STEPS, round(_FLOPS / space.measure(size)[1] / step))
        found.append({"family.size": size, "budget.tokens": float(steps * step)})
    return found
