"""Register laws by name and load a user's law from a file."""

from __future__ import annotations

from collections.abc import Iterator

from scaling import user_file
from scaling.errors import ConfigError
from scaling.fitting.law import Law

_REGISTRY: dict[str, Law] = {}


def register(law: Law) -> Law:
    """Register a law by its name, for `laws.get` and the command."""
    if law.name in _REGISTRY:
        raise ConfigError(f"there are two laws called {law.name!r}; give one of them another name")
    _REGISTRY[law.name] = law
    return law


def registered() -> Iterator[Law]:
    """Return all laws registered so far, in order of declaration."""
    return iter(_REGISTRY.values())


def from_file(reference: str) -> Law:
    """Return a user's law from `path.py:name`. The file is executed as Python code.

    Raises ConfigError for a missing file or a file without that law.
    """
    path, _, name = reference.rpartition(":")
    file = user_file.find(path)
    if file is None:
        raise ConfigError(
            f"there is no law file at {reference!r}; write --law path/to/file.py:name, with a file that "
            "exists"
        )
    module = user_file.run(file)
    law = getattr(module, name, None)
    if not isinstance(law, Law):
        found = [key for key, value in vars(module).items() if isinstance(value, Law)]
        raise ConfigError(
            f"{path} has no Law called {name!r}; it has {', '.join(found) or 'none'}; write --law {path}:NAME"
        )
    return law
