"""Design `grid`: every combination of the values of config keys."""

from __future__ import annotations

import itertools
from typing import Any

from scaling.errors import ConfigError
from scaling.sweeping.designs.space import Space

KEYS = ("axes", "seeds")
"""Keys of `sweep` that this design reads."""


def cells(space: Space) -> list[dict[str, Any]]:
    """Return the product of `sweep.axes`, and of `sweep.seeds` if set. Raises ConfigError."""
    axes = space.sweep.axes
    if not axes:
        raise ConfigError(
            "a grid needs sweep.axes, such as {recipe.learning_rate: [0.001, 0.003], family.size: [1, 2]}"
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
