"""The questions that the shipped facts answer, and without a question every growth line."""

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
    figures: Path | None = typer.Option(None, help="Where F1 goes; by default results/figures."),
    no_figure: bool = typer.Option(False, "--no-figure", help="Print the table only."),
) -> None:
    """Every growth line of the shipped facts: growth a year, doubling time, interval, n, window, verdict; and
    F1."""
    if context.invoked_subcommand is not None:
        return
    from scaling.folders import results
    from scaling.trends.answers.hero import hero as answer

    payload = answer(level=0.9 if level is None else level)
    folder = None if no_figure else figures or results() / "figures"
    finish(payload, as_json, folder, ("growth",))


def _question(question: Question) -> None:
    """Make a question a command that takes no options of its own."""

    def ask(as_json: bool = JSON, level: float | None = LEVEL, figures: Path | None = FOLDER) -> None:
        payload = question() if level is None else question(level=level)
        finish(payload, as_json, figures, question.figures)

    trends.command(question.name, help=question.help)(ask)


OWN_OPTIONS = ("exchange", "costs", "project")
"""Questions whose commands stand in files of their own, since they take more options."""

for _name, _one in QUESTIONS.items():
    if _name not in OWN_OPTIONS:
        _question(_one)
