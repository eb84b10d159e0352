"""Load the schema of the fact tables: `tables.csv` lists the tables, `columns.csv` their columns in order."""

from __future__ import annotations

import csv
from pathlib import Path

from scaling.trends.schema import Column, Table

_FOLDER = Path(__file__).parent


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV as text by column."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _column(row: dict[str, str]) -> Column:
    return Column(
        name=row["column"],
        kind=row["kind"],
        unit=row["unit"],
        required=row["required"] == "yes",
        choices=tuple(row["choices"].split()),
        meaning=row["meaning"],
    )


def _ranges(text: str) -> tuple[tuple[str, str, str], ...]:
    """Return the (low, value, high) columns of `a b c ; d e f`."""
    triples = (part.split() for part in text.split(";") if part)
    return tuple((low, value, high) for low, value, high in triples)


_COLUMNS = rows(_FOLDER / "columns.csv")
TABLES: dict[str, Table] = {
    row["table"]: Table(
        name=row["table"],
        meaning=row["meaning"],
        key=tuple(row["key"].split()),
        columns=tuple(_column(column) for column in _COLUMNS if column["table"] == row["table"]),
        ranges=_ranges(row["ranges"]),
    )
    for row in rows(_FOLDER / "tables.csv")
}
"""Every fact table by name."""

FORMATS = tuple(
    column.name.removeprefix("flops_")
    for column in TABLES["accelerators"].columns
    if column.name.startswith("flops_")
)
"""Number formats that have a column of peaks in `accelerators.csv`."""
