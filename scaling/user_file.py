"""Open what a user's own Python file defines, as `path.py:Name`."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from scaling import folders
from scaling.errors import ConfigError, ScalingError


def find(path: str) -> Path | None:
    """Return the file, below the working folder or else below the checkout; None where there is none."""
    places = (Path(path).expanduser(), folders.shipped("sweeps").parent / path)
    return next((place for place in places if place.is_file()), None)


def digest(file: Path) -> str:
    """Return the SHA-256 of a file in hex digits."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def run(file: Path) -> ModuleType:
    """Run a file as a module, and return it. Raises ConfigError where it is not Python or fails."""
    spec = importlib.util.spec_from_file_location(f"user_{digest(file)[:16]}", file)
    if spec is None or spec.loader is None:
        raise ConfigError(f"'{file}' is not a Python file; give a file that ends in .py")
    module = importlib.util.module_from_spec(spec)
    with blamed(f"{file} does not import"):
        spec.loader.exec_module(module)
    return module


@contextmanager
def blamed(what: str) -> Iterator[None]:
    """Raise what a user's code raises as a ConfigError of one sentence, which begins with `what`."""
    try:
        yield
    except ScalingError:
        raise
    except (Exception, SystemExit) as error:
        said = " ".join(str(error).split())
        raise ConfigError(f"{what}: {type(error).__name__}: {said[:300]}; correct the file") from error
