"""Report a missing package that belongs to the extra `train`."""

from __future__ import annotations

from importlib.util import find_spec

from scaling.errors import NotInstalled

TRAIN = ("torch", "transformers", "datasets", "tokenizers", "psutil")


def lacking(error: ModuleNotFoundError) -> NotInstalled | None:
    """Return the error for a failed import of such a package; None for any other package, which is a bug."""
    module = (error.name or "").partition(".")[0]
    return _missing(module) if module in TRAIN else None


def need(module: str) -> None:
    """Raise NotInstalled when a package is missing, without importing it."""
    if find_spec(module) is None:
        raise _missing(module)


def _missing(module: str) -> NotInstalled:
    return NotInstalled(
        f"this needs the package {module}, which the base install does not include; type: pip install "
        "'scaling[train]' (in a checkout: pip install '.[train]')"
    )
