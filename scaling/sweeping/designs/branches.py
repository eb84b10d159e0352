"""Design `branches`: all token budgets of one size share a trunk, from which each decays on its own.

The schedule is warm-up–stable–decay (arXiv:2405.18392, section 4.1).
"""

from __future__ import annotations

from typing import Any

from scaling.errors import ConfigError
from scaling.sweeping.designs.space import Space

_FEWEST_WARMUP_STEPS = 10

KEYS = ("sizes", "ratios", "budgets", "seeds")
"""Keys of `sweep` that this design reads."""


def cells(space: Space) -> list[dict[str, Any]]:
    """Return sizes × (tokens per parameter, or token budgets) × seeds, with the wsd schedule.

    All budgets of one size have the same number of warm-up steps, since a shared trunk must not depend on the
    length of its branches: `recipe.warmup_steps` if it is set, or the recipe's fraction of the shortest run.
    Raises ConfigError.
    """
    if bool(space.sweep.ratios) == bool(space.sweep.budgets):
        raise ConfigError(
            "the design 'branches' needs either sweep.ratios (tokens per parameter) or sweep.budgets (tokens)"
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
