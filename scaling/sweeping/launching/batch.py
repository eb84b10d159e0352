"""What a cell owes a machine that others share: as many threads as it was given cores, and its place in the
queue when it is asked to leave.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from omegaconf import DictConfig

from scaling.sweeping.slots.seats import THREAD_LIMITS

_TURNS = 1000
"""Time limits that one cell may meet."""


def limit_threads() -> None:
    """One thread for this process and those it starts, or as many as SLURM gave the task cores; outside of
    SLURM what the environment says already stays. To be called before torch is imported.

    Another number of threads adds in another order: without a limit the same cell ends at other bits under
    another launcher, and two cells on two cores can take fifty times as long.
    """
    given = os.environ.get("SLURM_CPUS_PER_TASK")
    for name in THREAD_LIMITS:
        if given or "SLURM_JOB_ID" in os.environ:
            os.environ[name] = given or "1"
        else:
            os.environ.setdefault(name, "1")


def many_turns(engine: DictConfig) -> None:
    """Lets a job that met its time limit back into the queue as often as it takes, unless the command line
    says how often: submitit's own default is never, and it takes every job of under ten minutes for one that
    met it.
    """
    name = "max_num_timeout"
    said = any(str(one).startswith(f"hydra.launcher.{name}=") for one in engine.overrides.hydra)
    if engine.launcher.get(name) == 0 and not said:
        engine.launcher[name] = _TURNS


def room_for(engine: DictConfig, processes: Any) -> None:
    """Asks the queue for a core for each process of a cell, where the command line asks for no cores and the
    launcher can: else they would share one.
    """
    launcher = engine.launcher
    if "cpus_per_task" in launcher and launcher.cpus_per_task is None and processes not in (None, 1):
        launcher.cpus_per_task = processes


class Queue:
    """SLURM's, as submitit left it in the handler of SIGUSR2; none outside of a job of submitit's."""

    def __init__(self, requeue: Any) -> None:
        self.requeue = requeue if callable(requeue) else None

    def left(self, number: int | None) -> None:
        """After a run was asked to leave by signal `number`, and wrote its checkpoint.

        On a warning the job goes back into the queue. SIGTERM is SLURM's own end of a job: `scontrol requeue`
        and a preemption have put it back already, `scancel` wants it gone. Either way it leaves without a
        result, so that whoever waits for it waits for the next try. Does not return in a job.
        """
        if self.requeue is None:
            return
        if number == signal.SIGTERM:
            raise SystemExit(128 + signal.SIGTERM)
        self.requeue(signal.SIGUSR2, None)


@contextmanager
def warned() -> Iterator[Queue]:
    """Makes of SLURM's warning (SIGUSR2, before a time limit or a preemption) the request for a checkpoint
    that a run knows. Gives the queue that the job can go back to.
    """
    if threading.current_thread() is not threading.main_thread():
        yield Queue(None)
        return
    before = signal.getsignal(signal.SIGUSR2)
    queue = Queue(before)
    if queue.requeue is not None:
        signal.signal(signal.SIGUSR2, lambda *_: os.kill(os.getpid(), signal.SIGUSR1))
    try:
        yield queue
    finally:
        if queue.requeue is not None:
            signal.signal(signal.SIGUSR2, before)
