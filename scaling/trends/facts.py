"""Read and check the shipped facts: `facts/NAME.csv`, typed from primary sources, with a source in every row.

To add a row to `facts/NAME.csv`:
- keep the header and leave unknown cells empty;
- write numbers as 3.14e23, without thousands separators or units;
- write dates as 2012-06-14, 2012-06 or 2012 (a month or a year is an interval and carried as an error);
- join several organisations or sources by ' ; ';
- give a source that a reader can open: `arXiv:2203.15556`, `doi:10.1109/…` or an https address;
- fill low and high where a value is uncertain;
- quote a cell that contains a comma.
Then check every table and rewrite facts/README.md and facts/SOURCES.md with

    python -m scaling.trends.facts

facts/README.md, generated from `tables.csv` and `columns.csv`, lists the columns with units and allowed
words.
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
    """Return one shipped fact table, checked.

    Numbers are floats, NaN where empty; each date has `<date>_year` and `<date>_sigma` (decimal years).
    Raises `TableError` with the file, the line, the value and what is allowed.
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
    """Read one CSV and check it against its table. In errors the header is line 1."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = [(number, row) for number, row in enumerate(csv.reader(file), start=1) if row]
    except FileNotFoundError:
        raise TableError(
            f"there is no fact table {str(path)!r}; the shipped tables are in {FOLDER}"
        ) from None
    header = [c.name for c in table.columns]
    if not lines or lines[0][1] != header:
        present = lines[0][1] if lines else []
        wrong = sorted(set(present) ^ set(header)) or present
        raise TableError(
            f"{path.name}: the header must be exactly {','.join(header)}; missing or unknown: "
            f"{', '.join(map(repr, wrong))}"
        )
    rows: list[dict[str, object]] = []
    seen: dict[tuple[str, ...], int] = {}
    for number, cells in lines[1:]:
        where = f"{path.name} line {number}"
        if len(cells) != len(header):
            raise TableError(
                f"{where}: {len(cells)} cells where the header has {len(header)}; quote a cell that contains "
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
    """Return the text of facts/README.md: every table and column of the schema."""
    lines = [
        "# The fact tables",
        "",
        "Generated by `python -m scaling.trends.facts` from `tables.csv` and `columns.csv`. Every row was "
        "typed from its primary source;",
        "no row was copied from another database. `*` marks a required column.",
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
    """Return the text of facts/SOURCES.md: every source with the facts taken from it."""
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
    """Check every table and rewrite README.md and SOURCES.md beside them."""
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
