"""Define `scaling run` and `scaling status`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scaling.cli import app, emit, say
from scaling.cli.sweeps.options import JSON, OVERRIDES, SWEEP


@app.command(name="run")
def run_verb(
    sweep: SWEEP,
    overrides: OVERRIDES = None,
    retry: Annotated[
        list[str] | None,
        typer.Option(help="Run cells again that ended as failed, out_of_memory or diverged."),
    ] = None,
    as_json: JSON = False,
) -> None:
    """Plan a sweep and run the cells that are missing.

    Ctrl-C stops at a checkpoint; the same command then continues.
    """
    from scaling.api import sweeps
    from scaling.sweeping.console import outcome_payload, outcome_table

    overrides = [*(overrides or []), *([f"sweep.retry=[{','.join(retry)}]"] if retry else [])]
    outcome = sweeps.run(sweep, *overrides)
    emit(outcome_payload(outcome), as_json, lambda: outcome_table(outcome))
    if outcome.failed:
        raise SystemExit(3)


@app.command(name="status")
def status_verb(
    sweep: Annotated[str | None, typer.Argument(help="A sweep that was run. Default: all.")] = None,
    overrides: OVERRIDES = None,
    results: Annotated[Path | None, typer.Option(help="Folder of results.")] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Refresh every two seconds until all cells have ended.")
    ] = False,
    diff: Annotated[
        bool,
        typer.Option(
            "--diff", help="Compare with the present sweep file: list the new cells and the changed fields."
        ),
    ] = False,
    as_json: JSON = False,
) -> None:
    """Show which cells are done, running or failed, and why.

    Also show the lowest loss at each budget. Only files are read, and nothing is changed.
    """
    import time
    from functools import partial

    from scaling import folders
    from scaling.errors import ConfigError, TableError
    from scaling.sweeping import status as standing
    from scaling.sweeping.console import status_table

    if diff:
        return _diff(sweep, overrides, as_json)
    folder = results or folders.results()
    while True:
        names = [Path(sweep).stem] if sweep else standing.sweeps(folder)
        if not names:
            raise ConfigError(f"{folder} has no sweeps yet; start one with: scaling run demo")
        found, payload = [], []
        for name in names:
            try:
                found.append(standing.status(folder, name))
            except TableError as error:  # one damaged sweep does not hide the others
                if sweep:
                    raise
                say(f"scaling: {error}", err=True)
                payload.append({"sweep": name, "error": str(error)})
        payload += [one.payload() for one in found] if as_json else []
        if watch and not as_json:
            typer.echo("\x1b[2J\x1b[H", nl=False)  # clears the screen
        emit(payload[0] if payload and sweep else payload, as_json, partial(status_table, found, folder))
        if not watch or all(set(one.counts()) <= standing.ENDED for one in found):
            return None
        time.sleep(2)


def _diff(sweep: str | None, overrides: list[str] | None, as_json: bool) -> None:
    import dataclasses

    from scaling.errors import ConfigError
    from scaling.sweeping.console import diff_table
    from scaling.sweeping.differences import differences
    from scaling.sweeping.planning import config as configs
    from scaling.sweeping.planning.combinations import split
    from scaling.sweeping.planning.planner import plan
    from scaling.sweeping.rescue import standing

    if sweep is None:
        raise ConfigError("--diff needs the name of a sweep, such as: scaling status demo --diff")
    with configs.hydra(sweep, overrides or []) as (engine, name):
        master = configs.master(engine, name, overrides or [])
        compose = configs.composer(engine.config_loader, master)
        planned = plan(compose, split([str(one) for one in master.hydra.overrides.task]))
        pairs, new, orphans = differences(standing(planned, compose)[0], compose)
    payload = {"changed": [dataclasses.asdict(pair) for pair in pairs], "new": new, "orphans": orphans}
    emit(payload, as_json, lambda: diff_table(pairs, new, orphans))
