"""Write heartbeats and checkpoints between steps, and stop on a signal."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from scaling.errors import Preempted, StorageError
from scaling.files import atomic
from scaling.training.checkpoints import checkpoint
from scaling.training.hardware.energy import Meter
from scaling.training.lifecycle import provenance
from scaling.training.lifecycle.placement import Placement, milestone_steps
from scaling.training.loop import Trainer
from scaling.training.paths import RunPaths

BEAT_SECONDS = 1.0
_ONE_REQUEST_SECONDS = 1.0
"""Signals of one kind within this time count as one: SLURM signals every process of a job, and the parent
process of a team forwards the signal too.
"""


@dataclasses.dataclass(kw_only=True)
class Request:
    """A request to stop: the number of the last signal, or None."""

    signal: int | None = None


@contextmanager
def signals() -> Iterator[Request]:
    """Record SIGTERM, SIGUSR1 and SIGINT, so that the run can finish its step and write a checkpoint.

    A second signal of the same kind, more than _ONE_REQUEST_SECONDS later, has its usual effect. Outside the
    main thread no signal is recorded.
    """
    request = Request()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {
        int(number): signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)
    }

    came: dict[int, float] = {}

    def note(number: int, frame: Any) -> None:
        del frame
        request.signal = number
        if time.monotonic() - came.setdefault(number, time.monotonic()) > _ONE_REQUEST_SECONDS:
            signal.signal(number, before[number] or signal.SIG_DFL)
            os.kill(os.getpid(), number)

    for number in before:
        signal.signal(number, note)
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


class Pause:
    """The actions between two steps: keep weights, write heartbeats and checkpoints, stop on a signal."""

    def __init__(
        self,
        trainer: Trainer,
        paths: RunPaths,
        placement: Placement,
        request: Request,
        started: str,
        meter: Meter,
    ) -> None:
        self.meter = meter
        self.trainer, self.paths, self.placement, self.request, self.started = (
            trainer,
            paths,
            placement,
            request,
            started,
        )
        self.saved = time.monotonic()
        self.beat = -BEAT_SECONDS
        self.from_step, self.from_seconds = trainer.state.step, trainer.state.seconds_training
        self.milestones = set(milestone_steps(trainer.cell, placement.milestones))

    def __call__(self) -> None:
        """Run the actions. After a signal, write a checkpoint and raise Preempted or KeyboardInterrupt."""
        if self.placement.share_trunk:
            checkpoint.share(self.trainer, self.paths)
        self.keep()
        moment = time.monotonic()
        if self.trainer.team.leads and moment - self.beat >= BEAT_SECONDS:
            self.beat = moment
            self.heartbeat()
        # all processes of a team stop, or write a checkpoint, after the same step
        number, due = self.trainer.team.largest(
            self.request.signal or 0, int(moment - self.saved >= self.placement.checkpoint_seconds)
        )
        if number:
            self.save()
            name, step = signal.Signals(number).name, self.trainer.state.step
            if self.trainer.team.leads:
                self.heartbeat(stopped=name)
            if number == signal.SIGINT:
                raise KeyboardInterrupt
            raise Preempted(
                f"{name} came at step {step}; a checkpoint was written; run again to continue from it",
                signal=number,
            )
        if due:
            self.save()
            self.saved = time.monotonic()

    def keep(self) -> None:
        """Save the weights at a milestone and at the lowest held-out loss so far."""
        state = self.trainer.state
        if state.step in self.milestones:
            checkpoint.save_weights(self.trainer, self.paths.milestone(state.step))
        if self.placement.keep_best and state.improved:
            checkpoint.save_weights(self.trainer, self.paths.best)

    def save(self) -> None:
        """Write a checkpoint."""
        self.trainer.state.spend(self.meter.read())
        checkpoint.save(self.trainer, self.paths, started=self.started)

    def heartbeat(self, stopped: str | None = None) -> None:
        """Write the progress to `progress.json`, and the signal that stopped the run, if one did.

        A failed write does not stop the run.
        """
        trainer, state = self.trainer, self.trainer.state
        tokens = (state.step - self.from_step) * trainer.cell.batch_tokens
        elapsed = state.seconds_training - self.from_seconds
        progress = {
            "run_id": trainer.cell.run_id,
            "step": state.step,
            "steps": trainer.cell.steps,
            "loss": sum(state.window) / len(state.window) if state.window else None,
            "tokens_per_second": tokens / elapsed if elapsed else None,
            "time": time.time(),
            "slot": self.placement.slot,
            "pid": os.getpid(),
            "host": provenance.host(),
            "sweep": self.placement.sweep,
            "stopped": stopped,
        }
        with suppress(StorageError), atomic(self.paths.progress, "the heartbeat", durable=False) as file:
            file.write(json.dumps(progress).encode())
