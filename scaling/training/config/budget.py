"""Solve a budget in FLOPs or tokens for the number of steps and the hyperparameters."""

from __future__ import annotations

import dataclasses
import math

from scaling.config import BudgetConfig, RecipeConfig
from scaling.errors import ConfigError
from scaling.training import recipes
from scaling.training.recipes.recipe import Hyperparameters, Situation

FEWEST_STEPS = 10
"""Minimum number of steps; with fewer, warm-up and decay are too coarse."""
MOST_STEPS = 10**10
"""Maximum number of steps: a thousand steps a second take four months for them."""
TOLERANCE = 0.01
"""Maximum relative difference between the budget of the whole steps and that of the config."""


def tokens_asked(budget: BudgetConfig, flops_per_token: float) -> tuple[float, float | None]:
    """Return (D, C or None) of a budget. Raises ConfigError unless exactly one of the two is set."""
    if budget.flops is None and budget.tokens is None:
        raise ConfigError(
            "there is no budget; give one of budget.flops=1e10 (training FLOPs) or budget.tokens=1e6"
        )
    if budget.flops is not None and budget.tokens is not None:
        raise ConfigError(
            f"both budget.flops={budget.flops:g} and budget.tokens={budget.tokens:g} are given; one "
            "follows from the "
            f"other, so set only one"
        )
    if budget.tokens is not None:
        return budget.tokens, None
    assert budget.flops is not None
    return budget.flops / flops_per_token, budget.flops


def solve(situation: Situation, config: RecipeConfig, asked: float) -> tuple[Hyperparameters, int]:
    """Return hyperparameters and a number of steps that are consistent with each other.

    The batch size may depend on D, and D is a whole number of batches, so this iterates to a fixed point. If
    rounding makes the iteration cycle, it takes the member of the cycle whose D is nearest to `asked`.
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
    """Raise ConfigError when there are too few steps to train, or to meet the budget within TOLERANCE."""
    if steps > MOST_STEPS:
        raise ConfigError(
            f"{_asked(asked, flops)} buys {steps:.3g} steps of {batch:,} tokens here, more than the "
            f"{MOST_STEPS:.0e} that a run may take; give a smaller budget, or a larger family.size or "
            "recipe.batch_sequences"
        )
    error = abs(steps * batch / asked - 1)
    if steps >= FEWEST_STEPS and error <= TOLERANCE:
        return
    # from 50 steps on, rounding changes the budget by at most 1 %; fewer steps meet it only by chance
    least = max(FEWEST_STEPS, math.ceil(0.5 / TOLERANCE)) * batch
    need = f"budget.flops={least * flops_per_token:.3g}" if flops is not None else f"budget.tokens={least}"
    raise ConfigError(
        f"{_asked(asked, flops)} buys {asked / batch:.2f} steps of {batch:,} tokens here, too few whole "
        "steps to train and to come within "
        f"{TOLERANCE:.0%} of it; give at least {need}, a smaller family.size or a smaller "
        "recipe.batch_sequences"
    )


def _asked(tokens: float, flops: float | None) -> str:
    return f"budget.flops={flops:g}" if flops is not None else f"budget.tokens={tokens:g}"
