"""Design `isoflop`: several sizes at each training budget C, with D computed from C.

Source: Hoffmann et al. 2022 (arXiv:2203.15556), section 3.2.
"""

from __future__ import annotations

from typing import Any

from scaling.errors import ConfigError
from scaling.sweeping.designs.space import Space

KEYS = ("budgets", "sizes", "ratios", "seeds", "repeats")
"""Keys of `sweep` that this design reads."""


def cells(space: Space) -> list[dict[str, Any]]:
    """Return budgets × (sizes, or sizes solved for tokens per parameter) × seeds.

    With `sweep.ratios`, the sizes of every budget have the same tokens per parameter, so that the optimal
    size, which grows with C, stays within the sampled range. `sweep.repeats` adds seeds at some budgets to
    measure the noise. Raises ConfigError.
    """
    budgets = space.values("budgets")
    if not budgets:
        raise ConfigError("sweep.budgets is empty; give at least one, such as sweep.budgets=[1e11,2e11]")
    if bool(space.sweep.sizes) == bool(space.sweep.ratios):
        raise ConfigError(
            "the design 'isoflop' needs either sweep.sizes or sweep.ratios; set the other to null"
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
                f"sweep.repeats.budgets has {strangers[0]:g}, which is not in sweep.budgets; choose from "
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
