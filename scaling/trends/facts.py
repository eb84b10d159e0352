"""The facts that the project ships: `facts/NAME.csv`, typed by hand from primary sources, one source in every
row.

How to add a row: open `facts/NAME.csv`, keep the header as it is, leave unknown cells empty, write
numbers as 3.14e23 (no thousands separators, no units), dates as 2012-06-14, 2012-06 or 2012 (a month
or a year alone is an interval and is carried as an error), several organisations or sources joined by
' ; ', and a source that a reader can open: `arXiv:2203.15556`, `doi:10.1109/…` or an https address.
Where a value is uncertain fill its low and high. Quote a cell that holds a comma. Then

    python -m scaling.trends.facts            checks every table, rewrites facts/README.md and
    facts/SOURCES.md

Which columns each table has, with units and allowed words, stands in facts/README.md, which is
generated from `tables.csv` and `columns.csv`.
"""

from __future__ import annotations

import csv
import math
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from scaling.errors import TableError, one_of
from scaling.trends import dates
from scaling.trends.schema import Column, Table
from scaling.trends.tables import TABLES

FOLDER = Path(__file__).parent / "facts"
_SOURCE = re.compile(
    r"^(arXiv:\d{4}\.\d{4,5}(v\d+)?|arXiv:[a-z\-.]+/\d{7}|doi:10\.\S+|https?://\S+|essay \S+|isbn:[\dX-]+)$",
    re.I,
)


def load(name: str) -> pd.DataFrame:
    """One shipped fact table, checked: numbers as floats (NaN where empty), each date with `<date>_year` and
    `<date>_sigma` (decimal years).

    Raises `TableError` naming the file, the line, the value and what is allowed.
    """
    if name not in TABLES:
        raise TableError(one_of("fact table", name, TABLES))
    return _shipped(name).copy()


def claim(id: str) -> str:
    """Return what the essays claim, in a sentence, by its id: Q1 … Q14."""
    return str(load("claims").set_index("id").loc[id, "claim"])


@cache
def _shipped(name: str) -> pd.DataFrame:
    return read(FOLDER / f"{name}.csv", TABLES[name])


