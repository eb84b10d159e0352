"""Define the kinds of config values: the description of a kind, and the function that checks a value."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from scaling.errors import ConfigError, one_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """A set of allowed values of a key."""

    description: str
    """The allowed values in a few words, as `scaling config` prints them."""
    read: Callable[[str, Any], Any]
    """(dotted key, value) → the value as its Python type. Raises ConfigError for other values."""
    choices: tuple[str, ...] = ()
    """The allowed strings, if they are few."""


UNSET = "???"
"""Value of a key without a default, as in Hydra's config files."""


class Setting(NamedTuple):
    """A key that a recipe or a source of text adds to its section."""

    kind: Kind
    """Allowed values."""
    default: Any
    """Value if nothing sets the key; UNSET = the key must be set."""
    meaning: str
    """Meaning, in one sentence."""


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


def check(section: Any, where: str) -> None:
    """Check every field of a frozen dataclass against its kind, and convert text to numbers in place.

    A field may be None if its default is None. An int stays an int where a float is allowed, because the
    values of a switch are part of the run id as they were written. Raises ConfigError with the key
    `where.field`.
    """
    for field in dataclasses.fields(section):
        kind, value = field.metadata.get("kind"), getattr(section, field.name)
        if kind is None or (value is None and field.default is None):
            continue
        read = kind.read(f"{where}.{field.name}", value)
        if not (isinstance(value, int) and isinstance(read, float)):
            object.__setattr__(section, field.name, read)


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


def number(
    low: float = -math.inf,
    high: float = math.inf,
    *,
    open_low: bool = False,
    open_high: bool = False,
) -> Kind:
    """Return the kind of finite numbers from `low` to `high`; an open end is not allowed itself."""
    words = _range_in_words(low, high, open_low, open_high)

    def read(name: str, value: Any) -> float:
        try:
            given = float(value)
            if isinstance(value, bool) or not math.isfinite(given) or not low <= given <= high:
                raise ValueError
            if (open_low and given == low) or (open_high and given == high):
                raise ValueError
        except (TypeError, ValueError, OverflowError):
            raise ConfigError(f"{name} is {value!r}; it must be a {words}; set {name}=NUMBER") from None
        return given

    return Kind(description=words, read=read)


def _range_in_words(low: float, high: float, open_low: bool, open_high: bool) -> str:
    if low == 0 and open_low and high == math.inf:
        return "positive number"
    if open_low and open_high:
        return f"number between {low:g} and {high:g}"
    start = "" if low == -math.inf else f" {'above' if open_low else 'from'} {low:g}"
    end = "" if high == math.inf else f", below {high:g}" if open_high else f" to {high:g}"
    return f"number{start}{end}"


def or_none(kind: Kind) -> Kind:
    """Return a kind of numbers that also allows `none`, which reads as None."""
    words = f"{kind.description}, or none"

    def read(name: str, value: Any) -> Any:
        if value is None or (isinstance(value, str) and value.lower() == "none"):
            return None
        try:
            return kind.read(name, value)
        except ConfigError:
            raise ConfigError(f"{name} is {value!r}; it must be a {words}; set {name}=NUMBER") from None

    return Kind(description=words, read=read)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{name} is {value!r}; it must be true or false; set {name}=true or {name}=false")
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

    return Kind(description=" or ".join(names), read=read, choices=names)


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
    _refuse_twice(name, values)
    return values


def _refuse_twice(name: str, values: list[Any]) -> None:
    """Raise ConfigError for a value that a list holds twice."""
    seen = set()
    for value in values:
        if value in seen:
            raise ConfigError(f"{name} holds {value:g} twice; leave one of them out")
        seen.add(value)


def _wholes(name: str, value: Any) -> list[float]:
    values = numbers(name, value)
    if isinstance(value, str) and ".." in value:
        return [float(round(number)) for number in values]
    for number in values:
        if number != int(number):
            raise ConfigError(f"{name} holds {number:g}; allowed are whole numbers from 1")
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


def _paths(name: str, value: Any) -> Any:
    listed = value if isinstance(value, (list, tuple)) else [value]
    if not listed or not all(isinstance(item, str) and item for item in listed):
        raise ConfigError(f"{name} is {value!r}; it must be a path, or a list of paths; set {name}=PATH")
    return value


def _whole_list(name: str, value: Any) -> list[int]:
    listed = list(value) if isinstance(value, (list, tuple)) else [value]
    for item in listed:
        if isinstance(item, bool) or not isinstance(item, int) or item < 0:
            raise ConfigError(f"{name} holds {item!r}; allowed are whole numbers from 0, such as [0, 1, 2]")
    _refuse_twice(name, listed)
    return listed


def _device(name: str, value: Any) -> str:
    if not re.fullmatch(r"cpu|cuda(:\d+)?", str(value)):
        raise ConfigError(f"{name} is {value!r}; it must be cpu, cuda or cuda:NUMBER; set {name}=cuda")
    return str(value)


def names_among(*names: str) -> Kind:
    """Return the kind of one of `names`, or a list of them."""

    def read(name: str, value: Any) -> list[str]:
        chosen = _names(name, value)
        for item in chosen:
            if item not in names:
                raise ConfigError(one_of(name, item, names))
        return chosen

    return Kind(description=f"{' or '.join(names)}, or a list of them", read=read, choices=names)


def _names(name: str, value: Any) -> list[str]:
    return [str(item) for item in (value if isinstance(value, (list, tuple)) else [value])]


NUMBER = number()
POSITIVE = number(0, open_low=True)
SHARE = number(0, 1)
SPARSITY = number(0, 1, open_high=True)
FRACTION = number(0, 1, open_low=True, open_high=True)
FLAG = Kind(description="true or false", read=_flag)
TEXT = Kind(description="text", read=lambda name, value: str(value))
NUMBERS = Kind(description="positive numbers, or 'low..high x count'", read=numbers)
WHOLES = Kind(description="whole numbers from 1, or 'low..high x count'", read=_wholes)
SEEDS = Kind(description="whole numbers from 0", read=_whole_list)
PATHS = Kind(description="a path, or a list of paths", read=_paths)
DEVICE = Kind(description="cpu, cuda or cuda:NUMBER", read=_device)
NAMES = Kind(description="a name, or a list of names", read=_names)
