"""Switches: a base, and what one change at a time does to it. An ablation; cross it with another design to
see scaling.
"""

from __future__ import annotations

from typing import Any

from scaling.errors import ConfigError
from scaling.sweeping.designs.space import Space

KEYS = ("switches",)
"""What it reads of `sweep`."""


def cells(space: Space) -> list[dict[str, Any]]:
    """The base itself, then each value of each key of `sweep.switches` alone. A key may be a config group,
    such as `family`.
    """
    switches = space.sweep.switches
    if not switches:
        raise ConfigError(
            "the design 'switches' takes sweep.switches, such as {family.qk_norm: [true], family.mlp: [gelu, "
            "relu]}"
        )
    found: list[dict[str, Any]] = [{}]
    for key, values in switches.items():
        found += [{str(key): value} for value in (values if isinstance(values, (list, tuple)) else [values])]
    return found
