"""Repetition: distinct tokens × epochs, for what data is worth when it is seen again (arXiv:2305.16264)."""

from __future__ import annotations

from typing import Any

from scaling.sweeping.designs.space import Space

KEYS = ("sizes", "unique_tokens", "epochs", "seeds")
"""What it reads of `sweep`."""


def cells(space: Space) -> list[dict[str, Any]]:
    """`sweep.sizes` × `sweep.unique_tokens` × `sweep.epochs` × seeds; D = distinct tokens × epochs."""
    context = space.base.context
    found = []
    for size in space.values("sizes"):
        for unique in space.values("unique_tokens"):
            windows = max(1, round(unique / context))  # whole windows, so that the epochs are what was asked
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
