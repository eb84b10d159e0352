"""Define one verb for each question on the facts; without a question, print every growth trend."""

from __future__ import annotations

from pathlib import Path

import typer

from scaling.cli.trends import FOLDER, JSON, LEVEL, finish, trends
from scaling.trends.answers.questions import QUESTIONS, Question


@trends.callback()
def hero(
    context: typer.Context,
    as_json: bool = JSON,
    level: float | None = LEVEL,
    figures: Path | None = typer.Option(None, help="Folder for figure F1. Default: results/figures."),
    no_figure: bool = typer.Option(False, "--no-figure", help="Print only the table."),
) -> None:
    """Print every growth trend of the facts and draw the growth figure.

    The table has growth per year, doubling time, interval, n, window and verdict.
    """
    if context.invoked_subcommand is not None:
        return
    from scaling.folders import results
    from scaling.trends.answers.hero import hero as answer

    payload = answer(level=0.9 if level is None else level)
    folder = None if no_figure else figures or results() / "figures"
    finish(payload, as_json, folder, ("growth",))


def _question(question: Question) -> None:
    """Register a question as a command with only the shared options."""

    def ask(as_json: bool = JSON, level: float | None = LEVEL, figures: Path | None = FOLDER) -> None:
        payload = question() if level is None else question(level=level)
        finish(payload, as_json, figures, question.figures)

    trends.command(question.name, help=question.help)(ask)


OWN_OPTIONS = ("exchange", "costs", "project")
"""Questions with more options, whose commands are defined in other files."""

for _name, _one in QUESTIONS.items():
    if _name not in OWN_OPTIONS:
        _question(_one)
