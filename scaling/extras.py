"""Packages that only the extra `train` brings. The base install lacks them, and says so in one sentence."""

from __future__ import annotations

from importlib.util import find_spec

from scaling.errors import NotInstalled

TRAIN = ("torch", "transformers", "datasets", "tokenizers", "psutil")


def lacking(error: ModuleNotFoundError) -> NotInstalled | None:
    """The sentence for a failed import of such a package; None for any other, which is a fault of ours."""
    module = (error.name or "").partition(".")[0]
    return _missing(module) if module in TRAIN else None


def need(module: str) -> None:
    """Raises NotInstalled where a package is not there, without importing it."""
    if find_spec(module) is None:
        raise _missing(module)


def _missing(module: str) -> NotInstalled:
    return NotInstalled(
        f"this needs the package {module}, which the base install leaves out; type: pip install "
        "'scaling[train]' (in a checkout: pip install '.[train]')"
    )
