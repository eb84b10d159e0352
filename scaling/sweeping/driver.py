"""A sweep from plan to ledger: launch what is missing, wait for what others train, collect, say what
failed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from scaling import extras
from scaling.errors import ConfigError, LaunchError, ScalingError, one_of
from scaling.sweeping import lease, ledger, rescue
from scaling.sweeping.differences import compared, edits
from scaling.sweeping.launching import mirrors
from scaling.sweeping.planning import cells
from scaling.sweeping.planning.config import composer, parsed, sentences
from scaling.sweeping.planning.planned import Plan, Planned
from scaling.sweeping.planning.planner import plan
from scaling.tables import schema
from scaling.tables.ledger import CURVES, LEDGER, POSITIONS
from scaling.training import record
from scaling.training.paths import RunPaths

if TYPE_CHECKING:
    import pandas as pd

_WAIT_SECONDS = 1.0
_ROUNDS = 20
"""A cell that is preempted again and again is launched so often."""
RETRIED = ("failed", "out_of_memory", "diverged")
"""What `sweep.retry` may name."""
BAD = ("failed", "died", "out_of_memory")
"""Statuses for which a sweep ends with a non-zero exit code. A diverged run is a finding."""


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class Outcome:
    """What a call of `scaling run` did."""

    plan: Plan
    """The sweep."""
    statuses: dict[str, str]
    """Run id → status, of every cell."""
    reasons: dict[str, str]
    """Run id → why it is not done."""
    trained: int
    """Cells that this call finished."""
    reused: int
    """Cells that were done before."""

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
        """Run ids that have no result and should have one."""
        return [run_id for run_id, status in self.statuses.items() if status in BAD]


def split(arguments: Sequence[str]) -> list[list[str]]:
    """Every combination of the command line's `key=a,b` values, as override lists. Raises ConfigError."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.core.override_parser.overrides_parser import OverridesParser

    with sentences(list):
        overrides = OverridesParser.create().parse_overrides(list(arguments))
        return [list(one) for one in BasicSweeper.split_arguments(overrides, None)[0]]


def drive(*, config: DictConfig, loader: Any, launcher: Any, arguments: Sequence[str]) -> Outcome:
    """Runs what is missing of a sweep and collects its ledger. Failed cells are in the outcome, not
    raised; NotInstalled is, before anything is written, where there is something to train and no torch.
    """
    sweep = parsed(config).sweep
    shown = sweep.mirrors or []
    mirrors.check(shown)
    compose = composer(loader, config)
    asked = plan(compose, split(arguments))
    cells.writable(asked.results)
    planned, before = rescue.standing(asked, compose)
    if set(planned.run_ids) - set(before) or sweep.retry:
        extras.need("torch")
    changes = compared(planned)
    if retry(planned, sweep.retry):
        planned, before = rescue.standing(asked, compose)
    planned.save()
    say("\n".join([opening(planned, before, changes), *rescue.sentences(planned, set(before))]))
    reasons: dict[str, str] = {}
    statuses: dict[str, str] = {}
    trained: list[str] = []
    done = set(before)
    try:
        while True:
            _launch_all(planned, launcher, done, statuses, reasons, trained)
            if planned.rescue is None:
                break
            more, found = rescue.standing(planned, compose)
            if more is planned:
                break
            for sentence in rescue.sentences(more, set(planned.run_ids)):
                say(sentence)
            planned, done = more, {*found, *statuses}
            planned.save()
    finally:
        with contextlib.suppress(KeyboardInterrupt):
            rows = ledger.collect(planned.results, planned.sweep, planned.run_ids)
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


def _launch_all(
    planned: Plan,
    launcher: Any,
    done: set[str],
    statuses: dict[str, str],
    reasons: dict[str, str],
    trained: list[str],
) -> None:
    missing = set(planned.run_ids) - done
    waited = False
    rounds = 0
    first = 0
    while missing:
        batch = planned.longest_first(missing)
        again: set[str] = set()
        elsewhere: set[str] = set()
        for cell, outcome in zip(batch, _launch(launcher, planned, batch, first), strict=True):
            status = outcome["status"]
            if status == "elsewhere":
                elsewhere.add(cell.run_id)
                continue
            if status == "preempted" and rounds < _ROUNDS:
                again.add(cell.run_id)
            statuses[cell.run_id] = status
            reasons.pop(cell.run_id, None)
            if outcome.get("reason"):
                reasons[cell.run_id] = outcome["reason"]
            if outcome.get("new") and status in schema.STATUSES:
                trained.append(cell.run_id)
        first += len(batch)
        rounds += 1
        if elsewhere and not waited:
            say(
                f"{len(elsewhere)} cells are being trained by another process; waiting for them (Ctrl-C "
                f"leaves "
                f"them to it)"
            )
            waited = True
        missing = again | _released(planned.results, elsewhere)


