"""Convert nested values to typed sections and back."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from scaling.config.kinds import UNSET, Kind
from scaling.errors import ConfigError, one_of, quoted

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Section = TypeVar("Section", bound="DataclassInstance")


class Shape(typing.NamedTuple):
    """The keys of a section class."""

    kinds: dict[str, Kind]
    """Key → kind of its value."""
    sections: dict[str, type]
    """Key → class of the nested section."""
    nullable: frozenset[str]
    """Keys that may be null."""
    required: frozenset[str]
    """Keys without a default."""
    rest: str | None
    """Name of the field that collects all other keys; None if other keys are errors."""


GROUPS = ("family", "corpus", "recipe", "start", "device")
"""Sections that have files in conf/."""
_SHAPES: dict[Any, Shape] = {}


def shape_of(section: Any) -> Shape:
    """Return the keys of a section class."""
    if section in _SHAPES:
        return _SHAPES[section]
    hints = typing.get_type_hints(section)
    kinds: dict[str, Kind] = {}
    sections: dict[str, type] = {}
    nullable, required, rest = set(), set(), None
    for field in dataclasses.fields(section):
        inner = [
            one
            for one in (hints[field.name], *typing.get_args(hints[field.name]))
            if dataclasses.is_dataclass(one)
        ]
        if field.metadata.get("rest"):
            rest = field.name
        elif inner:
            sections[field.name] = inner[0]  # type: ignore[assignment]
        else:
            kinds[field.name] = field.metadata["kind"]
            if field.default is field.default_factory is dataclasses.MISSING:
                required.add(field.name)
        if field.default is None:
            nullable.add(field.name)
    _SHAPES[section] = Shape(kinds, sections, frozenset(nullable), frozenset(required), rest)
    return _SHAPES[section]


def parse(
    section: type[Section], content: Mapping[str, Any], *, where: str | None = None, stored: bool = False
) -> Section:
    """Return a section from nested values; missing keys get their defaults.

    Args:
        section: a dataclass of `scaling.config`.
        content: keys and values as in a config file.
        where: the dotted key of the section, for messages; None = the class name, such as corpus.
        stored: whether `content` is the config of a finished run. An older version may have written it, so
            unknown keys are then ignored.

    Raises:
        ConfigError: for an unknown key, or a value that is not allowed.
    """
    if where is None:
        where = section.__name__.removesuffix("Config").lower()
    if not isinstance(content, Mapping):
        some = ", ".join(f"{name}: ..." for name in list(shape_of(section).kinds)[:2])
        words = f"{where or 'the config'} is {quoted(content)}; write {where}: {{{some}}}"
        if where in GROUPS:
            words += (
                f", or choose a file of conf/{where} in the defaults of the sweep: - override /{where}: NAME"
            )
        raise ConfigError(words)
    shape = shape_of(section)
    values: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for name, value in content.items():
        dotted = f"{where}.{name}" if where else str(name)
        if isinstance(value, str) and value == UNSET:
            if stored:
                continue
            raise ConfigError(f"{dotted} is not set; type {dotted}=VALUE")
        if name in shape.sections:
            if value is None and name not in shape.nullable and not stored:
                raise ConfigError(f"{dotted} is null; leave it out, or write keys with values")
            if value is not None:
                values[name] = parse(shape.sections[name], value, where=dotted, stored=stored)
        elif name in shape.kinds:
            if value is not None:
                values[name] = shape.kinds[name].read(dotted, value)
            elif name not in shape.nullable and not stored:
                raise ConfigError(f"{dotted} is null; give it a value: {shape.kinds[name].description}")
        elif shape.rest is not None:
            others[str(name)] = value
        elif not stored:
            known = [*shape.kinds, *shape.sections]
            raise ConfigError(
                one_of(f"a key of {where}" if where else "a key of the config", str(name), known)
            )
    for name in sorted(shape.required - set(values)):
        raise ConfigError(f"{where}.{name} is not set; give it a value: {shape.kinds[name].description}")
    if shape.rest is not None:
        values[shape.rest] = others
    return section(**values)


def plain(section: Any) -> dict[str, Any]:
    """Return a section as nested values; `parse` reverses this."""
    shape = shape_of(type(section))
    values: dict[str, Any] = {}
    for field in dataclasses.fields(section):
        value = getattr(section, field.name)
        if field.name == shape.rest:
            values |= value
        else:
            values[field.name] = plain(value) if dataclasses.is_dataclass(value) else value
    return values


def changed(config: Section, dotted: str, value: Any) -> Section:
    """Return a copy of a config with one dotted key changed. Raises ConfigError for an unknown key."""
    return _changed(config, dotted.split("."), value, dotted, "")


def _changed(section: Section, path: list[str], value: Any, dotted: str, where: str) -> Section:
    name, *deeper = path
    shape = shape_of(type(section))
    others = getattr(section, shape.rest) if shape.rest else {}
    if name not in shape.kinds and name not in shape.sections and name not in others:
        raise ConfigError(
            f"there is no key {dotted!r} for a sweep to vary; keys beside it: "
            f"{', '.join(sorted([*shape.kinds, *shape.sections, *others]))}"
        )
    full = f"{where}.{name}" if where else name
    if name in shape.sections and deeper:
        below = _changed(getattr(section, name), deeper, value, dotted, full)
        return dataclasses.replace(section, **{name: below})
    if deeper:
        value = _nested(others[name] if name in others else getattr(section, name), deeper, value, dotted)
    if name in others:
        return dataclasses.replace(section, **{str(shape.rest): {**others, name: value}})
    if name in shape.sections:
        new = None if value is None else parse(shape.sections[name], value, where=full)
    else:
        new = None if value is None else shape.kinds[name].read(full, value)
    return dataclasses.replace(section, **{name: new})


def _nested(before: Any, path: list[str], value: Any, dotted: str) -> dict[str, Any]:
    name, *deeper = path
    if not isinstance(before, Mapping) or name not in before:
        raise ConfigError(
            f"there is no key {dotted!r} for a sweep to vary; write a key of the config, such as family.size"
        )
    return {**before, name: _nested(before[name], deeper, value, dotted) if deeper else value}
