"""A bench: one short run a size, of about equal work, to measure seconds per step. Its losses mean
nothing.
"""

from __future__ import annotations

from typing import Any

from scaling.sweeping.designs.space import Space

_FLOPS = 1.5e10
"""Of one run: about a second on a core."""
_FEWEST_STEPS = 30

KEYS = ("sizes",)
"""What it reads of `sweep`."""


def cells(space: Space) -> list[dict[str, Any]]:
    """A token budget, in whole steps, for each of `sweep.sizes`."""
    assert space.cell is not None
    found = []
    for size in space.values("sizes"):
        step = space.cell({"family.size": size, "budget.tokens": 1e6}).batch_tokens
        steps = max(_FEWEST_STEPS, round(_FLOPS / space.measure(size)[1] / step))
        found.append({"family.size": size, "budget.tokens": float(steps * step)})
    return found
