"""Plan a sweep, run it and see how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaling.errors import ConfigError

if TYPE_CHECKING:
    from scaling.sweeping.driver import Outcome
    from scaling.sweeping.planning.planned import Plan
    from scaling.sweeping.status import Status


def plan(sweep: str, *overrides: str) -> Plan:
    """Return the cells of a sweep with all that is known of them before anything runs.

    Args:
        sweep: a name in sweeps/, or the path of a .yaml file.
        *overrides: Hydra's, each one argument: plan("demo", "seed=1", "sweep.budgets=[1e10,2e10]").

    Raises ConfigError naming the key or the cell that cannot be.
    """
    from scaling.sweeping.planning import config as configs
    from scaling.sweeping.planning import planner
    from scaling.sweeping.planning.combinations import split
    from scaling.sweeping.rescue import standing

    _check(sweep, overrides)
    with configs.hydra(sweep, overrides) as (engine, name):
        master = configs.master(engine, name, list(overrides))
        compose = configs.composer(engine.config_loader, master)
        planned = planner.plan(compose, split([str(item) for item in master.hydra.overrides.task]))
        return planned if planned.rescue is None else standing(planned, compose)[0]


def _check(sweep: str, overrides: tuple[str, ...]) -> None:
    """Raise ConfigError for arguments that are not text."""
    if not isinstance(sweep, str):
        raise ConfigError(f"the sweep is {sweep!r}; give its name in sweeps/, or the path of a .yaml file")
    for override in overrides:
        if not isinstance(override, str):
            raise ConfigError(f"an override is {override!r}; give each as text of its own, such as 'seed=1'")


def run(sweep: str, *overrides: str) -> Outcome:
    """Train what is missing of a sweep and collect its ledger; call it again to continue.

    Args as in `plan`. Failed cells are in the outcome. Raises ConfigError for a mistake in the sweep,
    NotInstalled where there is something to train and no torch, Stopped after Ctrl-C.
    """
    from typing import Any

    from scaling import folders, train
    from scaling.errors import Stopped
    from scaling.sweeping.planning import config as configs

    _check(sweep, overrides)
    with configs.hydra(sweep, overrides) as (engine, name):
        configs.master(engine, name, list(overrides))  # a mistake ends here, in one sentence
        try:
            outcome: Any = engine.multirun(
                config_name=name,
                task_function=train.job,
                overrides=configs.spelled(overrides),
                with_log_configuration=False,
            )
        except Stopped as stop:
            left = [one for one in overrides if not one.startswith("sweep.retry=")]  # done by now
            again = folders.command("run", sweep, *left)
            raise Stopped(f"{stop}; continue with: {again}", number=stop.number) from None
    made: Outcome = outcome
    return made


def status(sweep: str) -> Status:
    """Return which cells of a sweep are done, running or failed, and why. It reads files only."""
    from pathlib import Path

    from scaling import folders
    from scaling.sweeping import status as standing

    return standing.status(folders.results(), Path(sweep).stem)
