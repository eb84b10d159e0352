"""Define `scaling import`, which turns runs of other programs into a ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scaling.cli import app, emit, say
from scaling.cli.fits import Decimal, Where
from scaling.cli.sweeps.options import JSON


@app.command(name="import")
def import_verb(
    sources: Annotated[
        list[Path], typer.Argument(help="Files or run folders, all of one kind.", show_default=False)
    ],
    into: Annotated[
        str, typer.Option(help="Name of the folder in the results that the ledger is written to.")
    ],
    kind: Annotated[
        str | None,
        typer.Option(help="table, nanochat, trainer, wandb or tensorboard. Default: by the file name."),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(help="COLUMN=NAME: the source's column or expression for a ledger column."),
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="COLUMN=VALUE: one value for every row.")
    ] = None,
    where: Where = None,
    decimal: Decimal = None,
    results: Annotated[Path | None, typer.Option(help="Folder of results.")] = None,
    as_json: JSON = False,
) -> None:
    """Import runs of other programs as a ledger.

    A missing column ends in an error that names it.
    """
    from scaling import folders
    from scaling.errors import ConfigError, quoted
    from scaling.sweeping import import_runs

    if why := folders.unfit(into):
        raise ConfigError(f"--into is {quoted(into)}, which {why}")

    def pairs(option: str, given: list[str] | None) -> dict[str, str]:
        wrong = [one for one in given or [] if "=" not in one]
        if wrong:
            raise ConfigError(
                f"{option} {wrong[0]!r} is not COLUMN=...; write for example {option} params=12345"
            )
        found: dict[str, str] = {}
        for column, _, value in (one.partition("=") for one in given or []):
            if column in found:
                raise ConfigError(f"{option} gives {column} twice, {found[column]} and {value}; give it once")
            found[column] = value
        return found

    rows, notes = import_runs.read(
        sources,
        kind=kind,
        names=pairs("--name", name),
        values=pairs("--set", set_),
        where=where,
        decimal=decimal,
    )
    path = import_runs.save(rows, (results or folders.results()) / into)
    emit(
        {"ledger": str(path), "rows": len(rows), "notes": notes},
        as_json,
        lambda: say(
            "\n".join([*notes, f"{len(rows)} runs in {path}; next: {folders.reader('fit', path.parent)}"])
        ),
    )
