"""Laws by name, and one's own from a file."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

from scaling.errors import ConfigError
from scaling.fitting.law import Law

_REGISTRY: dict[str, Law] = {}


def register(law: Law) -> Law:
    """Make a law known by its name, for `laws.get` and the command."""
    if law.name in _REGISTRY:
        raise ConfigError(f"there are two laws called {law.name!r}; give one of them another name")
    _REGISTRY[law.name] = law
    return law


def registered() -> Iterator[Law]:
    """Return all laws known so far, in the order they were declared."""
    return iter(_REGISTRY.values())


def from_file(reference: str) -> Law:
    """Return a person's own law from `path.py:name`. The file is run as Python, as any script that one
    starts oneself. Raises ConfigError for a file that is not there or has no such law."""
    path, _, name = reference.rpartition(":")
    file = Path(path)
    if not path or not file.is_file():
        raise ConfigError(
            f"there is no law file at {reference!r}; write --law path/to/file.py:name, with a file that "
            "exists"
        )
    spec = importlib.util.spec_from_file_location(f"scaling_own_law_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path!r} is not a Python file; write --law path/to/file.py:name")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ConfigError(
            f"{path} could not be run: {type(error).__name__}: {error}; mend the file and try again"
        ) from error
    law = getattr(module, name, None)
    if not isinstance(law, Law):
        found = [key for key, value in vars(module).items() if isinstance(value, Law)]
        raise ConfigError(
            f"{path} has no Law called {name!r}; it has {', '.join(found) or 'none'}; write --law {path}:NAME"
        )
    return law
