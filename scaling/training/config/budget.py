"""A budget in FLOPs or tokens, solved for whole steps and the hyperparameters that go with them."""

from __future__ import annotations

import dataclasses
import math

from scaling.config import BudgetConfig, RecipeConfig
from scaling.errors import ConfigError
from scaling.training import recipes
from scaling.training.recipes.recipe import Hyperparameters, Situation

FEWEST_STEPS = 10
"""Below this a schedule has no shape."""
TOLERANCE = 0.01
"""The realised budget lies this close to the one asked, or the cell is refused."""


def tokens_asked(budget: BudgetConfig, flops_per_token: float) -> tuple[float, float | None]:
    """(D asked, C asked or None) of a budget. Raises ConfigError unless it names exactly one of the two."""
    if budget.flops is None and budget.tokens is None:
        raise ConfigError(
            "there is no budget; give one of budget.flops=1e10 (training FLOPs) or budget.tokens=1e6"
        )
    if budget.flops is not None and budget.tokens is not None:
        raise ConfigError(
            f"both budget.flops={budget.flops:g} and budget.tokens={budget.tokens:g} are given; one "
            "follows from the "
            f"other, so give one"
        )
    if budget.tokens is not None:
        return budget.tokens, None
    assert budget.flops is not None
    return budget.flops / flops_per_token, budget.flops


def solve(situation: Situation, config: RecipeConfig, asked: float) -> tuple[Hyperparameters, int]:
    """Hyperparameters and whole steps that agree with each other.

    The batch may depend on D and D is a whole number of batches, so this looks for a D that gives itself
    back; where
    rounding makes it walk in a circle, the member of the circle nearest to what was asked is taken.
    """
    seen: dict[int, tuple[float, Hyperparameters, int]] = {}
    recipe = recipes.find(config)
    tokens = asked
    while True:
        here = dataclasses.replace(situation, tokens=tokens)
        h = recipe.resolve(here, config.settings)
        batch = h.batch_sequences * situation.context
        steps = max(round(asked / batch), 0)
        if h.batch_sequences in seen or steps == 0:
            best = min(seen.values(), key=lambda c: c[0], default=(0.0, h, steps))
            last = (abs(steps * batch - asked), h, steps)
            again = dataclasses.replace(situation, tokens=float(steps * batch))
            final = recipe.resolve(again, config.settings) if steps else h
            stable = final.batch_sequences == h.batch_sequences
            return (final, steps) if stable else (min(best, last, key=lambda c: c[0])[1:])
        seen[h.batch_sequences] = (abs(steps * batch - asked), h, steps)
        tokens = float(steps * batch)


def check_steps(steps: int, batch: int, asked: float, flops_per_token: float, flops: float | None) -> None:
    """Raises ConfigError when the steps are too few to train, or to come within TOLERANCE of what was
    asked."""
    error = abs(steps * batch / asked - 1)
    if steps >= FEWEST_STEPS and error <= TOLERANCE:
        return
    # 50 steps round to within 1 %; fewer may be lucky, and below FEWEST_STEPS luck does not help
    least = max(FEWEST_STEPS, math.ceil(0.5 / TOLERANCE)) * batch
    what = f"budget.flops={flops:g}" if flops is not None else f"budget.tokens={asked:g}"
    need = f"budget.flops={least * flops_per_token:.3g}" if flops is not None else f"budget.tokens={least}"
    raise ConfigError(
        f"{what} buys {asked / batch:.2f} steps of {batch:,} tokens here, too few whole steps to train and "
        "to come within "
        f"{TOLERANCE:.0%} of it; give at least {need}, a smaller family.size or a smaller "
        "recipe.batch_sequences"
    )
