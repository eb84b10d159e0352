"""Define a claim of the essays, the numbers that answer it, and the states an answer can have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STATES = ("measured", "partly measured", "not measured")


@dataclass(frozen=True, kw_only=True)
class Number:
    """One number that answers a claim."""

    name: str
    """What it is, with its unit."""
    value: float | None
    """None where it is unbounded or not known."""
    interval: Sequence[float | None] | None
    """Its two ends; an end that is None is unbounded."""
    level: float | None
    """Nominal coverage of the interval."""
    method: str
    """What made the interval, or why there is none."""
    n: int
    """Rows behind it."""
    range: str
    """The window of the data: years, compute, parameters."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim of the essays with its answer."""

    id: str
    """Q1 … Q14."""
    state: str
    """measured, partly measured or not measured."""
    verdict: str
    """One or two sentences."""
    numbers: Sequence[Number] = ()
    """What was measured."""
    needs: str = ""
    """What is not measured yet; empty where nothing is missing."""
    figure: Mapping[str, Any] | None = None
    """JSON of a figure of the catalogue, of the trends, or of `forest`."""
    reads: Sequence[Path] = ()
    """Ledgers and fact tables behind the numbers."""
