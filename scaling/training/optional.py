"""Compute what a run can go without, so that its failure does not cost the run's loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from scaling.terminal.text import say

T = TypeVar("T")


def optional(what: str, make: Callable[[], T]) -> T | None:
    """Return the result of `make`; if it fails, print a sentence and return None."""
    try:
        return make()
    except Exception as error:
        say(f"scaling: {what}: {line_of(error)}; the run goes on without")
        return None


def line_of(error: BaseException) -> str:
    """Return an exception as one line."""
    return f"{type(error).__name__}: " + str(error).strip().split("\n")[0][:300]
