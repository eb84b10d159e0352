"""Load a file of runs as a DataFrame: CSV, TSV, JSON, JSON Lines or Parquet, compressed or not."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import json
import lzma
import re
import warnings
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pandas as pd

from scaling.errors import TableError, one_of
from scaling.tables import ledger
from scaling.tables.written import comma, spelled

_SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}
"""Separator by file ending, used if the header line contains several separators or none."""
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_LINES, _ARRAYS, _PARQUETS = (".jsonl", ".ndjson"), (".json",), (".parquet", ".pq")
_PACKED: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
}
ENDINGS = (*_SEPARATORS, *_ARRAYS, *_LINES, *_PARQUETS)
"""Endings of files that can be read, each also followed by .gz, .bz2 or .xz."""


def load(
    path: Path, content: bytes, decimal: str | None = None, text: Collection[str] = ()
) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows of a file as a DataFrame, and notes on how they were read.

    `decimal` is the decimal mark, "." or ",". If it is None, commas are read as numbers only in columns whose
    values allow one reading. Columns of `text` stay text. Raises TableError.
    """
    kind = path.suffix.lower()
    unpack = _PACKED.get(kind)
    kind = Path(path.stem).suffix.lower() if unpack else kind
    if kind not in ENDINGS:
        raise TableError(one_of(f"the ending of {path.name}", kind, ENDINGS))
    notes: list[str] = []
    try:
        content = unpack(content) if unpack else content
        if kind in _PARQUETS:
            frame = raw = ledger.frame(path, content)
        elif kind in _SEPARATORS:
            frame, raw, notes = _separated(path, _decoded(path, content), _SEPARATORS[kind], decimal, text)
        else:
            frame = raw = _json(path, _decoded(path, content), lines=kind in _LINES)
    except pd.errors.EmptyDataError:
        raise TableError(f"{path} is empty; give a table with a header line and at least one run") from None
    except (ValueError, OSError, EOFError, lzma.LZMAError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TableError(f"{path} cannot be read as {kind[1:]} ({first}); save it again as a table") from None
    if frame.empty:
        raise TableError(f"{path} has no rows; give a table with at least one run")
    frame, commas = spelled(frame, raw, decimal, str(path), text)
    return frame, notes + commas


def _decoded(path: Path, content: bytes) -> str:
    """Return the content as text, decoded from UTF-16 if it has a byte-order mark of UTF-16, else UTF-8."""
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableError(
            f"{path} is not {'UTF-16' if wide else 'UTF-8'} text (byte {content[error.start]:#04x} cannot be "
            "read); save it as UTF-8"
        ) from None
    if "\0" in text:
        raise TableError(f"{path} contains zero bytes and is not text; save it as UTF-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _json(path: Path, text: str, *, lines: bool) -> pd.DataFrame:
    """Return the rows of JSON Lines, of an array of objects, or of one object of columns."""
    found: Any = (
        [json.loads(line) for line in text.splitlines() if line.strip()] if lines else json.loads(text)
    )
    rows = isinstance(found, list) and all(isinstance(row, dict) for row in found)
    columns = isinstance(found, dict) and all(isinstance(values, list) for values in found.values())
    if not (rows or columns):
        raise TableError(
            f"{path} is JSON but not a table; write a list of objects, one per run, or one object of columns"
        )
    return pd.DataFrame(found)


def _separated(
    path: Path, text: str, usual: str, decimal: str | None, as_written: Collection[str]
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Return the DataFrame, the same cells as text if commas must be interpreted, and notes."""
    mark, text = _marked(text)
    heading, text = _headed(text)
    mark = mark or _mark(heading, usual)
    notes = _twice(heading, mark)
    frame = _cells(path, text, mark)
    if len(frame.columns) == 1 and mark not in heading and " " in heading.strip():
        raise TableError(
            f"{path} has only the column {heading.strip()!r}; separate the columns by {_NAMES[usual]}s, "
            "semicolons, tabs or bars"
        )
    raw = frame
    kept = [column for column in frame.columns if column in as_written]
    if kept or decimal == "," or any(comma(frame[column]) for column in frame.columns):
        raw = _cells(path, text, mark, dtype=str)
        frame = frame.assign(**{column: raw[column] for column in kept})
    blank = frame.isna().all(axis=1)
    if blank.any() and not blank.all():
        notes.append(f"{int(blank.sum())} of {len(frame)} rows are blank and are left out")
        frame, raw = (part[~blank].reset_index(drop=True) for part in (frame, raw))
    again = (frame.astype(str) == list(frame.columns)).all(axis=1)
    if again.any():
        notes.append(f"the line of names stands {int(again.sum())} times more among the rows and is left out")
        raw = raw[~again].reset_index(drop=True)
        frame = frame[~again].reset_index(drop=True)
        numbers = frame.apply(pd.to_numeric, errors="coerce")
        same = [c for c in frame.columns if c not in kept and numbers[c].isna().equals(frame[c].isna())]
        frame = frame.assign(**{column: numbers[column] for column in same})
    return frame, raw, notes


def _marked(text: str) -> tuple[str | None, str]:
    """Return the separator of a first line `sep=;`, as spreadsheets write it, and the text after it."""
    line = re.match(r'\s*"?sep=(.)"?[,;\t|]*\n', text, flags=re.IGNORECASE)
    return (line.group(1), text[line.end() :]) if line else (None, text)


def _headed(text: str) -> tuple[str, str]:
    """Return the header line and the text from it on, without blank lines and comments before it.

    A comment followed by a line with the same number of numbers is itself the header.
    """
    while True:
        line, _, rest = text.partition("\n")
        if line.strip() and not line.startswith("#"):
            return line, text
        if line.startswith("#"):
            names, following = line.lstrip("# "), rest.partition("\n")[0]
            mark = _mark(following, ",")
            cells = next(csv.reader([following], delimiter=mark), [])
            if len(names.split(mark)) == len(cells) > 1 and all(map(_numeral, cells)):
                return names, f"{names}\n{rest}"
        if not rest:
            return line, text
        text = rest


def _numeral(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _mark(heading: str, usual: str) -> str:
    """Return the only separator in a line outside quotes, or `usual` if there are several or none."""
    bare = re.sub(r'"[^"]*"', "", heading)
    held = [mark for mark in _NAMES if mark in bare]
    return held[0] if len(held) == 1 else usual


def _twice(heading: str, mark: str) -> list[str]:
    names = [name.strip() for name in next(csv.reader([heading], delimiter=mark, skipinitialspace=True), [])]
    more = sorted({name for name in names if name and names.count(name) > 1})
    return [f"{name!r} is the name of {names.count(name)} columns; the first is taken" for name in more]


def _cells(path: Path, text: str, mark: str, **options: Any) -> pd.DataFrame:
    """Return the text as a DataFrame. Raises TableError if a row is longer than the header."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame: pd.DataFrame = pd.read_csv(
                io.StringIO(text), sep=mark, skipinitialspace=True, index_col=False, **options
            )
    except pd.errors.ParserWarning:
        names = text.partition("\n")[0].split(mark)
        raise TableError(
            f"{path} has rows with more values than its {len(names)} names; give every column a name"
        ) from None
    frame.columns = pd.Index([str(column).strip() for column in frame.columns])
    return frame
