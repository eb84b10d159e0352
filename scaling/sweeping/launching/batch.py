"""Run cells as jobs of SLURM: limit threads to the cores of the job, and requeue a job that is stopped."""

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
"""Maximum number of times that one cell may reach its time limit."""


def limit_threads() -> None:
    """Limit this process and its children to one thread, or to the number of cores of the SLURM task.

    Call this before torch is imported. Outside SLURM, limits that the environment already sets are kept. The
    number of threads changes the order of additions: without a limit, the same cell would give different bits
    under different launchers, and two cells on two cores could take fifty times as long.
    """
    cores = os.environ.get("SLURM_CPUS_PER_TASK")
    for name in THREAD_LIMITS:
        if cores or "SLURM_JOB_ID" in os.environ:
            os.environ[name] = cores or "1"
        else:
            os.environ.setdefault(name, "1")


def many_turns(engine: DictConfig) -> None:
    """Requeue a job that reached its time limit any number of times, unless the command line sets a number.

    By default, submitit never requeues a job, and it treats every job of under ten minutes as one that
    reached its time limit.
    """
    name = "max_num_timeout"
    chosen = any(str(one).startswith(f"hydra.launcher.{name}=") for one in engine.overrides.hydra)
    if engine.launcher.get(name) == 0 and not chosen:
        engine.launcher[name] = _TURNS


def room_for(engine: DictConfig, processes: Any) -> None:
    """Request one core for each process of a cell, unless the command line sets the number of cores.

    Otherwise the processes would share one core.
    """
    launcher = engine.launcher
    if "cpus_per_task" in launcher and launcher.cpus_per_task is None and processes not in (None, 1):
        launcher.cpus_per_task = processes


class Queue:
    """The queue of SLURM, reached by submitit's handler of SIGUSR2; empty outside a submitit job."""

    def __init__(self, requeue: Any) -> None:
        self.requeue = requeue if callable(requeue) else None

    def left(self, number: int | None) -> None:
        """Requeue or end the job after signal `number` stopped a run, which has written its checkpoint.

        After a warning, the job is requeued. After SIGTERM, it ends without a result: `scontrol requeue` and
        preemption have requeued it already, and `scancel` means that it must end. The waiting process then
        waits for the next try. In a job, this method does not return.
        """
        if self.requeue is None:
            return
        if number == signal.SIGTERM:
            raise SystemExit(128 + signal.SIGTERM)
        self.requeue(signal.SIGUSR2, None)


@contextmanager
def warned() -> Iterator[Queue]:
    """Translate SLURM's warning before a time limit or preemption (SIGUSR2) into a request for a checkpoint.

    Yield the queue into which the job can be requeued.
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
