"""Report the progress of a fit to listeners."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TextIO

SHARES = {
    "search": 0.1,
    "bootstrap": 0.15,
    "approaches": 0.05,
    "backtest": 0.2,
    "left-out sizes": 0.02,
    "selection": 0.15,
    "influence": 0.03,
    "multiverse": 0.25,
    "profiles": 0.05,
}
"""Stages of a fit in order, with the approximate share of the time that each takes."""

_listener: ContextVar[Callable[[str, float], None] | None] = ContextVar("listener", default=None)


def tell(stage: str, done: int = 0, of: int = 1) -> None:
    """Report to the listener that `done` of `of` parts of a stage of SHARES are done."""
    listener = _listener.get()
    if listener is not None:
        names = list(SHARES)
        before = sum(SHARES[name] for name in names[: names.index(stage)])
        listener(stage, (before + SHARES[stage] * done / max(of, 1)) / sum(SHARES.values()))


@contextmanager
def listening(listener: Callable[[str, float], None]) -> Iterator[None]:
    """Call `listener(stage, share of the whole that is done)` while the block runs."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@contextmanager
def shown(stream: TextIO, *, quiet_seconds: float = 2.0, every_seconds: float = 10.0) -> Iterator[None]:
    """Show stage and time left on a stream while the block runs, once it has taken `quiet_seconds`.

    On a terminal one line is overwritten; elsewhere a line is added every `every_seconds`.
    """
    begun = time.monotonic()
    terminal = stream.isatty()
    last, width = begun - every_seconds, 0

    def show(stage: str, share: float) -> None:
        nonlocal last, width
        now = time.monotonic()
        if now - begun < quiet_seconds or now - last < (0.2 if terminal else every_seconds):
            return
        left = (now - begun) * (1 - share) / share if share > 0.02 else None
        line = f"{stage}, {share:.0%}" + ("" if left is None else f", about {left:.0f} s left")
        stream.write(f"\r{line:<{width}}" if terminal else f"{line}\n")
        stream.flush()
        last, width = now, max(width, len(line))

    try:
        with listening(show):
            yield
    finally:
        if terminal and width:
            stream.write(f"\r{'':<{width}}\r")
            stream.flush()
