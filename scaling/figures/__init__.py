"""Draw the figures and write the report of a folder of results, without torch.

from scaling import figures
source = figures.read("demo")                     # ledger, curves and fit of results/demo
data = figures.of(source, ["isoflop"])["isoflop"] # plain JSON
figures.draw(data).savefig("isoflop.pdf")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scaling.figures.catalogue import CATALOGUE, figure
    from scaling.figures.drawing import draw, of, save
    from scaling.figures.source import Source, read

__all__ = ["CATALOGUE", "Source", "draw", "figure", "of", "read", "save"]

_HOME = {"CATALOGUE": "catalogue", "figure": "catalogue", "Source": "source", "read": "source"}


def __getattr__(name: str) -> Any:
    """Import the drawing library on the first use of a public name."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME.get(name, 'drawing')}"), name)
