"""Define the verbs that list what a run can use: `families` and `corpora`."""

from __future__ import annotations

from typing import Annotated

import typer

from scaling.cli import app, emit


@app.command()
def corpora(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the corpora that a config can name, and those prepared."""
    from scaling import folders
    from scaling.corpora import available, prepared

    payload = {"available": available(), "prepared": prepared(folders.results() / "corpora")}

    def text() -> None:
        from rich.table import Table

        from scaling.terminal.console import plain_console

        console = plain_console()
        table = Table("corpus", "description", "licence", "installed", title="Corpora that a config can name")
        table.add_column("bytes", justify="right")
        for row in payload["available"]:
            here = "yes" if row["installed"] else f"no: {row['install']}"
            size = f"{row['bytes']:,}" if "bytes" in row else ""
            table.add_row(row["source"], row["about"], row["licence"], here, size)
        console.print(table)
        table = Table(title=f"Prepared in {folders.results() / 'corpora'}")
        for name in ("name", "hash", "licence", "tokenizer"):
            table.add_column(name)
        for name in ("vocab", "bytes", "documents", "tokens", "entropy"):
            table.add_column(name, justify="right")
        for row in payload["prepared"]:
            if "error" in row:
                table.add_row(row["name"], "damaged", row["error"])
                continue
            numbers = [f"{row[name]:,}" for name in ("vocab", "bytes", "documents", "tokens")]
            rate = f"{row['entropy_rate']:.4f}" if "entropy_rate" in row else ""
            table.add_row(row["name"], row["hash"], row["licence"], row["tokenizer"], *numbers, rate)
        console.print(table)
        console.print(
            "Use one: corpus=NAME, as in scaling run demo corpus=sotu; your own: corpus=path.py:name"
        )

    emit(payload, as_json, text)


@app.command()
def families(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the families that can be trained.

    Print the dial, the range of sizes and the source of each family.
    """
    from scaling.families import listing

    rows = listing()

    def text() -> None:
        from rich.table import Table

        from scaling.terminal.console import plain_console

        console = plain_console()
        table = Table("family", "objective", "dial", title="Families that a config can name")
        table.add_column("size", justify="right")
        table.add_column("parameters on bytes", justify="right")
        table.add_column("source", overflow="fold")
        for row in rows:
            low, high = row["sizes"]
            params = "–" if row["params"] is None else " to ".join(_short(n) for n in row["params"])
            size = f"{low:g} to {high:g}"
            table.add_row(row["name"], row["objective"], row["dial"], size, params, row["source"])
        console.print(table)
        console.print("Use one: family=NAME family.size=4; your own: family=path.py:Name")

    emit(rows, as_json, text)


def _short(number: float) -> str:
    """Return a number with two digits and a unit, such as 3.5 k or 120 B."""
    for factor, unit in ((1e12, " T"), (1e9, " B"), (1e6, " M"), (1e3, " k")):
        if number >= 0.995 * factor:
            return f"{float(f'{number / factor:.2g}'):g}{unit}"
    return f"{number:.0f}"
