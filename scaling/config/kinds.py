"""Define the kinds of config values: the description of a kind, and the function that checks a value."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from scaling import folders
from scaling.errors import ConfigError, one_of, quoted


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


MOST = 10**15
"""Largest whole number of a key without a smaller limit; sums and products of two stay exact in int64."""
LEAST_POSITIVE, LARGEST = 1e-30, 1e30
"""Ends of the range of numbers: products and quotients of a few of them neither overflow nor vanish."""
_LONGEST_TEXT, _LONGEST_FILE_NAME = 1_000, 255
"""Characters of a text, and bytes of the name of a file, which file systems limit."""
SEEDS_BELOW = 2**32
"""Random seeds lie below this number, as numpy and torch take them."""


def whole(least: int = 1, most: int = MOST, *, why: str = "") -> Kind:
    """Return the kind of whole numbers from `least` to `most`; `why` says where the limit comes from."""
    reason = f" ({why})" if why else ""
    between = f" between {least:,} and {most:,}" if most < MOST else f", {least} or more, at most {MOST:,}"
    upto = f" to {most:,}" if most < MOST else ""

    def read(name: str, value: Any) -> int:
        try:
            given = _exact(value)
            if not least <= given <= most:
                raise ValueError
        except (TypeError, ValueError, OverflowError):
            raise ConfigError(
                f"{name} is {quoted(value)}; it must be a whole number{between}{reason}; set {name}=NUMBER"
            ) from None
        return given

    return Kind(description=f"whole number from {least:,}{upto}{reason}", read=read)


def _exact(value: Any) -> int:
    """Return a whole number from a number or its text, without rounding. Raises ValueError for others."""
    if isinstance(value, bool):
        raise ValueError
    if isinstance(value, int) or (isinstance(value, str) and value.strip().lstrip("+-").isdigit()):
        return int(value)
    given = float(value)
    if given != int(given):
        raise ValueError
    return int(given)


def number(
    low: float = -LARGEST,
    high: float = LARGEST,
    *,
    open_low: bool = False,
    open_high: bool = False,
) -> Kind:
    """Return the kind of finite numbers from `low` to `high`; an open end is not allowed itself."""
    words = _range_in_words(low, high, open_low, open_high)

    def read(name: str, value: Any) -> float:
        try:
            given = float(value)
            if isinstance(value, bool) or not low <= given <= high:
                raise ValueError
            if (open_low and given == low) or (open_high and given == high):
                raise ValueError
        except (TypeError, ValueError, OverflowError):
            raise ConfigError(f"{name} is {quoted(value)}; it must be a {words}; set {name}=NUMBER") from None
        return given + 0.0  # no negative zero, which would be another run id

    return Kind(description=words, read=read)


def _range_in_words(low: float, high: float, open_low: bool, open_high: bool) -> str:
    if low == LEAST_POSITIVE:
        return f"positive number, {low:g} to {high:g}"
    if open_low and open_high:
        return f"number between {low:g} and {high:g}"
    start = f" {'above' if open_low else 'from'} {low:g}"
    return f"number{start}{f', below {high:g}' if open_high else f' to {high:g}'}"


def or_none(kind: Kind) -> Kind:
    """Return a kind of numbers that also allows `none`, which reads as None."""
    words = f"{kind.description}, or none"

    def read(name: str, value: Any) -> Any:
        if value is None or (isinstance(value, str) and value.lower() == "none"):
            return None
        try:
            return kind.read(name, value)
        except ConfigError:
            raise ConfigError(f"{name} is {quoted(value)}; it must be a {words}; set {name}=NUMBER") from None

    return Kind(description=words, read=read)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(
            f"{name} is {quoted(value)}; it must be true or false; set {name}=true or {name}=false"
        )
    return value


def mapping(example: str) -> Kind:
    """Return the kind of mappings; `example` is shown in the error."""

    def read(name: str, value: Any) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise ConfigError(f"{name} is {quoted(value)}; write keys with values, such as {name}={example}")
        return value

    return Kind(description="keys with values", read=read)


def choice(*names: str) -> Kind:
    """Return the kind of strings that are one of `names`."""

    def read(name: str, value: Any) -> str:
        if value not in names:
            raise ConfigError(one_of(name, value, names))
        return str(value)

    return Kind(description=" or ".join(names), read=read, choices=names)


def _text(name: str, value: Any) -> str:
    """Return text of one line; a number, which YAML reads from unquoted text, is written out."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= MOST
    text = str(value) if number or isinstance(value, str) else ""
    if not text.strip() or not one_line(text) or len(text) > _LONGEST_TEXT:
        raise ConfigError(
            f"{name} is {quoted(value)}; it must be text of one line, at most {_LONGEST_TEXT:,} characters; "
            f"set {name}=TEXT"
        )
    return text


def _path(name: str, value: Any) -> str:
    text = _text(name, value)
    if any(len(part.encode()) > _LONGEST_FILE_NAME for part in text.split("/")):
        raise ConfigError(
            f"{name} is {quoted(value)}, longer than the name of a file can be; set {name}=PATH"
        )
    return text


def _name(name: str, value: Any) -> str:
    text = str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
    if why := folders.unfit(text):
        raise ConfigError(f"{name} is {quoted(value)}, which {why}; set {name}=NAME")
    return str(text)


def one_line(text: str) -> bool:
    """Return whether text has no control characters, ends of lines or halves of surrogate pairs."""
    return not {unicodedata.category(letter) for letter in text} & {"Cc", "Cs", "Zl", "Zp"}


def _device(name: str, value: Any) -> str:
    if not re.fullmatch(r"cpu|cuda(:\d{1,4})?", str(value), re.ASCII):
        raise ConfigError(f"{name} is {quoted(value)}; it must be cpu, cuda or cuda:NUMBER; set {name}=cuda")
    return str(value)


NUMBER = number()
POSITIVE = number(LEAST_POSITIVE)
SHARE = number(0, 1)
SPARSITY = number(0, 1, open_high=True)
FRACTION = number(0, 1, open_low=True, open_high=True)
FLAG = Kind(description="true or false", read=_flag)
TEXT = Kind(description="text", read=_text)
PATH = Kind(description="a path", read=_path)
NAME = Kind(description="the name of one folder", read=_name)
SEED = whole(0, SEEDS_BELOW - 1, why="as numpy and torch take seeds")
SEQUENCES = whole(1, 10_000_000, why="sequences of one batch or evaluation, which are held in memory")
PARTS = whole(1, 1_000_000, why="no model is wider or deeper")
DEVICE = Kind(description="cpu, cuda or cuda:NUMBER", read=_device)
