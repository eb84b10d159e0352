"""Define learning-rate schedules: the learning rate as a share of its peak, by step."""

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
    """Return the schedule of a run.

    Args:
        name: constant; linear, to the end of the run; cosine (arXiv:1608.03983, half a period); or wsd, which
            is constant until the last `decay_steps` and then 1 − √progress (arXiv:2405.18392, equation 2, the
            best of the decays tried there).
        steps: number of steps of the run.
        warmup_steps: number of steps of linear warm-up. Step w has (w + 1) / (warmup_steps + 1) of the peak,
            so that no step has learning rate 0.
        decay_steps: number of steps of the decay of wsd.
        final_fraction: end of the decay, as a share of the peak. The last step is just above it, because a
            step at learning rate 0 would cost FLOPs and change nothing.

    Returns:
        A function from the step to the share of the peak.

    Raises:
        ConfigError: for an unknown name.
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
