"""Train a cell and write its record. `cell`, `recipes`, `record` and `paths` need no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scaling.training.paths import RunPaths

if TYPE_CHECKING:
    from scaling.training.cell import Cell

__all__ = ["Cell", "RunPaths"]


def __getattr__(name: str) -> Any:
    """Import `Cell` on first use; it imports corpora and families, which readers of records do not need."""
    if name != "Cell":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from scaling.training.cell import Cell

    return Cell
