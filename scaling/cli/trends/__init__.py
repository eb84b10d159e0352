"""`scaling trends`: doubling times, eras, hindcasts, exchange rates, projections; on the shipped facts or on
anybody's table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from scaling.cli import app, emit


class _Questions(TyperGroup):
    """Questions are found whatever their case, and an unknown one gets a sentence that names the nearest."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        known = {name.lower(): name for name in self.commands}
        if cmd_name.lower() not in known:
            from scaling.errors import ConfigError, one_of

            raise ConfigError(one_of("question of `scaling trends`", cmd_name, self.commands))
        return super().get_command(ctx, known[cmd_name.lower()])


trends = typer.Typer(
    cls=_Questions,
    help="Is there a Moore's law? Growth rates from sourced facts.\n\n"
    "Without a question: every growth line of the shipped facts.",
    invoke_without_command=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(trends, name="trends")

JSON = typer.Option(False, "--json", help="Print JSON for programs.")
LEVEL = typer.Option(
    None,
    "--level",
    min=0.01,
    max=0.999,
    help="Level of the intervals. Default: 0.9; algorithms 0.95.",
)
FOLDER = typer.Option(
    None, "--figures", help="Also draw this question's figures into this folder (SVG, PNG, JSON)."
)


def tell(payload: dict[str, Any]) -> None:
    """An answer for people: the sentence, then its tables."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=150)
    if payload.get("claim"):
        console.print(f"{payload['question']}: {payload['claim']}", style="dim", markup=False)
    console.print(payload["answer"], style="bold", markup=False)
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
            shown.add_row(*(str(cell).replace("[", r"\[") for cell in row))
        console.print()
        console.print(shown)
    for key, why in payload.get("missing", {}).items():
        console.print(f"left out {key}: {why}", style="yellow", markup=False)
    for path in payload.get("figures", []):
        console.print(f"wrote {path}", style="dim", markup=False)


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
