"""Distribute cells to worker processes, replace workers that die, show progress, and stop them on request."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn
from omegaconf import DictConfig

from scaling.config import Config, plain
from scaling.sweeping.job_return import returned
from scaling.sweeping.planning.config import composer, parsed
from scaling.sweeping.slots.display import Display
from scaling.sweeping.slots.seats import Seat, seats

_GRACE_SECONDS = 30.0
_ONE_REQUEST_SECONDS = 0.3
"""Signals within this time count as one."""
_TICK_SECONDS = 0.25


class Worker:
    """The process of one seat, and its present cell."""

    def __init__(self, seat: Seat, log: Path) -> None:
        self.seat, self.log = seat, log
        self.job: int | None = None
        self.run_id: str | None = None
        self.stopping = self.ready = False
        self._tail = b""
        reading, writing = os.pipe()
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "scaling.sweeping.slots.worker", str(writing), str(seat.slot),
                 ",".join(map(str, seat.cores)) or "-"],
                stdin=subprocess.PIPE, stdout=out, stderr=out, pass_fds=(writing,), env=seat.environment(),
                process_group=0,  # Ctrl-C reaches only the parent, which then stops the workers
            )  # fmt: skip
        os.close(writing)
        os.set_blocking(reading, False)
        self.events = reading

    def send(self, job: int, config: Config) -> None:
        """Send a cell to the worker. A dead worker is detected later by its closed pipe."""
        self.job, self.run_id = job, None
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(plain(config)).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass

    def receive(self) -> tuple[list[dict[str, Any]], bool]:
        """Return new events, and whether the process has closed its pipe."""
        closed = False
        while True:
            try:
                piece = os.read(self.events, 1 << 16)
            except BlockingIOError:
                break
            if not piece:
                closed = True
                break
            self._tail += piece
        *lines, self._tail = self._tail.split(b"\n")
        return [json.loads(line) for line in lines], closed

    def stop(self, number: int) -> None:
        """Ask the process by this signal to write a checkpoint and exit."""
        self.stopping = True
        if self.process.poll() is None:
            self.process.send_signal(number)

    def last_words(self) -> str:
        """Return how the process ended, with the last line that it printed."""
        code = self.process.wait()
        how = f"exit code {code}"
        if code < 0:
            how = f"killed by {signal.Signals(-code).name}"
            if code == -signal.SIGKILL:
                how += " (out of memory, or killed by a user)"
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return f"the seat's process ended: {how}" + (
            f"; its last line: {lines[-1][:200]}" if lines and code > 0 else ""
        )


def launch(
    *,
    config: DictConfig,
    loader: Any,
    jobs: Sequence[Sequence[str]],
    first: int,
    slots: int | None,
    per_gpu: int,
    lines: bool,
) -> list[JobReturn]:
    """Run every job in a seat and return one result each, in the order of `jobs`.

    The value of a result is the outcome of the run.
    """
    del first
    settings = parsed(config)
    folder = settings.results_folder / str(settings.sweep.name)
    folder.mkdir(parents=True, exist_ok=True)
    compose = composer(loader, config)
    configs = [partial(compose, job) for job in jobs]
    device = settings.device
    room = seats(device=device.name, slots=slots, per_gpu=per_gpu, processes=device.processes)
    places = room[: max(1, len(jobs))]
    display = Display(cells=len(jobs), slots=len(places), runs=settings.results_folder / "runs", lines=lines)
    outcomes = Pool(places, folder, display).run(configs)
    return [returned(job, outcome) for job, outcome in zip(jobs, outcomes, strict=True)]


class Pool:
    """The worker processes of one launch, with the cells that they run."""

    def __init__(self, places: Sequence[Seat], folder: Path, display: Display) -> None:
        self.places, self.folder, self.display = list(places), folder, display
        self.waiting: deque[int] = deque()
        self.outcomes: dict[int, dict[str, Any]] = {}
        self.workers: dict[int, Worker] = {}
        self.selector = selectors.DefaultSelector()
        self.stopped_by: int | None = None
        self.asked = 0.0

    def run(self, configs: Sequence[Callable[[], Config]]) -> list[dict[str, Any]]:
        """Run all cells and return their outcomes; each function in `configs` composes one cell's config.

        Raises KeyboardInterrupt with the number of the signal that stopped the launch.
        """
        self.configs = configs
        self.waiting.extend(range(len(configs)))
        previous = {number: signal.signal(number, self._asked) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            with self.display:
                for seat in self.places:
                    self._start(seat)
                while self.workers:
                    self._turn()
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
            for worker in self.workers.values():
                worker.process.kill()
            self._tidy()
        if self.stopped_by is not None:
            raise KeyboardInterrupt(self.stopped_by)
        return [self.outcomes[i] for i in range(len(configs))]

    def _tidy(self) -> None:
        """Remove empty logs."""
        for seat in self.places:
            path = self.folder / f"slot-{seat.slot}.log"
            if path.exists() and not path.stat().st_size:
                path.unlink()

    def _asked(self, number: int, _frame: Any) -> None:
        """Handle Ctrl-C or SIGTERM: ask for checkpoints and exit; the second time, kill the workers."""
        if self.stopped_by is not None:
            # a terminal and a program that started this one may both pass on one Ctrl-C
            if time.monotonic() - self.asked > _ONE_REQUEST_SECONDS:
                self.deadline = 0.0
            return
        self.stopped_by, self.asked = number, time.monotonic()
        self.deadline = time.monotonic() + _GRACE_SECONDS
        self.waiting.clear()
        for worker in self.workers.values():
            worker.stop(number)
        self.display.say("stopping: every run writes a checkpoint; the same command continues")

    def _start(self, seat: Seat) -> None:
        worker = Worker(seat, self.folder / f"slot-{seat.slot}.log")
        self.workers[seat.slot] = worker
        self.selector.register(worker.events, selectors.EVENT_READ, worker)

    def _turn(self) -> None:
        for key, _ in self.selector.select(timeout=_TICK_SECONDS):
            worker: Worker = key.data
            events, closed = worker.receive()
            for event in events:
                self._event(worker, event)
            if closed:
                self._closed(worker)
        if self.stopped_by is not None and time.monotonic() > self.deadline:
            for worker in self.workers.values():
                worker.process.kill()
        self.display.refresh({w.seat.slot: w.run_id for w in self.workers.values()})

    def _event(self, worker: Worker, event: dict[str, Any]) -> None:
        if event["event"] == "started":
            worker.run_id = event["run_id"]
            return
        worker.ready = True
        if event["event"] == "finished":
            assert worker.job is not None
            self._finish(worker.job, event["outcome"])
            worker.job = worker.run_id = None
        self._next(worker)

    def _next(self, worker: Worker) -> None:
        while self.waiting:
            job = self.waiting.popleft()
            try:
                config = self.configs[job]()
            except Exception as error:
                self._finish(job, {"status": "failed", "reason": str(error)})
                continue
            worker.send(job, config)
            return
        if worker.process.stdin is not None:
            worker.process.stdin.close()
            worker.process.stdin = None

    def _finish(self, job: int, outcome: dict[str, Any]) -> None:
        self.outcomes[job] = outcome
        if self.stopped_by is None or outcome["status"] != "preempted":  # else the last message counts it
            self.display.finished(outcome)

    def _closed(self, worker: Worker) -> None:
        """The process has ended: after its last cell, because we asked, or by itself in the middle of one."""
        self.selector.unregister(worker.events)
        os.close(worker.events)
        del self.workers[worker.seat.slot]
        words = worker.last_words()
        if worker.job is not None and not worker.stopping:
            self._finish(worker.job, {"status": "died", "reason": words, "run_id": worker.run_id})
        if worker.ready and self.waiting and self.stopped_by is None:
            self._start(worker.seat)
        elif not worker.ready and not self.workers:
            # No slot got as far as a cell, so none will: every cell left has the same reason.
            while self.waiting:
                self._finish(self.waiting.popleft(), {"status": "died", "reason": words, "run_id": None})
