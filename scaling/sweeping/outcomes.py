"""Turn a resolved config into an outcome: prepare the corpus, lease the cell, train or continue it.

Every launcher calls `run_config`. A run that fails raises nothing, so that the sweep goes on.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from scaling import extras
from scaling.config import Config, parse
from scaling.errors import Preempted, RunFailure, ScalingError
from scaling.sweeping import processes

if TYPE_CHECKING:
    from scaling.corpora import Corpus
    from scaling.sweeping.lease import Lease
    from scaling.training.cell import Cell
    from scaling.training.hardware.team import Team
    from scaling.training.paths import RunPaths

KEPT = ("run_id", "status", "reason", "loss", "params", "tokens", "steps", "seconds")
"""Columns of a record that an outcome contains."""


def warm() -> None:
    """Import torch and the training code once for all cells of a worker."""
    import torch

    import scaling.training.lifecycle.run  # noqa: F401

    torch.set_num_threads(1)


def _of_team(config: dict[str, Any], slot: int | None) -> dict[str, Any]:
    """Return the outcome of a config in one process of a team."""
    warm()
    return run_config(parse(Config, config), slot=slot)


def run_config(
    config: Config, *, slot: int | None = None, started: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """Train or continue the run of a resolved config, or return the outcome of its record if it has one.

    The outcome has `run_id`, `status` (of the record, or `elsewhere` if another process trains the cell, or
    `preempted`), `reason`, `new` (whether it was trained in this call), and the columns KEPT of the record.
    """
    run_id: str | None = None
    try:
        from scaling.sweeping.planning.cells import prepare
        from scaling.training import record
        from scaling.training.hardware import team as teams

        if (count := processes.wanted(config)) > 1:
            run_id = prepare(config)[0].run_id
            if started is not None:
                started(run_id)
            return processes.run_team(_of_team, config, count, slot=slot)
        with teams.joined(config.device.name) as team:
            cell, corpus, paths = team.in_turn(lambda: prepare(config))
            run_id = cell.run_id
            if started is not None:
                started(run_id)
            known = team.share(lambda: record.find(paths, cell.columns()))
            if known is not None:
                return _outcome(known, new=False)
            return _claimed(config, cell, corpus, paths, slot, team)
    except Exception as error:
        return _kept_out(run_id, error)


def _kept_out(run_id: str | None, error: Exception) -> dict[str, Any]:
    """Return the outcome of a cell without a record; print the traceback of an unexpected exception."""
    outcome: dict[str, Any] = {"run_id": run_id, "status": "failed", "reason": str(error), "new": True}
    if isinstance(error, Preempted):
        outcome["signal"] = error.signal
    if isinstance(error, RunFailure):
        outcome["status"] = error.status
    elif not isinstance(error, ScalingError):
        missing = extras.lacking(error) if isinstance(error, ModuleNotFoundError) else None
        if missing is None:
            sys.stderr.write("".join(traceback.format_exception(error)))
        outcome["reason"] = str(missing or f"{type(error).__name__}: {error}")
    return outcome


def _elsewhere(run_id: str) -> dict[str, Any]:
    return {"run_id": run_id, "status": "elsewhere", "reason": "another process trains it", "new": False}


def _claim(paths: RunPaths) -> Lease | None:
    """Take the lease of a run, or return None if another process holds it.

    If another process takes the lease over later, this process stops itself by SIGUSR1.
    """
    from scaling.sweeping import lease

    return lease.take(paths.claim, lost=lambda: os.kill(os.getpid(), signal.SIGUSR1))


def _claimed(
    config: Config, cell: Cell, corpus: Corpus, paths: RunPaths, slot: int | None, team: Team
) -> dict[str, Any]:
    """Train a cell under a lease, which the leader of a team takes for all its processes."""
    from scaling.training import record
    from scaling.training.lifecycle.run import Placement, run

    claim = _claim(paths) if team.leads else None
    if not team.share(lambda: claim is not None):
        return _elsewhere(cell.run_id)
    with claim or nullcontext():
        # another process may have finished it before the lease was taken
        known = team.share(lambda: record.find(paths))
        if known is not None:
            return _outcome(known, new=False)
        placement = Placement.from_config(config, slot=slot)
        result = run(cell, corpus=corpus, paths=paths, placement=placement, config=config, team=team)
        return _outcome(result, new=True)


def _outcome(known: Mapping[str, Any], *, new: bool) -> dict[str, Any]:
    return {**{name: known.get(name) for name in KEPT}, "new": new}
