"""Which weights stay on the way: at milestones of tokens or FLOPs, and where the held-out loss was lowest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from scaling.errors import ConfigError, one_of
from scaling.training.cell import Cell
from scaling.training.config.fields import numbers

UNITS = ("tokens", "flops")
"""What `checkpoint.milestones` counts in."""


def milestones(given: Any) -> dict[str, tuple[float, ...]]:
    """`checkpoint.milestones` of a config: unit → amounts, each a list, a number or `low..high x count`.

    Raises ConfigError.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ConfigError(
            f"checkpoint.milestones is {given!r}; write {{tokens: [1e6, 1e7]}} or {{flops: '1e9..1e11 x 5'}}"
        )
    for unit in given:
        if unit not in UNITS:
            raise ConfigError(one_of("a key of checkpoint.milestones", unit, UNITS))
    return {
        str(unit): tuple(numbers(f"checkpoint.milestones.{unit}", value, needed=False))
        for unit, value in given.items()
    }


def milestone_steps(cell: Cell, wanted: Mapping[str, tuple[float, ...]]) -> tuple[int, ...]:
    """Steps after which weights are kept: the first that reaches each amount. Amounts beyond the run's end
    have none.

    Steps that a trunk took leave nothing here: the run that took them kept its own.
    """
    each = {"tokens": float(cell.batch_tokens), "flops": cell.flops / cell.steps}
    # a millionth of a step forgives the last bit of an amount that is a whole number of steps
    steps = {math.ceil(amount / each[unit] - 1e-6) for unit, amounts in wanted.items() for amount in amounts}
    return tuple(sorted(step for step in {max(1, step) for step in steps} if step <= cell.steps))
