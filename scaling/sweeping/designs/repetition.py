"""Design `repetition`: distinct tokens × epochs, to measure the value of repeated data (arXiv:2305.16264)."""

from __future__ import annotations

from typing import Any

from scaling.sweeping.designs.space import Space

KEYS = ("sizes", "unique_tokens", "epochs", "seeds")
"""Keys of `sweep` that this design reads."""


def cells(space: Space) -> list[dict[str, Any]]:
    """Return sizes × distinct tokens × epochs × seeds, with D = distinct tokens × epochs."""
    context = space.base.context
    found = []
    for size in space.values("sizes"):
        for unique in space.values("unique_tokens"):
            windows = max(1, round(unique / context))  # whole windows, so that the number of epochs is exact
            found += [
                {
                    "family.size": size,
                    "corpus.unique_tokens": windows * context,
                    "budget.tokens": float(windows * context * epochs),
                    "seed": seed,
                }
                for epochs in space.values("epochs")
                for seed in space.seeds()
            ]
    return found
