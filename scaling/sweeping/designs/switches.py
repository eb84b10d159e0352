"""Design `switches`: an ablation of the base config, with one change per cell.

Cross it with another design to measure how the effect scales.
"""

from __future__ import annotations

from typing import Any

from scaling.errors import ConfigError
from scaling.sweeping.designs.space import Space

KEYS = ("switches",)
"""Keys of `sweep` that this design reads."""


def cells(space: Space) -> list[dict[str, Any]]:
    """Return the base config, then one cell for each value of each key of `sweep.switches`.

    A key may be a config group, such as `family`. Raises ConfigError.
    """
    switches = space.sweep.switches
    if not switches:
        raise ConfigError(
            "the design 'switches' needs sweep.switches, such as {family.qk_norm: [true], family.mlp: [gelu, "
            "relu]}"
        )
    found: list[dict[str, Any]] = [{}]
    for key, values in switches.items():
        found += [{str(key): value} for value in (values if isinstance(values, (list, tuple)) else [values])]
    return found
