"""Show the progress of a sweep: a live table on a terminal, or one line per finished cell."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from scaling.tables.plan import heartbeat
from scaling.terminal.console import plain_console
from scaling.terminal.text import visible

_REFRESH_SECONDS = 0.5


class Display:
    """The progress display of one launch."""

    def __init__(
        self, *, cells: int, slots: int, runs: Path, lines: bool, seconds: Mapping[str, float] | None = None
    ) -> None:
        self.cells, self.slots, self.runs = cells, slots, runs
        self.console = plain_console(stderr=True)
        self.live = self.console.is_terminal and not lines
        self.seconds = dict(seconds or {})
        self.done = 0
        self.started = time.monotonic()
        self._now: dict[int, str | None] = {}
        self._drawn = 0.0
        self._bar = Progress(
            TextColumn("cells"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left {task.fields[left]}"),
        )
        self._task = self._bar.add_task("cells", total=cells, left="?")
        self._view: Live | None = None

    def __enter__(self) -> Display:
        if self.live:
            self._view = Live(self._table(), console=self.console, auto_refresh=False, transient=True)
            self._view.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._view is not None:
            self._view.stop()

    def say(self, text: str) -> None:
        """Print one line."""
        if self.live:
            self.console.print(text)
        else:
            print(text, file=sys.stderr, flush=True)

    def finished(self, outcome: Mapping[str, Any]) -> None:
        """Print the outcome of a cell that ended, with or without success.

        A cell that was stopped at a checkpoint has not ended.
        """
        if outcome["status"] == "preempted":
            self.say(outcome_line(outcome))
            return
        self.done += 1
        line = f"[{self.done}/{self.cells}] {outcome_line(outcome)}"
        self.say(f"{line}, {self._left()} left" if self.done < self.cells else line)

    def refresh(self, now: dict[int, str | None]) -> None:
        """Redraw the table, at most twice a second. `now`: slot → run id."""
        self._now = now
        if self._view is not None and time.monotonic() - self._drawn > _REFRESH_SECONDS:
            self._drawn = time.monotonic()
            self._view.update(self._table(), refresh=True)

    def _left(self) -> str:
        """Return the time left, if the remaining cells take as long as the finished ones.

        The longest cells run first, so this overestimates the time.
        """
        if not self.done:
            return "?"
        return human_seconds((time.monotonic() - self.started) / self.done * (self.cells - self.done))

    def _table(self) -> Group:
        table = Table("slot", "run", "N", "step", "loss", "tokens/s", box=None, pad_edge=False)
        for slot in range(self.slots):
            run_id = self._now.get(slot)
            found = heartbeat(self.runs / run_id / "progress.json") if run_id else None
            if found is None:
                table.add_row(
                    str(slot), run_id or "starting" if slot in self._now else "idle", "", "", "", ""
                )
                continue
            loss, speed = found.get("loss"), found.get("tokens_per_second")
            table.add_row(
                str(slot),
                str(run_id),
                f"{found['params']:,}" if found.get("params") else "",
                f"{found.get('step', 0):,}/{found.get('steps', 0):,}",
                f"{loss:.4f}" if isinstance(loss, float) else "",
                f"{speed:,.0f}" if isinstance(speed, (int, float)) else "",
            )
        self._bar.update(self._task, completed=self.done, left=self._left())
        return Group(table, self._bar)


def outcome_line(outcome: Mapping[str, Any]) -> str:
    """Return the line on one finished cell."""
    words = [str(outcome.get("run_id") or "-"), str(outcome["status"])]
    if outcome.get("params"):
        words.append(f"N={outcome['params']:,} D={outcome['tokens']:,}")
    if isinstance(outcome.get("loss"), float):
        words.append(f"loss {outcome['loss']:.4f}")
    if outcome.get("seconds"):
        words.append(f"{outcome['seconds']:.1f} s")
    if outcome.get("reason"):
        words.append(f"({outcome['reason']})")
    return visible(" ".join(words))


def human_seconds(seconds: float) -> str:
    """Return a time with a unit: s, min, h or days."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172800 else f"{seconds / 86400:.1f} days"
