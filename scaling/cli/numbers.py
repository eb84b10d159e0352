"""Define the ranges of the verbs' numeric options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from scaling.fitting import ranges

LARGEST = 1e60
"""Largest amount of FLOPs, tokens or dollars that an option takes."""


def between(low: float, high: float) -> Callable[[typer.CallbackParam, Any], Any]:
    """Return the callback of an option, or of a list of values, that allows numbers from `low` to `high`."""

    def check(param: typer.CallbackParam, value: Any) -> Any:
        from scaling.errors import ConfigError, quoted

        for one in value if isinstance(value, list | tuple) else [value]:
            if one is not None and not low <= one <= high:
                name = param.opts[0] if param.opts[0].startswith("-") else str(param.name).upper()
                raise ConfigError(f"{name} is {quoted(one)}; give a number from {low:,.12g} to {high:,.12g}")
        return value

    return check


AMOUNT = between(0, LARGEST)
COUNT = between(1, 1_000_000)
SEED = between(*ranges.SEED)
LEVEL = between(*ranges.LEVEL)
SHARE = between(0, 1)
YEAR = between(1900, 2200)
