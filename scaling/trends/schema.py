"""Define the schema of a fact table: columns with kind, unit and meaning."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a fact table."""

    name: str
    """Header of the column in the CSV."""
    kind: str
    """`text`, `date` (day, month or year), `positive` (a number above 0), `fraction` (in (0, 1]), `number`,
    or `choice`."""
    meaning: str
    """Meaning of the column in words."""
    unit: str = ""
    """Unit of a number."""
    required: bool = False
    """Whether a row without a value is an error."""
    choices: tuple[str, ...] = ()
    """Allowed words of a `choice` column."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """One fact table."""

    name: str
    """Name of the file without `.csv`."""
    meaning: str
    """Meaning of one row."""
    key: tuple[str, ...]
    """Columns whose combined values are unique."""
    columns: tuple[Column, ...]
    """Columns in the order of the header."""
    ranges: tuple[tuple[str, str, str], ...] = ()
    """(low, value, high) columns, whose values must be in rising order where filled."""

    def column(self, name: str) -> Column:
        """Return the column of this name. Raises `KeyError` when there is none."""
        return {c.name: c for c in self.columns}[name]


def text(name: str, meaning: str, required: bool = False) -> Column:
    """Return a column of text."""
    return Column(name=name, kind="text", meaning=meaning, required=required)


def date(meaning: str, name: str = "date", required: bool = True) -> Column:
    """Return a column of dates: day, month or year."""
    return Column(name=name, kind="date", meaning=meaning, required=required)


def positive(name: str, unit: str, meaning: str, required: bool = False) -> Column:
    """Return a column of numbers above 0."""
    return Column(name=name, kind="positive", unit=unit, meaning=meaning, required=required)


def fraction(name: str, meaning: str, required: bool = False) -> Column:
    """Return a column of numbers in (0, 1]."""
    return Column(name=name, kind="fraction", unit="1", meaning=meaning, required=required)


def choice(name: str, choices: str, meaning: str, required: bool = False) -> Column:
    """Return a column that allows the words of `choices`, separated by spaces."""
    return Column(
        name=name, kind="choice", choices=tuple(choices.split()), meaning=meaning, required=required
    )
