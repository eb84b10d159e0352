"""Run the process of one slot: import torch once, then train the cells that the parent sends.

Each line of standard input is a config in JSON. Each event is a line of JSON, written to the file descriptor
in the first argument.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
from typing import Any, TextIO

from scaling.config import Config, parse
from scaling.errors import Preempted


def main(arguments: list[str]) -> None:
    """Run `python -m scaling.sweeping.slots.worker EVENTS_FD SLOT CORE,…|-`."""
    events = os.fdopen(int(arguments[0]), "w", buffering=1, encoding="utf-8")
    slot, cores = int(arguments[1]), arguments[2]
    if cores != "-":
        os.sched_setaffinity(0, {int(core) for core in cores.split(",")})
    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
        signal.signal(number, _leave)
    _die_with_parent()
    # between two cells no run needs a checkpoint; in a run, it was written before Ctrl-C is raised
    with contextlib.suppress(Preempted, KeyboardInterrupt):
        _work(slot, events)


def _work(slot: int, events: TextIO) -> None:
    from scaling.sweeping.outcomes import run_config, warm

    warm()
    tell(events, {"event": "ready"})
    for line in sys.stdin:
        outcome = run_config(
            parse(Config, json.loads(line)),
            slot=slot,
            started=lambda run_id: tell(events, {"event": "started", "run_id": run_id}),
        )
        tell(events, {"event": "finished", "outcome": outcome})
        if outcome["status"] == "preempted":
            return


def _leave(number: int, _frame: object) -> None:
    """Raise Preempted. A run replaces this handler by its own; until then, only the lease is released."""
    raise Preempted(f"asked to stop by {signal.Signals(number).name}")


def tell(events: TextIO, message: dict[str, Any]) -> None:
    """Write one event. If the parent has ended, ignore the error, so that the run can write its record."""
    with contextlib.suppress(BrokenPipeError):
        events.write(json.dumps(message, default=str) + "\n")


def _die_with_parent() -> None:
    """Let Linux send SIGTERM to this process when the parent is killed, so that it writes a checkpoint."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            ctypes.CDLL(None).prctl(1, signal.SIGTERM)


if __name__ == "__main__":
    main(sys.argv[1:])
