"""Loss against the calendar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from scaling.cli.trends import FOLDER, JSON, LEVEL, finish, trends
from scaling.trends.answers.questions import QUESTIONS

QUESTION = QUESTIONS["project"]


@trends.command(
    help=f"{QUESTION.help}\n\nOf the law, the trend and both; with the floor, the data wall and the dates of "
    "thresholds."
)
def project(
    law: Path = typer.Option(None, help="A fit.json of your own; without it a published law."),
    until: float = typer.Option(2035.0, help="Last year."),
    threshold: list[float] = typer.Option(None, help="A loss whose date is asked; may be repeated."),
    runs: str = typer.Option(
        None, help="A table or sweep: the law, fitted to its smallest runs, predicts the others."
    ),
    column: list[str] = typer.Option(
        None, help="A letter and its column in --runs, e.g. N=params; repeatable."
    ),
    share: float = typer.Option(0.5, help="Share of the runs that counts as small."),
    as_json: bool = JSON,
    level: float | None = LEVEL,
    figures: Path | None = FOLDER,
) -> None:
    from scaling.errors import ConfigError

    at = 0.9 if level is None else level
    options: dict[str, Any] = {"fit": law, "until": until}
    if threshold:
        options["thresholds"] = tuple(threshold)
    if runs is not None:
        for word in column or ():
            if "=" not in word:
                raise ConfigError(
                    f"--column {word!r} has no '='; write a letter and its column, as in N=params"
                )
        columns = dict(word.split("=", 1) for word in column or ())
        options["hindcast"] = {"source": runs, "columns": columns or None, "share": share}
    finish(QUESTION(level=at, **options), as_json, figures, QUESTION.figures)
