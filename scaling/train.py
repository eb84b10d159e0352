"""One run, the plain Hydra way: `python -m scaling.train family=llama family.size=2 budget.flops=1e10`, and
`-m` for a multirun. `torchrun --nproc-per-node 2 -m scaling.train …` shares one run between processes.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from scaling import plugins
from scaling.errors import ConfigError

if TYPE_CHECKING:
    from omegaconf import DictConfig


def job(config: DictConfig) -> dict[str, Any]:
    """What Hydra's launchers call: one composed config to one outcome.

    A job of SLURM's that is asked to leave writes a checkpoint, and the queue gives it another turn.
    """
    from scaling.sweeping.launching import batch
    from scaling.sweeping.outcomes import run_config
    from scaling.sweeping.planning.config import parsed

    batch.limit_threads()
    with batch.warned() as queue:
        outcome = run_config(parsed(config))
    if outcome["status"] == "preempted":
        queue.left(outcome["signal"])
    return outcome


def main() -> None:
    """The command line of Hydra: one run, or `-m` for many. Exit code 3 when a run failed."""
    plugins.enable()
    import hydra

    from scaling.sweeping.planning import store
    from scaling.sweeping.planning.config import spelled
    from scaling.training.hardware import team

    if team.size() > 1 and {"-m", "--multirun"} & set(sys.argv):
        sys.stderr.write(
            "scaling: torchrun shares one run between its processes and -m asks for many; leave one of them "
            "out\n"
        )
        sys.exit(ConfigError.exit_code)
    store.register()
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
