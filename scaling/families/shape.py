"""Hold every number that a module is built from. No torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from scaling.errors import ConfigError, ShapeError, one_of


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Every number that a module is built from."""

    size: float
    """Where the dial stood."""
    vocab: int
    """Different tokens."""
    context: int
    """Tokens in one sequence."""
    depth: int
    """Blocks or layers."""
    width: int
    """Features of the residual stream or of the state."""
    heads: int = 0
    """Query heads; 0 without attention."""
    kv_heads: int = 0
    """Key and value heads."""
    head_dim: int = 0
    """Features of one head."""
    hidden: int = 0
    """Features inside the MLP."""
    more: tuple[tuple[str, Any], ...] = ()
    """What only this family has, as (name, value)."""

    def __post_init__(self) -> None:
        """Refuses what no module can be (ShapeError)."""
        for name in ("vocab", "context", "depth", "width"):
            whole(name, getattr(self, name))

    def as_dict(self) -> dict[str, Any]:
        """For JSON; what only this family has lies flat beside the rest."""
        flat = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "more"}
        return flat | dict(self.more)


def only(changes: Iterable[str], allowed: Iterable[str], name: str) -> None:
    """Raises ConfigError for a switch that the family `name` has not."""
    known = list(allowed)
    for key in changes:
        if key not in known:
            raise ConfigError(one_of(f"a switch of {name}", key, known))


def whole(name: str, value: object) -> int:
    """`value` when it is a whole number from 1, else ShapeError."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ShapeError(f"{name} must be a whole number from 1; not {value!r}")
    return value
