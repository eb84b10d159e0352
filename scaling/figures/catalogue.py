"""List every figure, on a sweep or on the shipped facts: `catalogue.csv` names each, and its question."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaling.errors import ConfigError, one_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class FigureSpec:
    """One figure of the catalogue."""

    name: str
    """Its file name without ending."""
    module: str
    """The module below `scaling.figures` that has its `data` and `draw`."""
    needs: str
    """What `data` is made from: a `sweep`, the shipped `facts` or a `comparison`."""
    question: str
    """The question that it answers."""

    @property
    def data(self) -> Callable[..., dict[str, Any]]:
        """The function that returns what is shown, as plain JSON."""
        function: Callable[..., dict[str, Any]] = import_module(f"scaling.figures.{self.module}").data
        return function

    @property
    def draw(self) -> Callable[[dict[str, Any]], Figure]:
        """The function that draws that JSON."""
        function: Callable[[dict[str, Any]], Figure] = import_module(f"scaling.figures.{self.module}").draw
        return function


with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as _file:
    CATALOGUE = {row["name"]: FigureSpec(**row) for row in csv.DictReader(_file)}
"""Every figure by name, in the order in which reports and folders show them."""

TRENDS = tuple(name for name, spec in CATALOGUE.items() if spec.module.startswith("trends."))
"""The figures of `scaling trends`."""
RUNS = tuple(name for name in CATALOGUE if name not in TRENDS)
"""The figures of `scaling figures`, all made from the results of one sweep."""


def figure(name: str, names: Collection[str] = CATALOGUE) -> FigureSpec:
    """Return one figure by name. Raises ConfigError with the nearest of `names`."""
    if name not in names:
        raise ConfigError(one_of("figure", name, names))
    return CATALOGUE[name]


def listing(names: Collection[str]) -> str:
    """Return the figures and their questions, a line each, for a command's help."""
    width = max(map(len, names))
    return "\n".join(f"{name:<{width}}  {CATALOGUE[name].question}" for name in names)
