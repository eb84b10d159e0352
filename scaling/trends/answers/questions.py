"""Load `questions.csv`: each question with its help, the function that answers it, and its figures."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from scaling.errors import ConfigError, one_of
from scaling.trends.tables import rows


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question that the shipped facts answer."""

    name: str
    """What `scaling trends` calls it."""
    help: str
    """One line for the command's help."""
    answer: str
    """The function that answers it: `module.function` below `scaling.trends.answers`."""
    figures: tuple[str, ...]
    """The figures that belong to it, by their names in the catalogue."""

    def __call__(self, **options: Any) -> dict[str, Any]:
        """Return the answer as plain data; the options go to the function that answers."""
        module, _, function = self.answer.partition(".")
        payload: dict[str, Any] = getattr(import_module(f"scaling.trends.answers.{module}"), function)(
            **options
        )
        return payload


QUESTIONS: dict[str, Question] = {
    row["name"]: Question(
        name=row["name"], help=row["help"], answer=row["answer"], figures=tuple(row["figures"].split())
    )
    for row in rows(Path(__file__).with_suffix(".csv"))
}
"""Every question by name, in the order in which the command lists them."""


def question(name: str) -> Question:
    """Return a question by name, in any case. Raises ConfigError with the nearest names."""
    known = {key.lower(): value for key, value in QUESTIONS.items()}
    if name.lower() not in known:
        raise ConfigError(one_of("question", name, QUESTIONS))
    return known[name.lower()]
