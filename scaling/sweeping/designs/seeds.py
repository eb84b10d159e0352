"""Seeds: one run again and again, for the noise of everything else."""

from __future__ import annotations

from typing import Any

from scaling.errors import ConfigError
from scaling.sweeping.designs.space import Space

KEYS = ("seeds",)
"""What it reads of `sweep`."""


def cells(space: Space) -> list[dict[str, Any]]:
    """The base config under each of `sweep.seeds`."""
    if space.sweep.seeds is None:
        raise ConfigError("the design 'seeds' takes sweep.seeds, such as [0, 1, 2, 3]")
    return [{"seed": seed} for seed in space.seeds()]
