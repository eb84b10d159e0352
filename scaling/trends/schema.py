"""Define a fact table and its columns; `tables` loads the ones that ship."""

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
