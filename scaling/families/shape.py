"""Define the shape of a module. No torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from scaling.errors import ConfigError, ShapeError, one_of, quoted

LARGEST = 100_000_000
"""Largest number of a shape; the arithmetic of counts and dials stays exact and quick below it."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The numbers that a module is built from."""

    size: float
    """Setting of the dial."""
    vocab: int
    """Number of token ids."""
    context: int
    """Tokens in one sequence."""
    depth: int
    """Number of blocks or layers."""
    width: int
    """Features of the residual stream or of the state."""
    heads: int = 0
    """Number of query heads; 0 without attention."""
    kv_heads: int = 0
    """Number of key and value heads."""
    head_dim: int = 0
    """Features of one head."""
    hidden: int = 0
    """Features inside the MLP."""
    more: tuple[tuple[str, Any], ...] = ()
    """Values that only this family has, as (name, value)."""

    def __post_init__(self) -> None:
        """Raise ShapeError for a shape that no module can have."""
        for name in ("vocab", "context", "depth", "width"):
            positive_integer(name, getattr(self, name))

    def as_dict(self) -> dict[str, Any]:
        """Return the shape as a flat dict for JSON, with the values of `more` among the others."""
        flat = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "more"}
        return flat | dict(self.more)


def check_switches(changes: Iterable[str], allowed: Iterable[str], name: str) -> None:
    """Raise ConfigError for a switch that the family `name` does not have."""
    known = list(allowed)
    for key in changes:
        if key not in known:
            raise ConfigError(one_of(f"a switch of {name}", key, known))


def positive_integer(name: str, value: object) -> int:
    """Return `value` as an int. Raises ShapeError unless it is a whole number from 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ShapeError(f"{name} must be a whole number from 1; not {quoted(value)}")
    if value > LARGEST:
        raise ShapeError(f"{name} must be at most {LARGEST:,}; not {quoted(value)}")
    return value
