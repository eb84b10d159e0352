"""Define the verbs on laws, published tables and published fits: `laws`, `fetch` and `reproduce`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from scaling.cli import app, emit, say

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def laws(
    name: Annotated[
        str | None, typer.Argument(help="A law, or path.py:name, whose parameters are printed.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="List only laws of this kind, such as loss or saturation.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the laws that can be fitted, with formula and source.

    With a name, print the parameters of that law.
    """
    from scaling.errors import ConfigError, one_of
    from scaling.fitting import laws as catalogue

    if name is not None:
        law = catalogue.get(name)
        emit(_law(law, whole=True), as_json, lambda: _show_law(law))
        return
    known = sorted(catalogue.catalogue().values(), key=lambda law: (law.kind, law.name))
    if kind is not None:
        kinds = {law.kind for law in known}
        if kind not in kinds:
            raise ConfigError(one_of("kind of law", kind, kinds))
        known = [law for law in known if law.kind == kind]
    emit({"laws": [_law(law) for law in known]}, as_json, lambda: _show_laws(known))


def _law(law: Any, whole: bool = False) -> dict[str, Any]:
    import math

    shown: dict[str, Any] = {
        "name": law.name,
        "kind": law.kind,
        "target": law.target,
        "variables": list(law.variables),
        "formula": law.formula,
        "source": law.source,
        "parameters": list(law.names),
    }
    if whole:
        shown["parameters"] = [
            {
                "name": p.name,
                "meaning": p.meaning,
                "start": list(p.start),
                "unit": p.unit,
                "positive": p.positive,
                "bounds": [bound if math.isfinite(bound) else None for bound in p.bounds],
            }
            for p in law.parameters
        ]
        shown |= {"derived": list(law.derived), "scale": law.scale, "notes": law.notes}
    return shown


def _show_laws(known: list[Any]) -> None:
    from rich.table import Table

    from scaling.terminal.console import plain_console

    table = Table("law", "formula", "variables", "source", title=f"{len(known)} laws")
    table.columns[0].overflow = "fold"
    for law in known:
        table.add_row(law.name, law.formula, ", ".join(law.variables), law.source)
    plain_console().print(table)


def _show_law(law: Any) -> None:
    from rich.table import Table

    from scaling.terminal.console import plain_console

    console = plain_console()
    console.print(f"{law.name}: {law.formula}")
    console.print(
        f"{law.source}; {law.target} from {', '.join(law.variables)}, residuals on the {law.scale} scale",
    )
    table = Table("parameter", "meaning", "starts", "in units of")
    for p in law.parameters:
        unit = {"": "", "target": law.target}.get(p.unit, p.unit)
        if p.centre:
            unit = (unit + ", " if unit else "") + "of the term at the centre of the data"
        table.add_row(p.name, p.meaning, f"{p.start[0]:g} to {p.start[1]:g}", unit)
    console.print(table)
    if law.derived:
        console.print(f"also gives {', '.join(law.derived)}")
    if law.notes:
        console.print(law.notes)


@app.command()
def fetch(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names of published tables. Default: list them.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Fetch published tables of runs into the local cache.

    Check each table by its SHA-256 and print its path.
    """
    from scaling.published import fetch as fetching
    from scaling.published import registry

    if not names:
        known = list(registry.sources().values())
        emit({"tables": [_source(row) for row in known]}, as_json, lambda: _show_sources(known))
        return
    rows = [registry.source(name) for name in names]
    paths = [(row, fetching.fetch(row)) for row in rows]
    emit(
        {"tables": [_source(row) | {"path": str(path)} for row, path in paths]},
        as_json,
        lambda: say("\n".join(f"{at}  {row.rows} rows, {row.licence}, {row.paper}" for row, at in paths)),
    )


def _source(row: Any) -> dict[str, Any]:
    return {
        "name": row.name,
        "rows": row.rows,
        "licence": row.licence,
        "sha256": row.sha256,
        "source": row.pinned,
        "address": row.address,
        "changed": row.changed,
        "paper": row.paper,
    }


def _show_sources(known: list[Any]) -> None:
    from rich.table import Table

    from scaling.terminal.console import plain_console

    table = Table("table", "rows", "how", "licence", "paper", title=f"{len(known)} published tables")
    for row in known:
        how = "download" if row.verbatim else "download, converted" if row.convert else "mirror only"
        table.add_row(row.name, str(row.rows), how, row.licence, row.paper)
    plain_console().print(table)


@app.command()
def reproduce(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names of fits or groups, such as gadre. Default: all.")
    ] = None,
    write: Annotated[
        str | None, typer.Option(help="Write outcomes.csv, outcomes.json and command.txt to this folder.")
    ] = None,
    list_only: Annotated[
        bool, typer.Option("--list", help="List the published fits without running them.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run published fits again.

    Print the outcome of each: reproduced, better optimum found, or not reproducible.
    """
    from pathlib import Path

    from scaling.published import ledger

    chosen = ledger.choose(names or [])
    if list_only:
        rows = [{"name": e.name, "paper": e.paper, "claim": e.claim} for e in chosen]
        lines = "\n".join(f"{entry.name}: {entry.claim}" for entry in chosen)
        emit({"entries": rows}, as_json, lambda: say(lines))
        return
    outcomes = []
    for i, outcome in enumerate(ledger.run(chosen), start=1):
        outcomes.append(outcome)
        say(f"{i}/{len(chosen)} {outcome.entry.name}: {outcome.outcome}", err=True)
    if write is not None:
        import sys

        # The command as a user types it, without the path of the program.
        for path in ledger.write(outcomes, Path(write), " ".join(["scaling", *sys.argv[1:]])):
            say(f"wrote {path}", err=True)
    emit(ledger.payload(outcomes), as_json, lambda: _show_outcomes(outcomes))


def _show_outcomes(outcomes: list[Any]) -> None:
    from rich.table import Table

    from scaling.published import ledger
    from scaling.terminal.console import plain_console

    table = Table("published fit", "outcome", "published", "refitted", "objective: published → refitted")
    table.columns[0].overflow = table.columns[1].overflow = "fold"
    for outcome in outcomes:
        entry, refit = outcome.entry, outcome.refit
        published = ", ".join(f"{k} {v:.5g}" for k, v in entry.published.items())
        values = (
            outcome.reason
            if refit is None
            else ", ".join(f"{k} {refit.values[k]:.5g}" for k in entry.published)
        )
        objective = ""
        if refit is not None and refit.objective is not None and refit.at_published is not None:
            objective = f"{refit.at_published:.6g} → {refit.objective:.6g}"
        table.add_row(entry.name, outcome.outcome, published, values, objective)
    console = plain_console()
    console.print(table)
    console.print(", ".join(f"{count} {name}" for name, count in ledger.summary(outcomes).items() if count))
