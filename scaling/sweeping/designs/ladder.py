"""Design `ladder`: sizes × token budgets, for fits of a law of N and D."""

from __future__ import annotations

from typing import Any

from scaling.errors import ConfigError
from scaling.sweeping.designs.space import Space

KEYS = ("sizes", "ratios", "budgets", "seeds")
"""Keys of `sweep` that this design reads."""


def cells(space: Space) -> list[dict[str, Any]]:
    """Return sizes × (tokens per parameter, or token budgets) × seeds. Raises ConfigError."""
    if bool(space.sweep.ratios) == bool(space.sweep.budgets):
        raise ConfigError(
            "the design 'ladder' needs either sweep.ratios (tokens per parameter) or sweep.budgets (tokens)"
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
