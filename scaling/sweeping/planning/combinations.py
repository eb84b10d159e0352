"""Split overrides such as seed=0,1 into the combinations of their values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from scaling.sweeping import designs
from scaling.sweeping.planning.messages import sentences


def split(arguments: Sequence[str]) -> list[list[str]]:
    """Return every combination of `key=a,b` arguments as a list of overrides. Raises ConfigError."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.core.override_parser.overrides_parser import OverridesParser

    with sentences(list):
        overrides = OverridesParser.create().parse_overrides(list(arguments))
        designs.refuse_many({one.key_or_group: _values(one) for one in overrides})
        return [list(one) for one in BasicSweeper.split_arguments(overrides, None)[0]]


def _values(override: Any) -> int:
    """Return the number of values of a `key=a,b` or `key=range(...)` argument, without listing them."""
    swept: Any = override.value() if override.is_sweep_override() else None
    if hasattr(swept, "step"):
        if not swept.step or not math.isfinite(swept.stop - swept.start):
            raise ValueError(f"the range of {override.key_or_group} has no end")
        return int(max(1, math.ceil((swept.stop - swept.start) / swept.step)))
    return len(swept.list) if hasattr(swept, "list") else 1
