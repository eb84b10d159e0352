"""The questions that the shipped facts answer, and without a question every growth line."""

from __future__ import annotations

from pathlib import Path

import typer

from scaling.cli.trends import FOLDER, JSON, LEVEL, finish, trends


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


FIGURES: dict[str, tuple[str, ...]] = {
    "Q1": ("growth",),
    "Q2": ("compute",),
    "Q3": ("doubling",),
    "Q7": ("hardware",),
    "Q8": ("costs",),
    "Q9": ("costs",),
    "eras": ("compute",),
    "accounting": ("decomposition",),
    "algorithms": ("decomposition",),
    "hardware": ("hardware",),
    "costs": ("costs",),
    "horizons": ("forest",),
    "multiverse": ("multiverse",),
    "claims": (),
    "methods": ("forest",),
    "exchange": ("exchange",),
}
"""The figures that belong to a question."""


def _question(name: str, words: str) -> None:
    """Hangs one question on the command."""

    def ask(as_json: bool = JSON, level: float | None = LEVEL, figures: Path | None = FOLDER) -> None:
        from scaling.trends.answers.questions import question

        payload = question(name)() if level is None else question(name)(level=level)
        finish(payload, as_json, figures, FIGURES[name])

    trends.command(name, help=words)(ask)


for _name, _words in {
    "Q1": "Moore's law for language models: compute, data, algorithms.",
    "Q2": "Does compute rise exponentially? Shapes, by hindcast.",
    "Q3": "Does performance grow exponentially with parameters?",
    "Q7": "Has Moore's law ended? Hardware against software.",
    "Q8": "Does compute keep getting cheaper?",
    "Q9": "Are cost and energy the barrier?",
    "eras": "Break years of training compute, and how many are real.",
    "accounting": "Compute = chips × FLOP/s per chip × time × utilisation.",
    "algorithms": "Algorithmic progress, and who earned it.",
    "hardware": "Peaks per number format, memory, power, price.",
    "horizons": "Task horizons.",
    "multiverse": "Every filter, window and estimator.",
    "claims": "The claims of the essays, and the commands that answer them.",
    "methods": "One slope, every interval method.",
}.items():
    _question(_name, _words)
