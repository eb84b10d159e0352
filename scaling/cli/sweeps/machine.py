"""Define `scaling bench`, which measures this machine, and `scaling clean`, which frees disk space."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from scaling.cli import app, emit, say
from scaling.cli.sweeps.options import JSON, OVERRIDES


@app.command(name="bench")
def bench_verb(
    overrides: OVERRIDES = None,
    ablate: Annotated[
        bool,
        typer.Option("--ablate", help="Measure how each switch of this device changes the time of a step."),
    ] = False,
    as_json: JSON = False,
) -> None:
    """Measure the training speed of this machine, used in plans.

    Train a few shapes in this machine's seats; recipe.batch=8,32 measures several batch sizes. With
    --ablate, measure how each switch of the device changes the time of a step, for each shape and batch
    (family.size=1,4 recipe.batch=8,32).
    """
    if ablate:
        return _ablate(list(overrides or []), as_json)
    import tempfile

    from scaling.sweeping.planning import bench, price
    from scaling.sweeping.planning import config as configs
    from scaling.sweeping.speeds import bench_table
    from scaling.training import record
    from scaling.training.paths import RunPaths

    overrides = list(overrides or [])
    with (
        tempfile.TemporaryDirectory(prefix="scaling-bench-") as folder,
        configs.hydra("bench", overrides) as (engine, name),
    ):
        master = configs.master(engine, name, overrides)
        path = price.path_of(configs.parsed(master))
        from scaling import train

        outcome: Any = engine.multirun(
            config_name=name,
            task_function=train.job,
            overrides=[*configs.spelled(overrides), f"results={folder}"],
            with_log_configuration=False,
        )
        found = [record.find(RunPaths.of(folder, run_id)) for run_id in outcome.plan.run_ids]
        rows = [row for row in found if row]
        table, speeds = bench.keep(path, bench.measured(rows)), bench.speeds(rows)
    emit({"path": str(path), **table, "speeds": speeds}, as_json, lambda: bench_table(path, speeds))


def _ablate(overrides: list[str], as_json: bool) -> None:
    import torch

    from scaling.sweeping import ablation
    from scaling.sweeping.planning import config as configs
    from scaling.sweeping.planning.combinations import split
    from scaling.sweeping.speeds import switches_table

    with configs.hydra("bench", overrides) as (engine, name):
        master = configs.master(engine, name, overrides)
        compose = configs.composer(engine.config_loader, master)
        every = [compose(one) for one in split([str(one) for one in master.hydra.overrides.task])]
    torch.set_num_threads(1)  # as a seat does
    found, path = ablation.ablate(every), ablation.path_of(every[0])
    ablation.keep(path, found)
    emit({"path": str(path), **found}, as_json, lambda: switches_table(path, found))


@app.command(name="clean")
def clean_verb(
    kinds: Annotated[
        list[str] | None,
        typer.Argument(
            help="checkpoints, damaged (the default); weights, milestones, trunks, unfinished.",
            show_default=False,
        ),
    ] = None,
    results: Annotated[Path | None, typer.Option(help="Folder of results.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Remove the files. Default: only list them.")] = False,
    as_json: JSON = False,
) -> None:
    """List or remove files that are no longer needed.

    Records, curves and configs are never removed, and no link is followed.
    """
    from scaling import folders
    from scaling.sweeping import cleanup
    from scaling.sweeping.console import human_bytes

    folder = results or folders.results()
    found = cleanup.search(folder, kinds or ("checkpoints", "damaged"))
    totals: dict[str, dict[str, int]] = {}
    for one in found.files:
        total = totals.setdefault(one.kind, {"files": 0, "bytes": 0})
        total["files"] += 1
        total["bytes"] += one.size_bytes
    freed = cleanup.remove(found.files) if yes else 0

    def text() -> None:
        for kind, total in totals.items():
            say(f"{kind} ({cleanup.KINDS[kind]}): {total['files']} files, {human_bytes(total['bytes'])}")
            for one in found.files:
                if one.kind == kind:
                    say(f"  {one.path}  {human_bytes(one.size_bytes)}")
        for reason in found.left:
            say(f"left alone: {reason}")
        everything = human_bytes(sum(total["bytes"] for total in totals.values()))
        say(
            f"freed {human_bytes(freed)} in {folder}"
            if yes
            else f"would free {everything} in {folder}; add --yes to remove the files"
        )

    payload = {
        "folder": str(folder),
        "kinds": totals,
        "files": [{"path": str(one.path), "kind": one.kind, "bytes": one.size_bytes} for one in found.files],
        "left": found.left,
        "removed": yes,
        "bytes_freed": freed,
    }
    emit(payload, as_json, text)
