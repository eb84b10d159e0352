"""Turn a sweep's design into its cells. Each file defines one design; a list of designs is crossed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from scaling.config import SweepConfig
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
"""One dictionary per cell: config key → value."""

DESIGNS: dict[str, ModuleType] = {
    "isoflop": isoflop,
    "ladder": ladder,
    "branches": branches,
    "grid": grid,
    "tuning": tuning,
    "repetition": repetition,
    "seeds": seeds,
    "switches": switches,
    "bench": bench,
}
"""Name of a design → its module, with `cells(space)` and the KEYS of `sweep` that it reads."""

MOST_CELLS = 10_000
"""Largest number of cells of a sweep; planning takes about a millisecond for each."""

DIALS = ("budgets", "sizes", "ratios", "unique_tokens", "epochs", "axes", "switches")
"""Keys of `sweep` that determine sizes and budgets."""


def cells(space: Space) -> Cells:
    """Return the cells of `space.sweep`, in the order of its values, without duplicates.

    `sweep.design` is a name or a list of names. In a list, each design is evaluated within each cell of the
    design before it. Raises ConfigError.
    """
    names = space.sweep.design or []
    for name in names:
        if name not in DESIGNS:
            raise ConfigError(one_of("sweep.design", name, [one for one in DESIGNS if one != "bench"]))
    _all_read(space.sweep, names)
    refuse_many(_lengths(space.sweep, names))
    if not names:
        return [{}]
    unique: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
    for cell in _crossed(space, names):
        unique.setdefault(tuple(sorted((key, str(value)) for key, value in cell.items())), cell)
    return list(unique.values())


def _all_read(sweep: SweepConfig, names: Sequence[str]) -> None:
    """Raise ConfigError if a design key is set that none of these designs reads."""
    read = dict.fromkeys(key for name in names for key in DESIGNS[name].KEYS)
    every = dict.fromkeys(key for design in DESIGNS.values() for key in design.KEYS)
    for key in every:
        if getattr(sweep, key) is not None and key not in read:
            what = (
                f"the design {' × '.join(names)} reads {', '.join(read)}"
                if names
                else "there is no sweep.design"
            )
            owners = ", ".join(name for name, design in DESIGNS.items() if key in design.KEYS)
            raise ConfigError(
                f"sweep.{key} is set and {what}; leave it out, or use a design that reads it: {owners}"
            )


def refuse_many(lengths: Mapping[str, int]) -> None:
    """Raise ConfigError for more than MOST_CELLS cells: the product of the numbers of values of the keys."""
    count = math.prod(lengths.values())
    if count > MOST_CELLS:
        product = " × ".join(f"{length:,} of {key}" for key, length in lengths.items() if length > 1)
        raise ConfigError(
            f"the sweep asks for {count:,} cells ({product}), and a plan holds at most {MOST_CELLS:,}; give "
            "fewer values, or split it into several sweeps"
        )


def _lengths(sweep: SweepConfig, names: Sequence[str]) -> dict[str, int]:
    """Return by how much each key of `sweep` multiplies the cells."""
    read = dict.fromkeys(key for name in names for key in DESIGNS[name].KEYS if key != "repeats")
    lengths = {f"sweep.{key}": _length(key, getattr(sweep, key)) for key in read}
    if sweep.repeats is not None:
        lengths["sweep.seeds"] = lengths.get("sweep.seeds", 1) + len(sweep.repeats.seeds)
    return lengths


def _length(key: str, value: Any) -> int:
    """Return the number of values of a key of `sweep`; a mapping has keys with values of their own."""
    if isinstance(value, Mapping):
        each = [len(one) if isinstance(one, (list, tuple)) else 1 for one in value.values()]
        return math.prod(each) if key == "axes" else 1 + sum(each)
    return len(value) if isinstance(value, (list, tuple)) else 1


def _crossed(space: Space, names: Sequence[str]) -> Cells:
    first, *rest = names
    outer: Cells = DESIGNS[first].cells(space)
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
                    f"set {both[0]}; use one of them"
                )
            found.append({**cell, **inner})
    return found
