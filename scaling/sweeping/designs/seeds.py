"""Design `seeds`: the base config under several seeds, to measure the noise between runs."""

from __future__ import annotations

from typing import Any

from scaling.errors import ConfigError
from scaling.sweeping.designs.space import Space

KEYS = ("seeds",)
"""Keys of `sweep` that this design reads."""


def cells(space: Space) -> list[dict[str, Any]]:
    """Return one cell for each of `sweep.seeds`. Raises ConfigError."""
    if space.sweep.seeds is None:
        raise ConfigError("the design 'seeds' needs sweep.seeds, such as [0, 1, 2, 3]")
    return [{"seed": seed} for seed in space.seeds()]
