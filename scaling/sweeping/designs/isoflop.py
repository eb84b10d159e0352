"""IsoFLOP (Hoffmann et al. 2022, arXiv 2203.15556, section 3.2): at each training budget C, several sizes; D
follows from C.
"""

from __future__ import annotations

from typing import Any

from scaling.errors import ConfigError
from scaling.sweeping.designs.space import Space

KEYS = ("budgets", "sizes", "ratios", "seeds", "repeats")
"""What it reads of `sweep`."""


def cells(space: Space) -> list[dict[str, Any]]:
    """Budgets × (sizes, or sizes solved for tokens per parameter) × seeds.

    With `sweep.ratios` every budget's sizes lie around the same tokens per parameter, so that the optimum,
    which moves with C, stays inside the sampled range. `sweep.repeats` adds seeds at some budgets, for the
    noise.
    """
    budgets = space.values("budgets")
    if not budgets:
        raise ConfigError("sweep.budgets is empty; give at least one, such as sweep.budgets=[1e11,2e11]")
    if bool(space.sweep.sizes) == bool(space.sweep.ratios):
        raise ConfigError(
            "an isoflop sweep takes sweep.sizes or sweep.ratios, one of the two; set the other to null"
        )
    seeds = space.seeds()
    found = [
        {"family.size": size, "budget.flops": budget, "seed": seed}
        for budget in budgets
        for size in _sizes(space, budget)
        for seed in seeds
    ]
    repeats = space.sweep.repeats
    if repeats is not None:
        strangers = [budget for budget in repeats.budgets if budget not in budgets]
        if strangers:
            raise ConfigError(
                f"sweep.repeats.budgets holds {strangers[0]:g}, which is none of the budgets "
                f"{', '.join(f'{b:g}' for b in budgets)}"
            )
        found += [
            {"family.size": size, "budget.flops": budget, "seed": seed}
            for budget in repeats.budgets
            for size in _sizes(space, budget)
            for seed in repeats.seeds
        ]
    return found


def _sizes(space: Space, budget: float) -> list[float]:
    if space.sweep.sizes:
        return space.values("sizes")
    return [space.size_for_ratio(ratio, budget) for ratio in space.values("ratios")]
