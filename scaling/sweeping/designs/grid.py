"""A grid: every combination of the values of any config keys."""

from __future__ import annotations

import itertools
from typing import Any

from scaling.errors import ConfigError
from scaling.sweeping.designs.space import Space

KEYS = ("axes", "seeds")
"""What it reads of `sweep`."""


def cells(space: Space) -> list[dict[str, Any]]:
    """The product of `sweep.axes`, times `sweep.seeds` where given."""
    axes = space.sweep.axes
    if not axes:
        raise ConfigError(
            "a grid takes sweep.axes, such as {recipe.learning_rate: [0.001, 0.003], family.size: [1, 2]}"
        )
    columns = {
        str(key): list(value) if isinstance(value, (list, tuple)) else [value] for key, value in axes.items()
    }
    empty = [key for key, values in columns.items() if not values]
    if empty:
        raise ConfigError(f"the axis {empty[0]!r} of sweep.axes is empty; give it at least one value")
    if space.sweep.seeds is not None:
        columns["seed"] = list(space.seeds())
    return [dict(zip(columns, values, strict=True)) for values in itertools.product(*columns.values())]
