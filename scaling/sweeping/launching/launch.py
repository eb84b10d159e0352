"""Launch the missing cells of a sweep, again after each preemption, and wait for cells of other processes."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from scaling import folders
from scaling.errors import LaunchError, ScalingError, StorageError, TableError
from scaling.sweeping import lease
from scaling.sweeping.planning.planned import Plan, Planned
from scaling.tables import schema
from scaling.terminal.text import say
from scaling.training import record
from scaling.training.paths import RunPaths

_WAIT_SECONDS = 1.0
_ROUNDS = 20
"""Maximum number of launches of a cell that is preempted each time."""


def launch_all(
    planned: Plan,
    launcher: Any,
    done: set[str],
    statuses: dict[str, str],
    reasons: dict[str, str],
    trained: list[str],
) -> None:
    """Launch every cell that is not `done` until it has an outcome, and wait for those of other processes.

    Outcomes are added to `statuses` and `reasons`, by run id, and to the list of cells `trained` here.
    """
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
                f"{len(elsewhere)} cells are being trained by other processes; waiting for them (Ctrl-C ends "
                f"the wait, not their training)"
            )
            waited = True
        missing = again | _released(planned.results, elsewhere)


def _launch(launcher: Any, planned: Plan, batch: Sequence[Planned], first: int) -> list[dict[str, Any]]:
    """Launch a batch with any Hydra launcher and return its outcomes, in the order of the batch.

    Raises LaunchError with the launcher's message if the launcher could not start.
    """
    try:
        # standard output is for results
        with _waited_for(launcher, planned, len(batch)), contextlib.redirect_stdout(sys.stderr):
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
                f"hydra/launcher=slots; finished cells are kept"
            ) from error
        return left
    return [_value(one) for one in returned]


def _waited_for(launcher: Any, planned: Plan, cells: int) -> AbstractContextManager[None]:
    """Return a context that waits for queued jobs (submitit), or an empty one for other launchers."""
    if not type(launcher).__module__.startswith("hydra_plugins.hydra_submitit_launcher."):
        return contextlib.nullcontext()
    from scaling.sweeping.launching import jobs

    return jobs.waited_for(folders.reader("status", planned.folder), cells)


def _left_behind(results: Path, run_id: str, words: str) -> dict[str, Any]:
    """Return the outcome of a cell whose launcher raised an exception.

    The exception may come from another cell: when a joblib worker is killed, joblib ends all cells.
    """
    paths = RunPaths.of(results, run_id)
    try:
        known = record.find(paths)
    except (StorageError, TableError) as error:
        return {"status": "failed", "reason": str(error)}
    if known is not None:
        return {"status": known["status"], "reason": known["reason"], "new": True}
    if paths.claim.exists() and lease.stale(paths.claim, lease.read(paths.claim)):
        return {"status": "died", "reason": words}
    return {"status": "preempted", "reason": words}


def _value(returned: Any) -> dict[str, Any]:
    """Return a job's outcome, or a failed outcome if the launcher returned an exception."""
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
    """Wait until other processes finish or release their cells; return the cells still to be run."""
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
