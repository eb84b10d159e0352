"""The catalogue of laws by name. Every module in this folder declares some; a new one needs no other edit."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from scaling.errors import ConfigError, one_of
from scaling.fitting.law import Law
from scaling.fitting.laws.registry import from_file, register, registered

__all__ = ["catalogue", "from_file", "get", "register"]


@cache
def _load() -> None:
    for module in pkgutil.walk_packages(__path__, prefix=f"{__name__}."):
        import_module(module.name)


def catalogue() -> dict[str, Law]:
    """Every law known, by name."""
    _load()
    return {law.name: law for law in registered()}


def get(name: str) -> Law:
    """One law: a name of the catalogue, or `path.py:name` for one's own. Raises ConfigError with the nearest
    names."""
    if ".py:" in name:
        return from_file(name)
    known = catalogue()
    if name not in known:
        raise ConfigError(one_of("law", name, known) + "; or write path.py:name for a law of your own")
    return known[name]
