"""Define the kinds of config values: the description of a kind, and the function that checks a value."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

from scaling.errors import ConfigError, one_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """A set of allowed values of a key."""

    description: str
    """The allowed values in a few words, as `scaling config` prints them."""
    read: Callable[[str, Any], Any]
    """(dotted key, value) → the value as its Python type. Raises ConfigError for other values."""


def key(default: Any, kind: Kind) -> Any:
    """Return a dataclass field with a default and a kind. The key may be null if its default is None."""
    if isinstance(default, (dict, list)):
        return dataclasses.field(default_factory=lambda: type(default)(default), metadata={"kind": kind})
    return dataclasses.field(default=default, metadata={"kind": kind})


def required(kind: Kind) -> Any:
    """Return a dataclass field without a default."""
    return dataclasses.field(metadata={"kind": kind})


def rest() -> Any:
    """Return the field that collects a section's other keys; another module checks them."""
    return dataclasses.field(default_factory=dict, metadata={"rest": True})


def whole(least: int = 1, most: int | None = None) -> Kind:
    """Return the kind of whole numbers from `least` to `most`; None = no upper limit."""

    def read(name: str, value: Any) -> int:
        try:
            number = float(value)
            if isinstance(value, bool) or number != int(number) or number < least:
                raise ValueError
            if most is not None and number > most:
                raise ValueError
        except (TypeError, ValueError, OverflowError):
            allowed = (
                f", {least} or more; set {name}=NUMBER" if most is None else f" between {least} and {most}"
            )
            raise ConfigError(f"{name} is {value!r}; it must be a whole number{allowed}") from None
        return int(number)

    return Kind(description=f"whole number from {least}" + ("" if most is None else f" to {most}"), read=read)


def _positive(name: str, value: Any) -> float:
    try:
        number = float(value)
        if isinstance(value, bool) or not 0 < number < math.inf:
            raise ValueError
    except (TypeError, ValueError):
        raise ConfigError(f"{name} is {value!r}; it must be a positive number; set {name}=NUMBER") from None
    return number


def _flops(name: str, value: Any) -> float:
    try:
        number = float(value)
        if isinstance(value, bool) or not 0 < number < math.inf:
            raise ValueError
    except (TypeError, ValueError):
        raise ConfigError(
            f"{name} is {value!r}; it must be training FLOPs a second above 0, such as 5e13, or null"
        ) from None
    return number


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{name} is {value!r}; it must be true or false; set {name}=true or {name}=false")
    return value


def _share(name: str, value: Any) -> float:
    try:
        number = float(value)
        if isinstance(value, bool) or not 0 <= number <= 1:
            raise ValueError
    except (TypeError, ValueError):
        raise ConfigError(f"{name} is {value!r}; it must lie between 0 and 1; set {name}=NUMBER") from None
    return number


def _sparsity(name: str, value: Any) -> float:
    share = _share(name, value)
    if share >= 1:
        raise ConfigError(f"{name} is {share:g}, which leaves no weight; set it below 1")
    return share


def _fraction(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise ConfigError(f"{name} is {value!r}; give a number between 0 and 1, such as 0.1")
    return value


def mapping(example: str) -> Kind:
    """Return the kind of mappings; `example` is shown in the error."""

    def read(name: str, value: Any) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise ConfigError(f"{name} is {value!r}; write keys with values, such as {name}={example}")
        return value

    return Kind(description="keys with values", read=read)


def choice(*names: str) -> Kind:
    """Return the kind of strings that are one of `names`."""

    def read(name: str, value: Any) -> str:
        if value not in names:
            raise ConfigError(one_of(name, value, names))
        return str(value)

    return Kind(description=" or ".join(names), read=read)


def numbers(name: str, value: Any) -> list[float]:
    """Return a list of positive numbers from a list, a number, or `low..high x count`. Raises ConfigError."""
    if isinstance(value, str) and ".." in value:
        return _range(name, value)
    listed = list(value) if isinstance(value, (list, tuple)) else [value]
    values = []
    for item in listed:
        try:
            number = float(item)
        except (TypeError, ValueError):
            raise ConfigError(
                f"{name} holds {item!r}; allowed are positive numbers, or a range like '4e10..1e12 x 5'"
            ) from None
        if isinstance(item, bool) or not (math.isfinite(number) and number > 0):
            raise ConfigError(
                f"{name} holds {item!r}; every value must be a positive number; set {name}=[NUMBER,NUMBER]"
            )
        values.append(number)
    return values


def _range(name: str, text: str) -> list[float]:
    try:
        ends, count_text = text.split("x")
        low_text, high_text = ends.split("..")
        low, high, count = float(low_text), float(high_text), int(count_text)
    except ValueError:
        raise ConfigError(
            f"{name} is {text!r}; a range is written 'low..high x count', such as '4e10..1e12 x 5'"
        ) from None
    if not (0 < low < high and count >= 2):
        raise ConfigError(f"{name} is {text!r}; a range needs 0 < low < high and a count of 2 or more")
    step = math.log(high / low) / (count - 1)
    return [low, *(float(f"{low * math.exp(step * i):.4g}") for i in range(1, count - 1)), high]


def _whole_list(name: str, value: Any) -> list[int]:
    listed = list(value) if isinstance(value, (list, tuple)) else [value]
    for item in listed:
        if isinstance(item, bool) or not isinstance(item, int) or item < 0:
            raise ConfigError(f"{name} holds {item!r}; allowed are whole numbers from 0, such as [0, 1, 2]")
    return listed


def _names(name: str, value: Any) -> list[str]:
    return [str(item) for item in (value if isinstance(value, (list, tuple)) else [value])]


POSITIVE = Kind(description="positive number", read=_positive)
FLOPS = Kind(description="FLOP/s", read=_flops)
SHARE = Kind(description="number from 0 to 1", read=_share)
SPARSITY = Kind(description="number from 0 to below 1", read=_sparsity)
FRACTION = Kind(description="number between 0 and 1", read=_fraction)
FLAG = Kind(description="true or false", read=_flag)
TEXT = Kind(description="text", read=lambda name, value: str(value))
NUMBERS = Kind(description="numbers, or 'low..high x count'", read=numbers)
SEEDS = Kind(description="whole numbers from 0", read=_whole_list)
NAMES = Kind(description="a name, or a list of names", read=_names)
ANY = Kind(description="any value", read=lambda name, value: value)