def _launch(launcher: Any, planned: Plan, batch: Sequence[Planned], first: int) -> list[dict[str, Any]]:
    """Outcomes of a batch under any Hydra launcher, in the order of the batch.

    Raises LaunchError, with the words of whoever refused, when the launcher could not even start.
    """
    try:
        # standard output is for results
        with _waited_for(launcher, planned.sweep, len(batch)), contextlib.redirect_stdout(sys.stderr):
            returned = launcher.launch([list(cell.overrides) for cell in batch], initial_job_idx=first)
    except ScalingError:
        raise
    except Exception as error:
        words = " ".join(str(error).split())[-600:] or type(error).__name__
        name = type(launcher).__name__.removesuffix("Launcher").lower()
        left = [_left_behind(planned.results, cell.run_id, f"{name}: {words}") for cell in batch]
        if all(one["status"] == "preempted" for one in left):
            raise LaunchError(
                f"the launcher {name!r} could not start the cells: {words}; correct hydra.launcher, or use "
                f"hydra/launcher=slots; what was finished is kept"
            ) from error
        return left
    return [_value(one) for one in returned]


def _waited_for(launcher: Any, sweep: str, cells: int) -> AbstractContextManager[None]:
    """What waits for the jobs of a launcher that gives them to a queue; nothing for the others."""
    if not type(launcher).__module__.startswith("hydra_plugins.hydra_submitit_launcher."):
        return contextlib.nullcontext()
    from scaling.sweeping.launching import jobs

    return jobs.waited_for(sweep, cells)


def _left_behind(results: Path, run_id: str, words: str) -> dict[str, Any]:
    """The outcome of a cell whose launcher broke down over another, or over this one: a joblib whose worker
    is killed gives up all of them.
    """
    paths = RunPaths.of(results, run_id)
    known = record.find(paths)
    if known is not None:
        return {"status": known["status"], "reason": known["reason"], "new": True}
    if paths.claim.exists() and lease.stale(paths.claim, lease.read(paths.claim)):
        return {"status": "died", "reason": words}
    return {"status": "preempted", "reason": words}


def _value(returned: Any) -> dict[str, Any]:
    """A job's outcome; another launcher may hand back an exception."""
    try:
        value = returned.return_value
    except Exception as error:
        return {"status": "failed", "reason": f"{type(error).__name__}: {error}"}
    return (
        value
        if isinstance(value, dict)
        else {"status": "failed", "reason": f"the launcher returned {value!r}"}
    )


def _released(results: Path, elsewhere: set[str]) -> set[str]:
    """Waits until other processes have finished or left their cells; returns those that were left undone."""
    waiting, left = set(elsewhere), set()
    while waiting:
        for run_id in sorted(waiting):
            paths = RunPaths.of(results, run_id)
            if paths.record.exists():
                waiting.discard(run_id)
            elif not paths.claim.exists() or lease.stale(paths.claim, lease.read(paths.claim)):
                waiting.discard(run_id)
                left.add(run_id)
        if left:
            return left | waiting
        if waiting:
            time.sleep(_WAIT_SECONDS)
    return left


def retry(planned: Plan, statuses: Any) -> int:
    """Puts records of these statuses aside as `record.STATUS.json`, so that their runs are done again;
    returns how many.

    Raises ConfigError for a status that a record cannot have.
    """
    if not statuses:
        return 0
    wanted = {str(one) for one in ([statuses] if isinstance(statuses, str) else list(statuses))}
    for one in sorted(wanted):
        if one not in RETRIED:
            raise ConfigError(one_of("sweep.retry", one, RETRIED))
    again = [
        run_id
        for run_id, one in ledger.finished(planned.results, planned.sweep, planned.run_ids).items()
        if one in wanted
    ]
    for run_id in again:
        path = RunPaths.of(planned.results, run_id).record
        os.replace(path, path.with_name(f"record.{'-'.join(sorted(wanted))}.json"))
    ledger.forget(planned.folder, again)
    if again:
        say(f"trying again: {len(again)} cells that ended as {' or '.join(sorted(wanted))}")
    return len(again)


def opening(planned: Plan, before: dict[str, str], changes: tuple[list[str], list[str]]) -> str:
    """What is about to happen, and where."""
    total = len(planned.cells)
    lines = [
        f"sweep {planned.sweep}: {total} cells, {len(before)} done, {total - len(before)} to run",
        f"writes: {planned.results / 'runs'}/RUN_ID (a folder a run), {planned.folder / LEDGER}, "
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


def say(text: str) -> None:
    """To people, on standard error: standard output is for results."""
    print(text, file=sys.stderr, flush=True)
