"""Define `scaling trends`: growth rates, eras, hindcasts, exchange rates and projections.

The verbs read the facts that come with the package, or a table of the user.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from scaling.cli import app, emit
from scaling.cli.numbers import between


class _Questions(TyperGroup):
    """A command group that ignores case and names the nearest question when the name is unknown."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        known = {name.lower(): name for name in self.commands}
        if cmd_name.lower() not in known:
            from scaling.errors import ConfigError, one_of

            raise ConfigError(one_of("question of `scaling trends`", cmd_name, self.commands))
        return super().get_command(ctx, known[cmd_name.lower()])


trends = typer.Typer(
    cls=_Questions,
    help="Answer questions on growth over time from sourced facts.\n\n"
    "Without a question, print every growth trend of the facts.",
    invoke_without_command=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(trends, name="trends")

JSON = typer.Option(False, "--json", help="Print JSON.")
LEVEL = typer.Option(
    None,
    "--level",
    callback=between(0.01, 0.999),
    help="Confidence level of the intervals. Default: 0.9; 0.95 for algorithms.",
)
FOLDER = typer.Option(
    None, "--figures", help="Also draw the figures of this question into this folder (SVG, PNG, JSON)."
)


def tell(payload: dict[str, Any]) -> None:
    """Print an answer for people: the sentence, then its tables."""
    from rich.table import Table

    from scaling.terminal.console import plain_console

    console = plain_console(piped_width=150)
    if payload.get("claim"):
        console.print(f"{payload['question']}: {payload['claim']}", style="dim")
    console.print(payload["answer"], style="bold")
    for table in payload.get("tables", []):
        shown = Table(
            title=table["title"],
            title_justify="left",
            title_style="",
            header_style="bold",
            box=None,
            pad_edge=False,
        )
        for column in table["columns"]:
            shown.add_column(column, overflow="fold")
        for row in table["rows"]:
            shown.add_row(*(str(cell) for cell in row))
        console.print()
        console.print(shown)
    for note in payload.get("notes", []):
        console.print(note, style="yellow", markup=False)
    for key, why in payload.get("missing", {}).items():
        console.print(f"left out {key}: {why}", style="yellow")
    for path in payload.get("figures", []):
        console.print(f"wrote {path}", style="dim")


def finish(payload: dict[str, Any], as_json: bool, figures: Path | None, names: tuple[str, ...]) -> None:
    if figures is not None:
        from scaling.figures import drawing

        payload["figures"] = [
            str(path)
            for name in names
            for path in drawing.save(drawing.data(name), figures, option="--figures FOLDER")
        ]
    shown = {k: v for k, v in payload.items() if k != "tables"}
    emit(shown, as_json, lambda: tell(payload))
