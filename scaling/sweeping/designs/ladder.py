"""A ladder: sizes × tokens per parameter, budgets in tokens. Feeds a law of N and D directly."""

from __future__ import annotations

from typing import Any

from scaling.errors import ConfigError
from scaling.sweeping.designs.space import Space

KEYS = ("sizes", "ratios", "budgets", "seeds")
"""What it reads of `sweep`."""


def cells(space: Space) -> list[dict[str, Any]]:
    """Sizes × (tokens per parameter, or token budgets) × seeds."""
    if bool(space.sweep.ratios) == bool(space.sweep.budgets):
        raise ConfigError(
            "a ladder takes sweep.ratios (tokens per parameter) or sweep.budgets (tokens), one of the two"
        )
    found = []
    for size in space.values("sizes"):
        params, _ = space.measure(size)
        wanted = [ratio * params for ratio in space.values("ratios", needed=False)] or space.values("budgets")
        found += [
            {"family.size": size, "budget.tokens": tokens, "seed": seed}
            for tokens in wanted
            for seed in space.seeds()
        ]
    return found
