"""Prepare the standard streams, so that no text, closed pipe or full disk ends a command in a traceback."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from typing import Any

from scaling.errors import StorageError

CLOSED = 128 + 13
"""Exit code if the reader of standard output closed it, as of a program that SIGPIPE ends."""


class _Stream(io.FileIO):
    """A standard stream that keeps the error of a refused write; standard error does not raise it.

    A message that cannot be shown must not end the work.
    """

    refusal: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            written = super().write(data)
        except OSError as error:
            self.refusal = error
            if self.fileno() == 1:
                raise
            written = None
        return memoryview(data).nbytes if written is None else written


_streams: dict[str, _Stream] = {}


def prepare() -> None:
    r"""Open closed standard streams, keep refused writes, and print what an encoding lacks as escapes.

    Streams that the caller replaced stay as they are.
    """
    for number, name in ((0, "stdin"), (1, "stdout"), (2, "stderr")):
        try:
            os.fstat(number)
        except OSError:  # a file opened later would take the number of the closed stream
            os.open(os.devnull, os.O_RDWR)
        stream = getattr(sys, name)
        if name == "stdin":
            sys.stdin = stream or os.fdopen(0, closefd=False)
        elif stream is getattr(sys, f"__{name}__"):
            _streams[name] = _Stream(number, "w", closefd=False)
            encoding = getattr(stream, "encoding", "utf-8")
            text = io.TextIOWrapper(
                io.BufferedWriter(_streams[name]),
                encoding=encoding,
                errors="backslashreplace",
                line_buffering=name == "stderr" or (stream is not None and stream.line_buffering),
            )
            setattr(sys, name, text)


def refusal() -> OSError | None:
    """Return the error of the last refused write to standard output, or None."""
    return _streams["stdout"].refusal if "stdout" in _streams else None


def last() -> int | None:
    """Flush standard output for the last time; return the exit code if it was refused, else None.

    A full disk is said in one sentence. A pipe that its reader closed is not an error.
    """
    with suppress(OSError):
        sys.stdout.flush()
    if (error := refusal()) is None:
        return None
    # what is left in the buffer would fail again when Python ends
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if error.errno == errno.EPIPE:
        return CLOSED
    why = (error.strerror or str(error)).lower()
    sys.stderr.write(f"scaling: standard output cannot be written: {why}; what was computed is kept\n")
    return StorageError.exit_code
