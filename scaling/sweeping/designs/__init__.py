"""Designs: a sweep's declaration to the overrides of its cells. One file a design; a list of designs is a
cross.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scaling.errors import ConfigError, one_of
from scaling.sweeping.designs import (
    bench,
    branches,
    grid,
    isoflop,
    ladder,
    repetition,
    seeds,
    switches,
    tuning,
)
from scaling.sweeping.designs.space import Space

Cells = list[dict[str, Any]]
"""One dictionary a cell: config key → value."""

DESIGNS: dict[str, Callable[[Space], Cells]] = {
    "isoflop": isoflop.cells,
    "ladder": ladder.cells,
    "branches": branches.cells,
    "grid": grid.cells,
    "tuning": tuning.cells,
    "repetition": repetition.cells,
    "seeds": seeds.cells,
    "switches": switches.cells,
    "bench": bench.cells,
}

DIALS = ("budgets", "sizes", "ratios", "unique_tokens", "epochs", "axes", "switches")
"""Keys of `sweep` from which sizes and budgets are laid out."""


def cells(space: Space) -> Cells:
    """The cells that `space.sweep` declares, in the order of the declaration, without duplicates.

    `sweep.design` is a name, or a list of names: the first is laid out, and inside each of its cells the
    next. Raises ConfigError.
    """
    asked = space.sweep.get("design")
    if asked is None:
        return [{}]
    names = [asked] if isinstance(asked, str) else list(asked)
    for name in names:
        if name not in DESIGNS:
            raise ConfigError(one_of("sweep.design", name, DESIGNS))
    unique: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
    for cell in _crossed(space, names):
        unique.setdefault(tuple(sorted((key, str(value)) for key, value in cell.items())), cell)
    return list(unique.values())


def _crossed(space: Space, names: Sequence[str]) -> Cells:
    first, *rest = names
    outer = DESIGNS[first](space)
    if not outer:
        raise ConfigError(f"the design {first!r} of this sweep has no cells; give it values")
    if not rest:
        return outer
    found = []
    for cell in outer:
        assert space.inside is not None
        for inner in _crossed(space.inside(cell), rest):
            both = [key for key in inner if key in cell and (key != "seed" or inner[key] != cell[key])]
            if both:
                raise ConfigError(
                    f"the designs {first!r} and {' and '.join(map(repr, rest))} contradict each other: both "
                    f"set {both[0]}; take one of them"
                )
            found.append({**cell, **inner})
    return found
