"""Read text with separators: CSV, TSV and what spreadsheets and people make of them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator
from typing import Any

import pandas as pd

from scaling.errors import TableError
from scaling.tables.plain import plain
from scaling.tables.written import comma

_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
csv.field_size_limit(2**31 - 1)  # the usual 131072 characters are fewer than a config or a note may have


def read(
    path: str, text: str, usual: str, decimal: str | None, as_written: Collection[str]
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Return the rows, the same cells as text if commas must be interpreted, and notes.

    `usual` is the separator if the header line contains several separators or none. Columns of `as_written`
    stay text. Raises TableError for a row that has not as many values as the header has names.
    """
    mark, text = _marked(text)
    heading, text = _headed(text)
    mark = mark or _mark(heading, usual)
    names, rows, notes = _rows(path, text, mark)
    if len(names) == 1 and mark not in heading and " " in heading.strip():
        raise TableError(
            f"{path} has only the column {heading.strip()!r}; separate the columns by {_NAMES[usual]}s, "
            "semicolons, tabs or bars"
        )
    frame, repeated = plain(_typed(names, rows), path)
    raw = frame
    kept = [column for column in frame.columns if column in as_written]
    if kept or decimal == "," or any(comma(frame[column]) for column in frame.columns):
        raw = _typed(names, rows, dtype=str)
        raw = raw.loc[:, ~raw.columns.duplicated()]
        frame = frame.assign(**{column: raw[column] for column in kept})
    blank = frame.isna().all(axis=1)
    if blank.any() and not blank.all():
        notes.append(f"{int(blank.sum())} of {len(frame)} rows are blank and are left out")
        frame, raw = (part[~blank].reset_index(drop=True) for part in (frame, raw))
    return frame, raw, repeated + notes


def _typed(names: list[str], rows: list[list[str]], **options: Any) -> pd.DataFrame:
    """Return the cells as a DataFrame, with types that pandas infers from text."""
    written = io.StringIO()
    csv.writer(written).writerows([map(str, range(len(names))), *rows])
    written.seek(0)
    frame: pd.DataFrame = pd.read_csv(written, index_col=False, skip_blank_lines=False, **options)
    frame.columns = pd.Index([name or f"Unnamed: {i}" for i, name in enumerate(names)])
    return frame


def _rows(path: str, text: str, mark: str) -> tuple[list[str], list[list[str]], list[str]]:
    """Return names, rows as long as the names, and notes on lines that are left out."""
    records = _records(path, text, mark)
    names = next(records, [])
    while len(names) > 1 and not names[-1]:
        names.pop()
    rows: list[list[str]] = []
    repeated = 0
    for cells in records:
        while len(cells) > len(names) and not cells[-1]:
            cells.pop()
        if cells == names:
            repeated += 1
        elif not any(cells):
            rows.append([""] * len(names))
        elif 2 <= len(shared := set(names).intersection(cells)) >= len(cells) / 2:
            raise TableError(
                f"row {len(rows) + 1} of {path} holds the names {', '.join(sorted(shared)[:4])} again, but "
                "not as the first line does; put the second table into a file of its own"
            )
        elif len(cells) != len(names):
            raise TableError(
                f"row {len(rows) + 1} of {path} has {len(cells)} values, but there are {len(names)} names; "
                "give every column a name and every row all its values, and write values that contain a "
                f"{_NAMES.get(mark, mark)} in quotes"
            )
        else:
            rows.append(cells)
    notes = []
    if repeated:
        notes.append(f"the line of names stands {repeated} times more among the rows and is left out")
    return names, rows, notes


def _records(path: str, text: str, mark: str) -> Iterator[list[str]]:
    """Yield the cells of each record without spaces around them. Lines that begin with # are comments,
    unless all lines after the names do."""
    all_marked = all(line.startswith("#") for line in text.split("\n")[1:] if line.strip())
    within = False

    def lines() -> Iterator[str]:
        nonlocal within
        for line in io.StringIO(text, newline="\n"):
            if within or all_marked or not line.startswith("#"):
                within = True
                yield line

    number = 0
    try:
        for cells in csv.reader(lines(), delimiter=mark, skipinitialspace=True, strict=True):
            within = False
            if cells:
                yield [cell.strip() for cell in cells]
                number += 1
    except csv.Error as error:
        raise TableError(
            f"{path} cannot be read after row {max(number - 1, 0)} ({error}); close every quote, and write "
            "a quote within quotes twice"
        ) from None


def _marked(text: str) -> tuple[str | None, str]:
    """Return the separator of a first line `sep=;`, as spreadsheets write it, and the text after it."""
    line = re.match(r'\s*"?sep=(.)"?[,;\t|]*\n', text, flags=re.IGNORECASE)
    return (line.group(1), text[line.end() :]) if line else (None, text)


def _headed(text: str) -> tuple[str, str]:
    """Return the header line and the text from it on, without blank lines and comments before it.

    A comment is itself the header if the next line has as many cells, one of them a number.
    """
    while True:
        line, _, rest = text.partition("\n")
        if line.strip() and not line.startswith("#"):
            return line, text
        if line.startswith("#"):
            names, following = line.lstrip("# "), rest.partition("\n")[0]
            mark = _mark(following, ",")
            cells = following.split(mark)
            if len(names.split(mark)) == len(cells) > 1 and any(map(_numeral, cells)):
                return names, f"{names}\n{rest}"
        if not rest:
            return line, text
        text = rest


def _numeral(cell: str) -> bool:
    try:
        float(cell.strip('" '))
    except ValueError:
        return False
    return True


def _mark(heading: str, usual: str) -> str:
    """Return the only separator in a line outside quotes, or `usual` if there are several or none."""
    bare = re.sub(r'"[^"]*"', "", heading)
    held = [mark for mark in _NAMES if mark in bare]
    return held[0] if len(held) == 1 else usual
