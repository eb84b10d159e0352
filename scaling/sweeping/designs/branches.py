"""Branches: warm-up–stable–decay, so that all token budgets of one size share a trunk and each pays its own
decay only (arXiv:2405.18392, section 4.1).
"""

from __future__ import annotations

from typing import Any

from scaling.errors import ConfigError
from scaling.sweeping.designs.space import Space

_FEWEST_WARMUP_STEPS = 10

KEYS = ("sizes", "ratios", "budgets", "seeds")
"""What it reads of `sweep`."""


def cells(space: Space) -> list[dict[str, Any]]:
    """Sizes × (tokens per parameter, or token budgets) × seeds, with the wsd schedule and a warm-up in steps.

    The warm-up is the recipe's share of the shortest horizon, for every horizon of that size, unless the
    config fixes `recipe.warmup_steps`: a shared trunk must not depend on where its branches end.
    """
    if bool(space.sweep.ratios) == bool(space.sweep.budgets):
        raise ConfigError(
            "the design 'branches' takes sweep.ratios (tokens per parameter) or sweep.budgets (tokens), one "
            "of the two"
        )
    assert space.cell is not None
    fixed = space.base.recipe.settings.get("warmup_steps")
    found = []
    for size in space.values("sizes"):
        params, _ = space.measure(size)
        wanted = [ratio * params for ratio in space.values("ratios", needed=False)] or space.values("budgets")
        shortest = space.cell({"family.size": size, "budget.tokens": min(wanted), "recipe.schedule": "wsd"})
        share = round(shortest.hyperparameters.warmup_fraction * shortest.steps)
        warmup = fixed if fixed is not None else max(_FEWEST_WARMUP_STEPS, share)
        found += [
            {
                "family.size": size,
                "budget.tokens": tokens,
                "recipe.schedule": "wsd",
                "recipe.warmup_steps": warmup,
                "seed": seed,
            }
            for tokens in wanted
            for seed in space.seeds()
        ]
    return found