def read(path: Path, table: Table) -> pd.DataFrame:
    """Reads and checks one CSV against its table. Line numbers in messages count the header as line 1."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = [(number, row) for number, row in enumerate(csv.reader(file), start=1) if row]
    except FileNotFoundError:
        raise TableError(f"there is no fact table {str(path)!r}; the shipped ones lie in {FOLDER}") from None
    header = [c.name for c in table.columns]
    if not lines or lines[0][1] != header:
        found = lines[0][1] if lines else []
        wrong = sorted(set(found) ^ set(header)) or found
        raise TableError(
            f"{path.name}: the header must be exactly {','.join(header)}; look at "
            f"{', '.join(map(repr, wrong))}"
        )
    rows: list[dict[str, object]] = []
    seen: dict[tuple[str, ...], int] = {}
    for number, cells in lines[1:]:
        where = f"{path.name} line {number}"
        if len(cells) != len(header):
            raise TableError(
                f"{where}: {len(cells)} cells where the header has {len(header)}; quote a cell that holds "
                "a comma"
            )
        row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
        rows.append(_row(row, table, where))
        key = tuple(row[k].lower() for k in table.key)
        if key in seen:
            raise TableError(
                f"{where}: {' / '.join(key)} already stands on line {seen[key]}; remove one of the two rows"
            )
        seen[key] = number
    frame = pd.DataFrame(rows)
    if frame.empty:
        raise TableError(f"{path.name} has a header and no rows; add at least one")
    return frame


def _row(row: dict[str, str], table: Table, where: str) -> dict[str, object]:
    out: dict[str, Any] = {}
    for column in table.columns:
        text = row[column.name]
        if not text and column.required:
            what = (
                "every fact needs a source that a reader can open"
                if column.name == "source"
                else "this column is required"
            )
            raise TableError(f"{where}: {column.name!r} is empty; {what}")
        out[column.name] = _cell(text, column, where)
        if column.kind == "date":
            when = dates.parse(text) if text else None
            out[f"{column.name}_year"] = when.middle if when else math.nan
            out[f"{column.name}_sigma"] = when.sigma if when else math.nan
    for low, value, high in table.ranges:
        a, b, c = (out[k] for k in (low, value, high))
        if a > b or b > c or a > c:  # comparisons with NaN are false, so empty cells pass
            raise TableError(f"{where}: {low} {a:g}, {value} {b:g}, {high} {c:g} must be in rising order")
    return out


def _cell(text: str, column: Column, where: str) -> object:
    if column.kind in {"positive", "fraction", "number"}:
        if not text:
            return math.nan
        try:
            number = float(text)
        except ValueError:
            raise TableError(
                f"{where}: {column.name} {text!r} is not a number; write it like 3.14e23, in "
                f"{column.unit or '1'}"
            ) from None
        if not math.isfinite(number) or (column.kind != "number" and number <= 0):
            raise TableError(
                f"{where}: {column.name} is {text}; it must be above 0 ({column.unit or '1'}), or empty "
                "when unknown"
            )
        if column.kind == "fraction" and number > 1:
            raise TableError(f"{where}: {column.name} is {text}; it must lie in (0, 1]: write 40 % as 0.4")
        return number
    if column.kind == "date" and text:
        try:
            dates.parse(text)
        except TableError as error:
            raise TableError(f"{where}: {error}") from None
    if column.kind == "choice" and text and text not in column.choices:
        raise TableError(f"{where}: {one_of(column.name, text, column.choices)}")
    if column.name == "source":
        for part in text.split(" ; "):
            if not _SOURCE.match(part.strip()):
                raise TableError(
                    f"{where}: the source {part!r} cannot be opened; write arXiv:2203.15556, doi:10.…, "
                    "isbn:… or an https address, "
                    "several joined by ' ; '"
                )
    return text


def describe() -> str:
    """facts/README.md: every table and column, generated from the schema."""
    lines = [
        "# The fact tables",
        "",
        "Generated by `python -m scaling.trends.facts` from `tables.csv` and `columns.csv`. Every row was "
        "typed from its primary source;",
        "no row was copied out of another database. `*` marks a column that must be filled.",
    ]
    for table in TABLES.values():
        lines += [
            "",
            f"## {table.name}.csv",
            f"{table.meaning[0].upper()}{table.meaning[1:]}. Unique: {', '.join(table.key)}.",
            "",
        ]
        lines += ["| column | kind | unit | meaning |", "|---|---|---|---|"]
        for c in table.columns:
            allowed = f"; one of {', '.join(c.choices)}" if c.choices else ""
            lines.append(
                f"| {c.name}{'*' if c.required else ''} | {c.kind} | {c.unit} | {c.meaning}{allowed} |"
            )
    return "\n".join(lines) + "\n"


def sources() -> str:
    """facts/SOURCES.md: every source once, with the facts that rest on it."""
    used: dict[str, list[str]] = {}
    for name, table in TABLES.items():
        if not (FOLDER / f"{name}.csv").exists():
            continue
        for _, row in load(name).iterrows():
            label = row[next(k for k in table.key if k in {"name", "id", "item"})]
            for part in str(row["source"]).split(" ; "):
                used.setdefault(part.strip(), []).append(f"{name}: {label}")
    lines = [
        "# Sources of the facts",
        "",
        f"Generated by `python -m scaling.trends.facts`. {len(used)} sources.",
        "",
        "| source | facts |",
        "|---|---|",
    ]
    for source in sorted(used, key=str.lower):
        if source.lower().startswith("arxiv:"):
            shown = f"[{source}](https://arxiv.org/abs/{source[6:]})"
        elif source.startswith("doi:"):
            shown = f"[{source}](https://doi.org/{source[4:]})"
        else:
            shown = f"<{source}>" if source.startswith("http") else source
        lines.append(f"| {shown} | {'; '.join(dict.fromkeys(used[source]))} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Checks every table and rewrites README.md and SOURCES.md beside them."""
    bad = 0
    for name, table in TABLES.items():
        try:
            sys.stdout.write(f"{name}: {len(read(FOLDER / f'{name}.csv', table))} rows\n")
        except TableError as error:
            bad += 1
            sys.stdout.write(f"{name}: {error}\n")
    (FOLDER / "README.md").write_text(describe(), encoding="utf-8")
    if not bad:
        (FOLDER / "SOURCES.md").write_text(sources(), encoding="utf-8")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
