"""Collect the laws of all modules in this folder in a catalogue by name; a new module needs no other edit."""

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
    """Return every registered law by name."""
    _load()
    return {law.name: law for law in registered()}


def get(name: str) -> Law:
    """Return a law by its name in the catalogue, or a user's law by `path.py:name`.

    Raises ConfigError with the nearest names.
    """
    if ".py:" in name:
        return from_file(name)
    known = catalogue()
    if name not in known:
        raise ConfigError(one_of("law", name, known) + "; or write path.py:name for a law of your own")
    return known[name]
