"""One run, the plain Hydra way: `python -m scaling.train family=llama family.size=2 budget.flops=1e10`, and
`-m` for a multirun. `torchrun --nproc-per-node 2 -m scaling.train …` shares one run between processes.

The same function runs a cell under every launcher: it prepares the corpus, claims the cell, trains or
continues it, and returns what came out. It never raises for a run that fails: a sweep goes on.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from scaling import extras, plugins
from scaling.errors import ConfigError, Preempted, RunFailure, ScalingError

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from scaling.corpora import Corpus
    from scaling.training.cell import Cell
    from scaling.training.paths import RunPaths
    from scaling.training.running.team import Team

KEPT = ("run_id", "status", "reason", "loss", "params", "tokens", "steps", "seconds")
"""What an outcome takes from a record."""


def warm() -> None:
    """Imports everything heavy, once for all the cells of a worker."""
    import torch

    import scaling.training.run  # noqa: F401

    torch.set_num_threads(1)


def job(config: DictConfig) -> dict[str, Any]:
    """What Hydra's launchers call: one composed config to one outcome.

    A job of SLURM's that is asked to leave writes a checkpoint, and the queue gives it another turn.
    """
    from scaling.sweeping.launching import batch
    from scaling.sweeping.planning.config import plain

    batch.limit_threads()
    with batch.warned() as queue:
        outcome = run_config(plain(config))
    if outcome["status"] == "preempted":
        queue.left(outcome["signal"])
    return outcome


def run_config(
    config: Mapping[str, Any], *, slot: int | None = None, started: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """Trains, continues or recognises the run that a resolved config describes.

    Returns an outcome: `run_id`, `status` (a record's, or `elsewhere` when another process is at it, or
    `preempted`), `reason`, `new` (whether anything was trained now), and a few numbers of the record.
    """
    run_id: str | None = None
    try:
        from scaling.sweeping.planning.cells import prepare
        from scaling.training import record
        from scaling.training.running import team as teams

        with teams.joined(str((config.get("device") or {}).get("name"))) as team:
            cell, corpus, paths = team.in_turn(lambda: prepare(config))
            run_id = cell.run_id
            if started is not None:
                started(run_id)
            known = team.share(lambda: record.find(paths))
            if known is not None:
                return _outcome(known, new=False)
            return _claimed(config, cell, corpus, paths, slot, team)
    except Preempted as error:
        return {
            "run_id": run_id,
            "status": "preempted",
            "reason": str(error),
            "signal": error.signal,
            "new": True,
        }
    except ScalingError as error:
        status = error.status if isinstance(error, RunFailure) else "failed"
        return {"run_id": run_id, "status": status, "reason": str(error), "new": True}
    except Exception as error:
        missing = extras.lacking(error) if isinstance(error, ModuleNotFoundError) else None
        if missing is None:
            sys.stderr.write(traceback.format_exc())
        reason = str(missing or f"{type(error).__name__}: {error}")
        return {"run_id": run_id, "status": "failed", "reason": reason, "new": True}


def _claimed(
    config: Mapping[str, Any], cell: Cell, corpus: Corpus, paths: RunPaths, slot: int | None, team: Team
) -> dict[str, Any]:
    """Trains under a claim, which the leader of a team takes for all. A run that another process takes over,
    after we were silent for long, is left to it.
    """
    from scaling.sweeping import claims
    from scaling.training import record
    from scaling.training.run import Place, run

    def leave() -> None:
        os.kill(os.getpid(), signal.SIGUSR1)

    claim = claims.take(paths.claim, lost=leave) if team.leads else None
    if not team.share(lambda: claim is not None):
        return {
            "run_id": cell.run_id,
            "status": "elsewhere",
            "reason": "another process trains it",
            "new": False,
        }
    with claim or nullcontext():
        # it may have been finished between the look and the claim
        known = team.share(lambda: record.find(paths))
        if known is not None:
            return _outcome(known, new=False)
        place = Place.from_config(config, slot=slot)
        got = run(cell, corpus=corpus, paths=paths, place=place, config=config, team=team)
        return _outcome(got, new=True)


def _outcome(known: Mapping[str, Any], *, new: bool) -> dict[str, Any]:
    return {**{name: known.get(name) for name in KEPT}, "new": new}


def main() -> None:
    """The command line of Hydra: one run, or `-m` for many. Exit code 3 when a run failed."""
    plugins.enable()
    import hydra

    from scaling.sweeping.planning.config import spelled
    from scaling.training.running import team

    if team.size() > 1 and {"-m", "--multirun"} & set(sys.argv):
        sys.stderr.write(
            "scaling: torchrun shares one run between its processes and -m asks for many; leave one of them "
            "out\n"
        )
        sys.exit(ConfigError.exit_code)
    # Hydra reads the command line itself
    sys.argv[1:] = spelled(sys.argv[1:])
    outcomes: list[dict[str, Any]] = []

    @hydra.main(version_base="1.3", config_path=None, config_name="train")
    def entry(config: DictConfig) -> None:
        outcomes.append(job(config))

    entry()
    for outcome in outcomes if os.environ.get("RANK", "0") == "0" else ():
        from scaling.sweeping.slots.display import outcome_line

        print(outcome_line(outcome))
    if any(outcome["status"] in ("failed", "out_of_memory", "preempted") for outcome in outcomes):
        sys.exit(3)


if __name__ == "__main__":
    main()
