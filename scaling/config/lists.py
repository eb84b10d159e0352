"""Define the kinds of lists: numbers, ranges, seeds, paths and names."""

from __future__ import annotations

import math
from typing import Any

from scaling.config.kinds import LARGEST, LEAST_POSITIVE, MOST, PATH, SEEDS_BELOW, TEXT, Kind
from scaling.errors import ConfigError, one_of, quoted

MOST_VALUES = 10_000
"""Largest number of values in a list; a plan takes about a millisecond for each cell."""


def numbers(name: str, value: Any, least: float = LEAST_POSITIVE, most: float = LARGEST) -> list[float]:
    """Return a list of positive numbers from a list, a number, or `low..high x count`. Raises ConfigError."""
    if isinstance(value, str) and ".." in value:
        return _range(name, value, least, most)
    allowed = f"positive numbers, {least:g} to {most:g}"
    values = []
    for item in _listed(name, value):
        try:
            number = float(item)
        except (TypeError, ValueError, OverflowError):
            raise ConfigError(
                f"{name} holds {quoted(item)}; allowed are {allowed}, or a range like '4e10..1e12 x 5'"
            ) from None
        if isinstance(item, bool) or not least <= number <= most:
            raise ConfigError(
                f"{name} holds {quoted(item)}; every value must be a positive number, {least:g} to {most:g}; "
                f"set {name}=[NUMBER,NUMBER]"
            )
        values.append(number)
    _refuse_twice(name, values)
    return values


def _listed(name: str, value: Any) -> list[Any]:
    """Return a value as a list. Raises ConfigError for more than MOST_VALUES values."""
    listed = list(value) if isinstance(value, (list, tuple)) else [value]
    _refuse_many(name, len(listed))
    return listed


def _refuse_many(name: str, count: int) -> None:
    if count > MOST_VALUES:
        raise ConfigError(f"{name} asks for {quoted(count)} values; a list holds at most {MOST_VALUES:,}")


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
        values = [float(round(number)) for number in values]
    for number in values:
        if number != int(number) or not 1 <= number <= MOST:
            raise ConfigError(f"{name} holds {number:g}; allowed are whole numbers from 1 to {MOST:,}")
    return values


def _range(name: str, text: str, least: float, most: float) -> list[float]:
    try:
        ends, count_text = text.split("x")
        low_text, high_text = ends.split("..")
        low, high, count = float(low_text), float(high_text), int(count_text)
    except ValueError:
        raise ConfigError(
            f"{name} is {quoted(text)}; a range is written 'low..high x count', such as '4e10..1e12 x 5'"
        ) from None
    if not (least <= low < high <= most and count >= 2):
        raise ConfigError(
            f"{name} is {quoted(text)}; a range needs 0 < low < high and a count of 2 or more, with ends "
            f"from {least:g} to {most:g}"
        )
    _refuse_many(name, count)
    step = math.log(high / low) / (count - 1)
    return [low, *(float(f"{low * math.exp(step * i):.4g}") for i in range(1, count - 1)), high]


def _paths(name: str, value: Any) -> Any:
    listed = _listed(name, value)
    if not listed or not all(isinstance(item, str) and item.strip() for item in listed):
        raise ConfigError(
            f"{name} is {quoted(value)}; it must be a path, or a list of paths; set {name}=PATH"
        )
    for item in listed:
        PATH.read(name, item)
    return value


def _whole_list(name: str, value: Any) -> list[int]:
    listed = _listed(name, value)
    for item in listed:
        if isinstance(item, bool) or not isinstance(item, int) or not 0 <= item < SEEDS_BELOW:
            raise ConfigError(
                f"{name} holds {quoted(item)}; allowed are whole numbers from 0 to {SEEDS_BELOW - 1:,}, such "
                "as [0, 1, 2]"
            )
    _refuse_twice(name, listed)
    return listed


def numbers_between(least: float, most: float) -> Kind:
    """Return the kind of positive numbers in a list, each from `least` to `most`."""

    def read(name: str, value: Any) -> list[float]:
        return numbers(name, value, least, most)

    return Kind(description=f"numbers from {least:g} to {most:g}, or 'low..high x count'", read=read)


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
    return [TEXT.read(name, item) for item in _listed(name, value)]


NUMBERS = numbers_between(LEAST_POSITIVE, LARGEST)
FACTORS = numbers_between(1e-6, 1e6)
WHOLES = Kind(description="whole numbers from 1, or 'low..high x count'", read=_wholes)
SEEDS = Kind(description="whole numbers from 0", read=_whole_list)
PATHS = Kind(description="a path, or a list of paths", read=_paths)
NAMES = Kind(description="a name, or a list of names", read=_names)
