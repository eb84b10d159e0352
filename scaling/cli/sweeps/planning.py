"""Define `scaling plan`, which lists the cells of a sweep with their price, or estimates large runs."""

from __future__ import annotations

from typing import Annotated

import typer

from scaling.cli import app, emit
from scaling.cli.numbers import between
from scaling.cli.sweeps.options import JSON, OVERRIDES


@app.command(name="plan")
def plan_verb(
    sweep: Annotated[
        str | None, typer.Argument(help="A name in sweeps/, or the path of a .yaml file.")
    ] = None,
    overrides: OVERRIDES = None,
    paper: Annotated[
        bool, typer.Option("--paper", help="Instead of a sweep: estimate large runs on many GPUs.")
    ] = False,
    flops: Annotated[str, typer.Option(help="--paper: training FLOPs, separated by commas.")] = (
        "1e17,1e18,1e19,1e20,1e21,1e22"
    ),
    gpus: Annotated[str, typer.Option(help="--paper: numbers of GPUs, separated by commas.")] = "8,64,512",
    device: Annotated[str, typer.Option(help="--paper: a file of conf/device.")] = "h100",
    dtype: Annotated[str | None, typer.Option(help="--paper: float32, bfloat16 or float16.")] = None,
    family: Annotated[str, typer.Option(help="--paper: llama, gpt2, …")] = "llama",
    vocab: Annotated[
        int, typer.Option(callback=between(2, 10_000_000), help="--paper: size of the vocabulary.")
    ] = 32_768,
    context: Annotated[
        int, typer.Option(callback=between(1, 100_000_000), help="--paper: tokens per sequence.")
    ] = 2_048,
    ratio: Annotated[
        float, typer.Option(callback=between(1e-3, 1e6), help="--paper: tokens per parameter.")
    ] = 20.0,
    mfu: Annotated[
        float, typer.Option(callback=between(1e-3, 1), help="--paper: assumed fraction of the peak FLOP/s.")
    ] = 0.4,
    explain: Annotated[
        bool, typer.Option("--explain", help="--paper: print the arithmetic of every row.")
    ] = False,
    as_json: JSON = False,
) -> None:
    """List the cells of a sweep and their price before it runs.

    Print N, D, tokens per parameter, epochs, steps, memory and seconds of each cell.
    """
    from scaling.errors import ConfigError

    if paper:
        from scaling.config import FamilyConfig
        from scaling.sweeping.planning import paper as papers

        if sweep is not None:
            raise ConfigError(f"--paper takes no sweep; leave out {sweep!r} or --paper")
        on = papers.device(device, dtype)
        rows = [
            papers.paper(
                c, g, on, family=FamilyConfig(name=family), vocab=vocab, context=context, ratio=ratio, mfu=mfu
            )
            for c in papers.numbers("--flops", flops)
            for g in map(int, papers.numbers("--gpus", gpus))
        ]
        return emit({"rows": rows}, as_json, lambda: papers.table(rows, explain=explain))
    if sweep is None:
        raise ConfigError("plan needs the name of a sweep, such as: scaling plan demo; or --paper")
    from scaling.api import sweeps
    from scaling.sweeping.console import plan_table
    from scaling.sweeping.differences import compared, edits

    found = sweeps.plan(sweep, *(overrides or []))
    new, orphans = compared(found)
    payload = {**found.payload(), "new": new, "orphans": orphans} if as_json else None
    emit(payload, as_json, lambda: plan_table(found, edits(found, new, orphans)))
