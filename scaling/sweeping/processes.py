"""Run a cell in several processes of this machine, each on its own device (`device.processes`).

A launcher starts one process for the cell, as for any other. That process starts the team as torchrun would,
forwards signals, and returns the leader's outcome. The leader of the team holds the lease.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scaling.config import Config, plain
from scaling.errors import Preempted, RunFailure
from scaling.training.hardware.team import size

Work = Callable[[dict[str, Any], int | None], dict[str, Any]]
"""A module-level function (config as plain values, slot) → outcome of the cell."""

_TICK_SECONDS = 0.2
_STOPS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)


def wanted(config: Config) -> int:
    """Return the number of processes to start for the cell; 1 within a team. Raises ConfigError."""
    return 1 if size() > 1 else config.device.processes


def run_team(work: Work, config: Config, processes: int, *, slot: int | None) -> dict[str, Any]:
    """Run `work` in each process of a team and return the outcome of the cell.

    Raises RunFailure if a process died without an outcome, Preempted if a signal stopped the team before.
    """
    from torch.multiprocessing.spawn import ProcessException, start_processes

    with tempfile.TemporaryDirectory(prefix="scaling-team-") as folder:
        path = Path(folder) / "outcome.json"
        arguments = (work, json.dumps(plain(config), default=str), processes, _port(), slot, str(path))
        died = ""
        # torch stops the team when this process dies, and the others when one of them dies
        starting: Any = start_processes
        team = starting(member, args=arguments, nprocs=processes, join=False, start_method="spawn")
        with _passed_on([int(pid) for pid in team.pids()]) as passed:
            try:
                while not team.join(timeout=_TICK_SECONDS):
                    pass
            except ProcessException as error:
                died = str(error).strip().splitlines()[-1]
        try:
            outcome: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            if passed:  # stopped before there was an outcome
                words = f"asked to stop by {signal.Signals(passed[0]).name}"
                raise Preempted(words, signal=passed[0]) from None
            raise RunFailure(
                f"one of the {processes} processes of the run ended without a result "
                f"({died or 'no message'}); run again to continue from the last checkpoint"
            ) from None
        return outcome


def member(
    rank: int, work: Work, config: str, processes: int, port: int, slot: int | None, path: str
) -> None:
    """Run one process of the team; the process of rank 0 writes the outcome to `path`."""
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(processes),
        "LOCAL_WORLD_SIZE": str(processes),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    if hasattr(os, "sched_setaffinity") and len(cores := sorted(os.sched_getaffinity(0))) >= processes:
        os.sched_setaffinity(0, set(cores[rank::processes]))
    outcome = work(json.loads(config), slot)
    if rank == 0:
        Path(path).write_text(json.dumps(outcome, default=str), encoding="utf-8")
    sys.stdout.flush()


@contextmanager
def _passed_on(pids: list[int]) -> Iterator[list[int]]:
    """Forward stop signals to the team, which writes a checkpoint. Yield the list of signals received."""
    passed: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield passed
        return

    def pass_on(number: int, _frame: Any) -> None:
        passed.append(number)
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue

    before = {number: signal.signal(number, pass_on) for number in _STOPS}
    try:
        yield passed
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def _port() -> int:
    """Return a free TCP port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
