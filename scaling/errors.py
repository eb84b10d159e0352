"""Define all errors for users, as one tree of exceptions.

The message of an error is one sentence: what was wrong, what is allowed, what to do.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable
from difflib import get_close_matches


class ScalingError(Exception):
    """An error that the user can correct; the command prints the message and exits with `exit_code`."""

    exit_code = 2


class ConfigError(ScalingError):
    """An invalid sweep, key, override or option."""


class ShapeError(ConfigError):
    """A size or a shape that a family does not accept."""


class CorpusError(ScalingError):
    """Text that is missing, empty, unreadable or too small."""


class TableError(ScalingError):
    """A table of runs or facts that cannot be read as requested."""


class FitError(ScalingError):
    """Data that are insufficient for the requested fit."""


class StorageError(ScalingError):
    """A folder that cannot be written, a full disk or a damaged file."""


class LaunchError(ScalingError):
    """A launcher, a cluster or a device that is missing or fails."""


class NotInstalled(ScalingError):
    """A missing package that belongs to an extra."""


class Stopped(ScalingError):
    """Work that the user interrupted; the message says what was saved."""

    exit_code = 130

    def __init__(self, message: str, *, number: int = signal.SIGINT) -> None:
        super().__init__(message)
        self.number = number
        """Number of the signal that stopped the work."""
        self.exit_code = 128 + number


class RunFailure(ScalingError):
    """A run that ended without a result; its record has this `status`."""

    exit_code = 3
    status = "failed"


class Diverged(RunFailure):
    """A run whose loss became infinite or not a number, or exploded."""

    status = "diverged"


class OutOfMemory(RunFailure):
    """A run whose smallest micro-batch does not fit into memory."""

    status = "out_of_memory"


class Preempted(RunFailure):
    """A run that was told to stop; it can continue from its checkpoint."""

    status = "preempted"

    def __init__(self, message: str, *, signal: int | None = None) -> None:
        super().__init__(message)
        self.signal = signal
        """Signal that stopped the run; None when it was no signal."""


class DeviceLost(Preempted):
    """A run whose accelerator failed; it can continue from its checkpoint on another one."""


_LONGEST = 120
"""Characters of a value that a message shows."""


def quoted(value: object) -> str:
    """Return a value as messages show it: its repr, on one line and cut to a readable length."""
    try:
        text = repr(value)
    except ValueError:  # an int of more digits than Python writes
        return f"{type(value).__name__} of more than 4,300 digits"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 20]}…{text[-10:]}"


def one_of(kind: str, value: object, allowed: Iterable[str]) -> str:
    """Return the message for an unknown name: the value, similar names if any, and all allowed names.

    Args:
        kind: what the name stands for.
        value: the unknown name.
        allowed: the allowed names.
    """
    names = sorted(allowed)
    rule = f"must be one of {', '.join(repr(n) for n in names)}"
    if near := get_close_matches(quoted(value).strip("'"), names, n=3, cutoff=0.5):
        return f"{kind} cannot be {quoted(value)}; did you mean {' or '.join(map(repr, near))}? It {rule}"
    return f"{kind} {rule}; not {quoted(value)}"
