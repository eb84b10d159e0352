"""What happens between two steps: a heartbeat, a checkpoint, a request to leave."""

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
"""Two signals of a kind within this time are one request: SLURM tells every process of a job, and the parent
of a team passes on what it was told.
"""


@dataclasses.dataclass(kw_only=True)
class Asked:
    """Which signal came, if any."""

    signal: int | None = None


@contextmanager
def signals() -> Iterator[Asked]:
    """Notes SIGTERM, SIGUSR1 and SIGINT instead of dying of them, so that the step in hand ends and is kept.

    A second one of a kind, more than a moment later, acts as it did before. In another thread than the main
    one nothing can be noted.
    """
    asked = Asked()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = {
        int(number): signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)
    }

    came: dict[int, float] = {}

    def note(number: int, frame: Any) -> None:
        del frame
        asked.signal = number
        if time.monotonic() - came.setdefault(number, time.monotonic()) > _ONE_REQUEST_SECONDS:
            signal.signal(number, before[number] or signal.SIG_DFL)
            os.kill(os.getpid(), number)

    for number in before:
        signal.signal(number, note)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


class Pause:
    """What happens between two steps: weights that stay, a heartbeat, a checkpoint, a request to leave."""

    def __init__(
        self,
        trainer: Trainer,
        paths: RunPaths,
        placement: Placement,
        asked: Asked,
        started: str,
        meter: Meter,
    ) -> None:
        self.meter = meter
        self.trainer, self.paths, self.placement, self.asked, self.started = (
            trainer,
            paths,
            placement,
            asked,
            started,
        )
        self.saved = time.monotonic()
        self.beat = -BEAT_SECONDS
        self.from_step, self.from_seconds = trainer.state.step, trainer.state.seconds_training
        self.milestones = set(milestone_steps(trainer.cell, placement.milestones))

    def __call__(self) -> None:
        """Raises Preempted or KeyboardInterrupt after a checkpoint when a signal came."""
        if self.placement.share_trunk:
            checkpoint.share(self.trainer, self.paths)
        self.keep()
        moment = time.monotonic()
        if self.trainer.team.leads and moment - self.beat >= BEAT_SECONDS:
            self.beat = moment
            self.heartbeat()
        # every process of a team leaves, or writes, after the same step
        asked, due = self.trainer.team.largest(
            self.asked.signal or 0, int(moment - self.saved >= self.placement.checkpoint_seconds)
        )
        if asked:
            self.save()
            if asked == signal.SIGINT:
                raise KeyboardInterrupt
            name, step = signal.Signals(asked).name, self.trainer.state.step
            raise Preempted(
                f"{name} came at step {step}; a checkpoint was written; run again to continue from it",
                signal=asked,
            )
        if due:
            self.save()
            self.saved = time.monotonic()

    def keep(self) -> None:
        """The weights of a milestone, and of a held-out loss that is the lowest so far."""
        state = self.trainer.state
        if state.step in self.milestones:
            checkpoint.save_weights(self.trainer, self.paths.milestone(state.step))
        if self.placement.keep_best and state.improved:
            checkpoint.save_weights(self.trainer, self.paths.best)

    def save(self) -> None:
        """A checkpoint now."""
        self.trainer.state.spend(self.meter.read())
        checkpoint.save(self.trainer, self.paths, started=self.started)

    def heartbeat(self) -> None:
        """Says in `progress.json` how far the run is. A disk that refuses a heartbeat does not stop a run."""
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
        }
        with suppress(StorageError), atomic(self.paths.progress, "the heartbeat", durable=False) as file:
            file.write(json.dumps(progress).encode())
