"""Pause Python's garbage collector during planning."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Switch the garbage collector off, and on again at the end.

    A large plan consists of many small objects that all stay in use. The collector would scan them repeatedly
    and free nothing.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
