"""Define a fact table and its columns; `tables` loads the ones that ship."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a fact table."""

    name: str
    """Its header in the CSV."""
    kind: str
    """`text`, `date` (day, month or year), `positive` (a number above 0), `fraction` (in (0, 1]), `number`,
    or `choice`."""
    meaning: str
    """What it says, in words."""
    unit: str = ""
    """Unit of a number."""
    required: bool = False
    """Whether a row without it is refused."""
    choices: tuple[str, ...] = ()
    """The words a `choice` column allows."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """One fact table."""

    name: str
    """Name of the file without `.csv`."""
    meaning: str
    """What one row is."""
    key: tuple[str, ...]
    """Columns that together may occur once only."""
    columns: tuple[Column, ...]
    """In the order of the header."""
    ranges: tuple[tuple[str, str, str], ...] = ()
    """(low, value, high) columns, which must be in that order wherever they are filled."""

    def column(self, name: str) -> Column:
        """The column of this name (KeyError when there is none)."""
        return {c.name: c for c in self.columns}[name]
