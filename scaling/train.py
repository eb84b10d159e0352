"""Train one run with Hydra: `python -m scaling.train family=llama family.size=2 budget.flops=1e10`, and
`-m` for a multirun. `torchrun --nproc-per-node 2 -m scaling.train …` distributes one run over two processes.
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
    """Run one composed config and return its outcome; Hydra's launchers call this.

    A preempted SLURM job writes a checkpoint and is queued again.
    """
    from scaling.sweeping.launching import batch
    from scaling.sweeping.outcomes import run_config
    from scaling.sweeping.planning.config import parsed

    batch.limit_threads()
    with batch.warned() as queue:
        try:
            outcome = run_config(parsed(config))
        except ConfigError as error:  # an invalid config has no run id yet
            outcome = {"run_id": None, "status": "failed", "reason": str(error), "new": True}
    if outcome["status"] == "preempted":
        queue.left(outcome["signal"])
    return outcome


def main() -> None:
    """Run the Hydra command line: one run, or several with `-m`. Exits with code 3 when a run failed."""
    plugins.enable()
    import hydra

    from scaling.sweeping.planning import store
    from scaling.sweeping.planning.config import spelled
    from scaling.training.hardware import team

    if team.size() > 1 and {"-m", "--multirun"} & set(sys.argv):
        sys.stderr.write(
            "scaling: torchrun distributes one run and -m starts several; use torchrun without -m, or -m "
            "without torchrun\n"
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
