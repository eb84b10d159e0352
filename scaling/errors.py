"""Every error that a person can cause or meet, as one tree. Each carries one sentence: what was wrong, what
is allowed, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class ScalingError(Exception):
    """Something a person can mend. The command prints its sentence and leaves with `exit_code`."""

    exit_code = 2


class ConfigError(ScalingError):
    """A sweep, a key, an override or an option that cannot be."""


class ShapeError(ConfigError):
    """A size that a family cannot take."""


class CorpusError(ScalingError):
    """Text that is missing, empty, unreadable or too small."""


class TableError(ScalingError):
    """A table of runs or facts that cannot be read as asked."""


class FitError(ScalingError):
    """Data that cannot support the fit that was asked for."""


class StorageError(ScalingError):
    """A folder that cannot be written, a full disk, a damaged file."""


class LaunchError(ScalingError):
    """A launcher, a cluster or a device that is not there or refuses."""


class NotInstalled(ScalingError):
    """A package that only an extra brings."""


class Stopped(ScalingError):
    """Work that a person interrupted; the sentence says what was kept."""

    exit_code = 130


class RunFailure(ScalingError):
    """A run that ended without a result. `status` is what its record says."""

    exit_code = 3
    status = "failed"


class Diverged(RunFailure):
    """The loss became infinite, not a number, or exploded."""

    status = "diverged"


class OutOfMemory(RunFailure):
    """Even the smallest micro-batch does not fit."""

    status = "out_of_memory"


class Preempted(RunFailure):
    """The run was asked to leave; a checkpoint lets it go on."""

    status = "preempted"

    def __init__(self, message: str, *, signal: int | None = None) -> None:
        super().__init__(message)
        self.signal = signal
        """The signal that asked; None when it was no signal."""


class DeviceLost(Preempted):
    """The accelerator is lost or broken; the run goes on from its checkpoint on another."""


def one_of(kind: str, value: object, allowed: Iterable[str]) -> str:
    """The sentence for a name that is not known: the value, the nearest names where some are near, and all
    that is allowed."""
    names = sorted(allowed)
    every = f"must be one of {', '.join(repr(n) for n in names)}"
    if near := get_close_matches(str(value), names, n=3, cutoff=0.5):
        return f"{kind} cannot be {value!r}; did you mean {' or '.join(map(repr, near))}? It {every}"
    return f"{kind} {every}; not {value!r}"
