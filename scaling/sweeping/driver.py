"""Run a sweep: launch missing cells, wait for cells of other processes, and collect the ledger."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from scaling import extras, folders
from scaling.errors import Stopped, StorageError
from scaling.files import storage
from scaling.sweeping import ledger, rescue
from scaling.sweeping.differences import compared, edits
from scaling.sweeping.launching import mirrors
from scaling.sweeping.launching.launch import launch_all
from scaling.sweeping.planning import cells
from scaling.sweeping.planning.combinations import split
from scaling.sweeping.planning.config import composer, parsed
from scaling.sweeping.planning.planned import Plan
from scaling.sweeping.planning.planner import plan
from scaling.tables.ledger import CURVES, LEDGER, POSITIONS
from scaling.terminal.text import say
from scaling.training.paths import RunPaths

if TYPE_CHECKING:
    import pandas as pd

BAD = ("failed", "died", "out_of_memory", "preempted", "elsewhere", "missing")
"""Statuses for which a sweep ends with a non-zero exit code. A diverged run is a result, not an error."""
_RECORDED = ("done", "diverged")
"""Statuses that only a record can tell."""


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class Outcome:
    """The outcome of a call of `scaling run`."""

    plan: Plan
    """Plan of the sweep."""
    statuses: dict[str, str]
    """Status of every cell, by run id."""
    reasons: dict[str, str]
    """Reason of every cell that is not done, by run id."""
    trained: int
    """Number of cells finished in this call."""
    reused: int
    """Number of cells finished before this call."""

    def to_frame(self) -> pd.DataFrame:
        """Return one row a cell: run_id, status and reason."""
        import pandas as pd

        rows = [(run_id, status, self.reasons.get(run_id)) for run_id, status in self.statuses.items()]
        return pd.DataFrame(rows, columns=["run_id", "status", "reason"])

    def __repr__(self) -> str:
        return (
            f"Outcome of {self.plan.sweep}: {len(self.statuses)} cells, {self.trained} trained now, "
            f"{self.reused} before, {len(self.failed)} failed"
        )

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>{self.to_frame().to_html(border=0, max_rows=20)}"

    @property
    def failed(self) -> list[str]:
        """Return the run ids whose status is in BAD."""
        return [run_id for run_id, status in self.statuses.items() if status in BAD]


def drive(*, config: DictConfig, loader: Any, launcher: Any, arguments: Sequence[str]) -> Outcome:
    """Run the missing cells of a sweep and collect its ledger.

    Failed cells are listed in the outcome and raise nothing. Raises NotInstalled before anything is written
    if cells must be trained and torch is not installed, and Stopped after Ctrl-C or SIGTERM.
    """
    sweep = parsed(config).sweep
    shown = sweep.mirrors or []
    compose = composer(loader, config)
    asked = dataclasses.replace(plan(compose, split(arguments)), command=_words(config))
    planned, before = rescue.standing(asked, compose)
    changes = compared(planned)
    if set(planned.run_ids) - set(before) or sweep.retry:
        cells.writable(asked.results)
        extras.need("torch")
    if retry(planned, sweep.retry):
        planned, before = rescue.standing(asked, compose)
    try:
        planned.save()
    except StorageError as error:
        if set(planned.run_ids) - set(before):
            raise
        say(str(error))
    say("\n".join([opening(planned, before, changes), *rescue.sentences(planned, set(before))]))
    reasons: dict[str, str] = {}
    statuses: dict[str, str] = {}
    trained: list[str] = []
    done = set(before)
    stopped: KeyboardInterrupt | None = None
    try:
        while True:
            launch_all(planned, launcher, done, statuses, reasons, trained)
            if planned.rescue is None:
                break
            more, found = rescue.standing(planned, compose)
            if more is planned:
                break
            for sentence in rescue.sentences(more, set(planned.run_ids)):
                say(sentence)
            planned, done = more, {*found, *statuses}
            planned.save()
    except KeyboardInterrupt as error:
        stopped = error
    finally:
        rows = ledger.collect(planned.results, planned.sweep, planned.run_ids, planned.science)
    if stopped is not None:
        raise _stopped(planned, {row["run_id"] for row in rows}, stopped)
    for run_id in {run_id for run_id, status in statuses.items() if status in _RECORDED}:
        del statuses[run_id]  # the record decides
    for row in rows:
        statuses[row["run_id"]] = row["status"]
        if row["reason"]:
            reasons[row["run_id"]] = row["reason"]
    mirrors.show(shown, planned.sweep, planned.folder, trained)
    return Outcome(
        plan=planned,
        statuses={run_id: statuses.get(run_id, "missing") for run_id in planned.run_ids},
        reasons=reasons,
        trained=len(trained),
        reused=len(before),
    )


def _words(config: DictConfig) -> tuple[str, ...]:
    """Return the sweep and the overrides that change the plan, as they are typed after `scaling run`."""
    name = str(config.hydra.job.config_name)
    sources = (Path(one.path) / f"{name}.yaml" for one in config.hydra.runtime.config_sources if one.path)
    file = next((path for path in sources if path.is_file()), None)
    known = folders.sweeps().get(name)
    given = file is not None and (known is None or known.resolve() != file.resolve())
    overrides = [str(one) for one in config.hydra.overrides.task]
    kept = [one for one in overrides if not one.startswith(("results=", "sweep.retry=", "sweep.mirrors="))]
    return (str(file) if given else name, *kept)


def _stopped(planned: Plan, done: set[str], error: KeyboardInterrupt) -> Stopped:
    """Return the error that says how far an interrupted sweep came."""
    number = signal.Signals(error.args[0] if error.args else signal.SIGINT)
    by = "interrupted by Ctrl-C" if number == signal.SIGINT else f"stopped by {number.name}"
    left = [RunPaths.of(planned.results, run_id) for run_id in planned.run_ids if run_id not in done]
    saved = sum(paths.checkpoint.exists() or paths.checkpoint_before.exists() for paths in left)
    return Stopped(
        f"{by}: {len(done)} of {len(planned.cells)} cells are done, {saved} stopped at a checkpoint, "
        f"{len(left) - saved} will begin at step 0",
        number=number,
    )


def retry(planned: Plan, statuses: Sequence[str] | None) -> int:
    """Rename the records of these statuses to `record.STATUS.json`, so that their cells are run again.

    Return the number of records.
    """
    if not statuses:
        return 0
    wanted = set(statuses)
    again = [
        run_id
        for run_id, one in ledger.finished(
            planned.results, planned.sweep, planned.run_ids, planned.science
        ).items()
        if one in wanted
    ]
    for run_id in again:
        path = RunPaths.of(planned.results, run_id).record
        aside = path.with_name(f"record.{'-'.join(sorted(wanted))}.json")
        # a ledger may lie without the folders of its runs
        with (
            storage(aside, "the record of the run that is tried again"),
            contextlib.suppress(FileNotFoundError),
        ):
            os.replace(path, aside)
    ledger.forget(planned.folder, again)
    if again:
        say(f"trying again: {len(again)} cells that ended as {' or '.join(sorted(wanted))}")
    return len(again)


def opening(planned: Plan, before: dict[str, str], changes: tuple[list[str], list[str]]) -> str:
    """Return the message on what will be run and which files will be written."""
    total = len(planned.cells)
    lines = [
        f"sweep {planned.sweep}: {total} cells, {len(before)} done, {total - len(before)} to run",
        f"writes: {planned.results / 'runs'}/RUN_ID (one folder per run), {planned.folder / LEDGER}, "
        f"{CURVES}, {POSITIONS}, plan.json",
    ]
    edited = edits(planned, *changes)
    if edited:
        lines.append(edited)
    if planned.dropped:
        count = len(planned.dropped)
        lines.append(
            f"left out of the plan: {count} cell{'s' if count > 1 else ''}, the first {planned.dropped[0]}"
        )
    if len(before) == total:
        lines.append("nothing to train: every cell has its record")
    return "\n".join(lines)
