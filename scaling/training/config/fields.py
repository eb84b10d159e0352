"""Numbers out of a config, each refused in one sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from scaling.errors import ConfigError


def positive(cfg: Mapping[str, Any], key: str, name: str) -> float:
    """A positive number. Raises ConfigError."""
    value = cfg.get(key)
    try:
        number = float(value)  # type: ignore[arg-type]
        if isinstance(value, bool) or not (math.isfinite(number) and number > 0):
            raise ValueError
    except (TypeError, ValueError):
        raise ConfigError(f"{name} is {value!r}; it must be a positive number; set {name}=NUMBER") from None
    return number


def whole(cfg: Mapping[str, Any], key: str, name: str | None = None, least: int = 1) -> int:
    """A whole number, `least` or more. Raises ConfigError."""
    value, name = cfg.get(key), name or key
    try:
        number = float(value)  # type: ignore[arg-type]
        if isinstance(value, bool) or number != int(number) or number < least:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise ConfigError(
            f"{name} is {value!r}; it must be a whole number, {least} or more; set {name}=NUMBER"
        ) from None
    return int(number)


def numbers(key: str, value: Any, *, needed: bool = True) -> list[float]:
    """A list of positive numbers from a list, a number, or `low..high x count`. Raises ConfigError."""
    if value is None:
        if needed:
            raise ConfigError(f"{key} is not set; give a list, or a range like '4e10..1e12 x 5'")
        return []
    if isinstance(value, str) and ".." in value:
        return _range(key, value)
    listed = list(value) if isinstance(value, (list, tuple)) else [value]
    found = []
    for item in listed:
        try:
            number = float(item)
        except (TypeError, ValueError):
            raise ConfigError(
                f"{key} holds {item!r}; allowed are positive numbers, or a range like '4e10..1e12 x 5'"
            ) from None
        if not (math.isfinite(number) and number > 0):
            raise ConfigError(
                f"{key} holds {item!r}; every value must be a positive number; set {key}=[NUMBER,NUMBER]"
            )
        found.append(number)
    return found


def _range(key: str, text: str) -> list[float]:
    try:
        ends, count_text = text.split("x")
        low_text, high_text = ends.split("..")
        low, high, count = float(low_text), float(high_text), int(count_text)
    except ValueError:
        raise ConfigError(
            f"{key} is {text!r}; a range is written 'low..high x count', such as '4e10..1e12 x 5'"
        ) from None
    if not (0 < low < high and count >= 2):
        raise ConfigError(f"{key} is {text!r}; a range needs 0 < low < high and a count of 2 or more")
    step = math.log(high / low) / (count - 1)
    return [low, *(float(f"{low * math.exp(step * i):.4g}") for i in range(1, count - 1)), high]
