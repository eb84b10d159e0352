"""Learning rate against step, as a share of the peak: pure functions of the step."""

from __future__ import annotations

import math
from collections.abc import Callable

from scaling.errors import ConfigError, one_of
from scaling.training.recipes.recipe import SCHEDULES

Schedule = Callable[[int], float]
"""Step (0-based) → learning rate as a share of the peak."""


def schedule(
    name: str, *, steps: int, warmup_steps: int, decay_steps: int = 0, final_fraction: float = 0.0
) -> Schedule:
    """The schedule of a run.

    Args:
        name: constant; linear (to the end); cosine (arXiv:1608.03983, half a period); wsd, constant until the
        last
            `decay_steps`, then 1 − √progress (arXiv:2405.18392, equation 2, the best of the decays tried
            there).
        steps: steps of the whole run.
        warmup_steps: steps of linear rise. Step w of them runs at (w + 1) / (warmup_steps + 1) of the peak,
        so that no
            step is lost at 0.
        decay_steps: of wsd.
        final_fraction: where a decay ends, as a share of the peak. The last step runs just above it, not at
        it: a
            step at 0 would cost its FLOPs and change nothing.

    Returns:
        A function of the step.

    Raises:
        ConfigError: for a name that is not known.
    """
    if name not in SCHEDULES:
        raise ConfigError(one_of("recipe.schedule", name, SCHEDULES))
    start = {"constant": steps, "wsd": max(steps - decay_steps, warmup_steps)}.get(name, warmup_steps)
    span = max(steps - start, 1)
    falls = {"cosine": _cosine, "wsd": _root}.get(name, _linear)

    def share(step: int) -> float:
        if step < warmup_steps:
            return (step + 1) / (warmup_steps + 1)
        if step < start:
            return 1.0
        return final_fraction + (1 - final_fraction) * falls(min((step - start) / span, 1.0))

    return share


def _linear(progress: float) -> float:
    return 1 - progress


def _cosine(progress: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * progress))


def _root(progress: float) -> float:
    return 1 - math.sqrt(progress)
