"""Turn a resolved config into an outcome: prepare the corpus, lease the cell, train or continue it.

Every launcher calls this. It never raises for a run that fails: the sweep goes on.
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
    from scaling.sweeping.lease import Claim
    from scaling.training.cell import Cell
    from scaling.training.hardware.team import Team
    from scaling.training.paths import RunPaths

KEPT = ("run_id", "status", "reason", "loss", "params", "tokens", "steps", "seconds")
"""What an outcome takes from a record."""


def warm() -> None:
    """Imports everything heavy, once for all the cells of a worker."""
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
    """Trains, continues or recognises the run that a resolved config describes.

    Returns an outcome: `run_id`, `status` (a record's, or `elsewhere` when another process is at it, or
    `preempted`), `reason`, `new` (whether anything was trained now), and a few numbers of the record.
    """
    run_id: str | None = None
    try:
        from scaling.sweeping.planning.cells import prepare
        from scaling.training import record
        from scaling.training.hardware import team as teams

        if (many := processes.wanted(config)) > 1:
            run_id = prepare(config)[0].run_id
            if started is not None:
                started(run_id)
            return processes.run_team(_of_team, config, many, slot=slot)
        with teams.joined(config.device.name) as team:
            cell, corpus, paths = team.in_turn(lambda: prepare(config))
            run_id = cell.run_id
            if started is not None:
                started(run_id)
            known = team.share(lambda: record.find(paths))
            if known is not None:
                return _outcome(known, new=False)
            return _claimed(config, cell, corpus, paths, slot, team)
    except Exception as error:
        return _kept_out(run_id, error)


def _kept_out(run_id: str | None, error: Exception) -> dict[str, Any]:
    """The outcome of a cell without a record. The traceback of what nobody foresaw goes to standard error."""
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


def _claim(paths: RunPaths) -> Claim | None:
    """Ours, until it is released; a run that another process takes over, after we were silent for long, is
    left to it."""
    from scaling.sweeping import lease

    return lease.take(paths.claim, lost=lambda: os.kill(os.getpid(), signal.SIGUSR1))


def _claimed(
    config: Config, cell: Cell, corpus: Corpus, paths: RunPaths, slot: int | None, team: Team
) -> dict[str, Any]:
    """Trains under a claim, which the leader of a team takes for all."""
    from scaling.training import record
    from scaling.training.lifecycle.run import Placement, run

    claim = _claim(paths) if team.leads else None
    if not team.share(lambda: claim is not None):
        return _elsewhere(cell.run_id)
    with claim or nullcontext():
        # it may have been finished between the look and the claim
        known = team.share(lambda: record.find(paths))
        if known is not None:
            return _outcome(known, new=False)
        placement = Placement.from_config(config, slot=slot)
        got = run(cell, corpus=corpus, paths=paths, placement=placement, config=config, team=team)
        return _outcome(got, new=True)


def _outcome(known: Mapping[str, Any], *, new: bool) -> dict[str, Any]:
    return {**{name: known.get(name) for name in KEPT}, "new": new}
