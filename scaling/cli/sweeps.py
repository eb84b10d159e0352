"""The verbs of a sweep: plan, run, status, bench, clean, import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from scaling.cli import app, emit

_SWEEP = Annotated[
    str, typer.Argument(help="A name in sweeps/, or the path of a .yaml file.", show_default=False)
]
_OVERRIDES = Annotated[
    list[str] | None,
    typer.Argument(help="Hydra overrides, such as seed=1 sweep.budgets=[1e10,2e10] hydra/launcher=joblib."),
]
_JSON = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]


@app.command(name="plan")
def plan_verb(
    sweep: Annotated[
        str | None, typer.Argument(help="A name in sweeps/, or the path of a .yaml file.")
    ] = None,
    overrides: _OVERRIDES = None,
    paper: Annotated[
        bool, typer.Option("--paper", help="No sweep: large runs on many GPUs, on paper.")
    ] = False,
    flops: Annotated[str, typer.Option(help="--paper: training FLOPs, with commas.")] = (
        "1e17,1e18,1e19,1e20,1e21,1e22"
    ),
    gpus: Annotated[str, typer.Option(help="--paper: GPUs, with commas.")] = "8,64,512",
    device: Annotated[str, typer.Option(help="--paper: a file of conf/device.")] = "h100",
    dtype: Annotated[str | None, typer.Option(help="--paper: float32, bfloat16 or float16.")] = None,
    family: Annotated[str, typer.Option(help="--paper: llama, gpt2, …")] = "llama",
    vocab: Annotated[int, typer.Option(min=2, help="--paper: different tokens.")] = 32_768,
    context: Annotated[int, typer.Option(min=1, help="--paper: tokens of a sequence.")] = 2_048,
    ratio: Annotated[float, typer.Option(min=1e-3, help="--paper: tokens per parameter.")] = 20.0,
    mfu: Annotated[float, typer.Option(min=1e-3, max=1, help="--paper: share of the peak, assumed.")] = 0.4,
    explain: Annotated[bool, typer.Option("--explain", help="--paper: the arithmetic of every row.")] = False,
    as_json: _JSON = False,
) -> None:
    """Every cell and its price, before anything runs.

    N, D, tokens per parameter, epochs, steps, memory and seconds.
    """
    from scaling.errors import ConfigError

    if paper:
        from scaling.sweeping.planning import paper as papers

        if sweep is not None:
            raise ConfigError(f"--paper plans no sweep; leave {sweep!r} out, or leave --paper out")
        on = papers.device(device, dtype)
        rows = [
            papers.paper(
                c, g, on, family={"name": family}, vocab=vocab, context=context, ratio=ratio, mfu=mfu
            )
            for c in papers.numbers("--flops", flops)
            for g in map(int, papers.numbers("--gpus", gpus))
        ]
        return emit({"rows": rows}, as_json, lambda: papers.table(rows, explain=explain))
    if sweep is None:
        raise ConfigError("plan needs the name of a sweep, such as: scaling plan demo; or --paper")
    from scaling.sweeping.differences import compared, edits
    from scaling.sweeping.driving import split
    from scaling.sweeping.planning import config as configs
    from scaling.sweeping.planning.plan import plan
    from scaling.sweeping.rescuing import standing
    from scaling.sweeping.tables import plan_table

    with configs.hydra(sweep) as (engine, name):
        master = configs.master(engine, name, overrides or [])
        task = [str(item) for item in master.hydra.overrides.task]
        compose = configs.composer(engine.config_loader, master)
        found = plan(compose, split(task))
        if found.rescue is not None:
            found, _ = standing(found, compose)
    new, orphans = compared(found)
    payload = {**found.payload(), "new": new, "orphans": orphans} if as_json else None
    emit(payload, as_json, lambda: plan_table(found, edits(found, new, orphans)))


@app.command(name="run")
def run_verb(
    sweep: _SWEEP,
    overrides: _OVERRIDES = None,
    retry: Annotated[
        list[str] | None,
        typer.Option(help="Tries cells again that ended as failed, out_of_memory or diverged."),
    ] = None,
    as_json: _JSON = False,
) -> None:
    """Plans, then runs what is missing; again = continue. Ctrl-C stops at a checkpoint."""
    from scaling.sweeping.planning import config as configs
    from scaling.sweeping.tables import outcome_payload, outcome_table

    overrides = [*(overrides or []), *([f"sweep.retry=[{','.join(retry)}]"] if retry else [])]
    outcome: Any
    with configs.hydra(sweep) as (engine, name):
        configs.master(engine, name, overrides)  # a mistake ends here, in one sentence
        from scaling import train

        outcome = engine.multirun(
            config_name=name,
            task_function=train.job,
            overrides=overrides,
            with_log_configuration=False,
        )
    emit(outcome_payload(outcome), as_json, lambda: outcome_table(outcome))
    if outcome.failed:
        raise SystemExit(3)


@app.command(name="status")
def status_verb(
    sweep: Annotated[str | None, typer.Argument(help="A sweep that was run; none = all of them.")] = None,
    overrides: _OVERRIDES = None,
    results: Annotated[Path | None, typer.Option(help="The folder of results.")] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Draw again every two seconds until all is done.")
    ] = False,
    diff: Annotated[
        bool,
        typer.Option(
            "--diff", help="Compares with the sweep file as it is now: which cells are new, by which field."
        ),
    ] = False,
    as_json: _JSON = False,
) -> None:
    """What is done, running, failed and why.

    And the best loss of each budget. It reads files only.
    """
    import time
    from functools import partial

    from scaling import places
    from scaling.errors import ConfigError
    from scaling.sweeping import status as standing
    from scaling.sweeping.tables import status_table

    if diff:
        return _diff(sweep, overrides, as_json)
    folder = results or places.results()
    while True:
        names = [Path(sweep).stem] if sweep else standing.sweeps(folder)
        if not names:
            raise ConfigError(f"nothing has been run in {folder} yet; start with: scaling run demo")
        found = [standing.status(folder, name) for name in names]
        payload = [one.payload() for one in found] if as_json else []
        if watch and not as_json:
            typer.echo("\x1b[2J\x1b[H", nl=False)  # an empty screen
        emit(payload[0] if payload and sweep else payload, as_json, partial(status_table, found, folder))
        if not watch or all(set(one.counts()) <= standing.ENDED for one in found):
            return None
        time.sleep(2)


def _diff(sweep: str | None, overrides: list[str] | None, as_json: bool) -> None:
    import dataclasses

    from scaling.errors import ConfigError
    from scaling.sweeping.differences import differences
    from scaling.sweeping.driving import split
    from scaling.sweeping.planning import config as configs
    from scaling.sweeping.planning.plan import plan
    from scaling.sweeping.rescuing import standing
    from scaling.sweeping.tables import diff_table

    if sweep is None:
        raise ConfigError("--diff needs the name of a sweep, such as: scaling status demo --diff")
    with configs.hydra(sweep) as (engine, name):
        master = configs.master(engine, name, overrides or [])
        compose = configs.composer(engine.config_loader, master)
        planned = plan(compose, split([str(one) for one in master.hydra.overrides.task]))
        pairs, new, orphans = differences(standing(planned, compose)[0], compose)
    payload = {"changed": [dataclasses.asdict(pair) for pair in pairs], "new": new, "orphans": orphans}
    emit(payload, as_json, lambda: diff_table(pairs, new, orphans))


@app.command(name="bench")
def bench_verb(
    overrides: _OVERRIDES = None,
    ablate: Annotated[
        bool, typer.Option("--ablate", help="What each switch of this device does to the speed of a step.")
    ] = False,
    as_json: _JSON = False,
) -> None:
    """Measures this machine's speed, which prices the plans.

    Seconds per step of a few shapes, in its slots; with --ablate, what each switch of the device does to
    them, and what packs gain.
    """
    if ablate:
        return _ablate(list(overrides or []), as_json)
    import tempfile

    from scaling.sweeping.planning import bench, price
    from scaling.sweeping.planning import config as configs
    from scaling.sweeping.tables import bench_table
    from scaling.training import record
    from scaling.training.paths import RunPaths

    overrides = list(overrides or [])
    with (
        tempfile.TemporaryDirectory(prefix="scaling-bench-") as folder,
        configs.hydra("bench") as (engine, name),
    ):
        master = configs.master(engine, name, overrides)
        path = price.path_of(configs.plain(master))
        from scaling import train

        outcome: Any = engine.multirun(
            config_name=name,
            task_function=train.job,
            overrides=[*overrides, f"results={folder}"],
            with_log_configuration=False,
        )
        rows = [record.find(RunPaths.of(folder, run_id)) for run_id in outcome.plan.run_ids]
        table = bench.keep(path, bench.measured([row for row in rows if row]))
    emit({"path": str(path), **table}, as_json, lambda: bench_table(path, table))


def _ablate(overrides: list[str], as_json: bool) -> None:
    import torch

    from scaling.sweeping import ablating
    from scaling.sweeping.planning import config as configs
    from scaling.sweeping.planning.packing import switches_path
    from scaling.sweeping.tables import switches_table

    with configs.hydra("bench") as (engine, name):
        config = configs.plain(configs.master(engine, name, overrides))
    torch.set_num_threads(1)  # as in a slot
    found, path = ablating.ablate(config), switches_path(config)
    ablating.keep(path, found)
    emit({"path": str(path), **found}, as_json, lambda: switches_table(path, found))


@app.command(name="clean")
def clean_verb(
    kinds: Annotated[
        list[str] | None,
        typer.Argument(
            help="checkpoints, damaged (the default two); weights, milestones, trunks, unfinished.",
            show_default=False,
        ),
    ] = None,
    results: Annotated[Path | None, typer.Option(help="The folder of results.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Remove; without it, only say what would go.")] = False,
    as_json: _JSON = False,
) -> None:
    """What may be thrown away, and how much that frees.

    Records, curves and configs always stay.
    """
    from scaling import places
    from scaling.sweeping import cleaning
    from scaling.sweeping.tables import human_bytes

    folder = results or places.results()
    found = cleaning.rubbish(folder, kinds or ("checkpoints", "damaged"))
    totals: dict[str, dict[str, int]] = {}
    for one in found:
        total = totals.setdefault(one.kind, {"files": 0, "bytes": 0})
        total["files"] += 1
        total["bytes"] += one.size_bytes
    freed = cleaning.remove(found) if yes else 0

    def text() -> None:
        for kind, total in totals.items():
            typer.echo(
                f"{kind} ({cleaning.KINDS[kind]}): {total['files']} files, {human_bytes(total['bytes'])}"
            )
        everything = human_bytes(sum(total["bytes"] for total in totals.values()))
        typer.echo(
            f"freed {human_bytes(freed)} in {folder}"
            if yes
            else f"would free {everything} in {folder}; to do it, add --yes"
        )

    emit({"folder": str(folder), "kinds": totals, "removed": yes, "bytes_freed": freed}, as_json, text)


@app.command(name="import")
def import_verb(
    sources: Annotated[
        list[Path], typer.Argument(help="Files or run folders of one kind.", show_default=False)
    ],
    into: Annotated[str, typer.Option(help="Name of the folder in results that gets the ledger.")],
    kind: Annotated[
        str | None,
        typer.Option(help="table, nanochat, trainer, wandb or tensorboard; else by the file's name."),
    ] = None,
    name: Annotated[
        list[str] | None, typer.Option(help="COLUMN=NAME: what the source calls a column.")
    ] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="COLUMN=VALUE, for every row.")] = None,
    results: Annotated[Path | None, typer.Option(help="The folder of results.")] = None,
    as_json: _JSON = False,
) -> None:
    """Turns runs from elsewhere into a ledger.

    It asks by name for what is missing.
    """
    from scaling import places
    from scaling.errors import ConfigError
    from scaling.sweeping import importing

    if not into or Path(into).name != into:
        raise ConfigError(
            f"--into is {into!r}; it names one folder inside the results, so write it without slashes"
        )

    def pairs(option: str, given: list[str] | None) -> dict[str, str]:
        wrong = [one for one in given or [] if "=" not in one]
        if wrong:
            raise ConfigError(
                f"{option} {wrong[0]!r} is not COLUMN=...; write for example {option} params=12345"
            )
        return dict(one.split("=", 1) for one in given or [])

    rows = importing.read(sources, kind=kind, names=pairs("--name", name), values=pairs("--set", set_))
    path = importing.save(rows, (results or places.results()) / into)
    emit(
        {"ledger": str(path), "rows": len(rows)},
        as_json,
        lambda: typer.echo(f"{len(rows)} runs in {path}; next: scaling fit {into}"),
    )
