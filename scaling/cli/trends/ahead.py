"""Define `scaling trends project`, which projects the loss over time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from scaling.cli.numbers import AMOUNT, SHARE, YEAR
from scaling.cli.trends import FOLDER, JSON, LEVEL, finish, trends
from scaling.trends.answers.questions import QUESTIONS

QUESTION = QUESTIONS["project"]


@trends.command(
    help=f"{QUESTION.help}\n\nGive three projections (by the law, the trend and both), with the irreducible "
    "loss, the limit of data and the date of each threshold."
)
def project(
    law: Path = typer.Option(None, help="Your own fit.json. Default: a published law."),
    until: float = typer.Option(2035.0, callback=YEAR, help="Last year."),
    threshold: list[float] = typer.Option(
        None, callback=AMOUNT, help="A loss whose date is projected; repeatable."
    ),
    runs: str = typer.Option(
        None, help="A table or sweep whose smallest runs are fitted to predict the others."
    ),
    column: list[str] = typer.Option(None, help="LETTER=COLUMN of --runs, such as N=params; repeatable."),
    share: float = typer.Option(
        0.5, callback=SHARE, help="Fraction of the runs that are fitted as the smallest."
    ),
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
        for pair in column or ():
            if "=" not in pair:
                raise ConfigError(
                    f"--column {pair!r} is not LETTER=COLUMN; write for example --column N=params"
                )
        columns = dict(pair.split("=", 1) for pair in column or ())
        options["hindcast"] = {"source": runs, "columns": columns or None, "share": share}
    finish(QUESTION(level=at, **options), as_json, figures, QUESTION.figures)
