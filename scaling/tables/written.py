"""Numbers as people write them: 1,234,567 and 2,2406, 22.8M, 1.3 B and 2T.

A comma is a decimal mark or a thousands separator. It is read unasked only where a column's own values leave
one reading: 2,2406 and 0,512 cannot be thousands, 1,234,567 cannot be a decimal. Where every comma has three
digits behind it the column could be either, and is refused until `decimal` says which.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np
import pandas as pd

from scaling.errors import TableError, one_of

MARKS = (".", ",")
"""What may stand before the decimals; the other of the two then groups thousands."""
SUFFIXES = {"k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}
"""What a letter behind a number multiplies it by, in either case: sizes and tokens, where m is a million."""


def _number(mark: str) -> re.Pattern[str]:
    decimal, group = re.escape(mark), re.escape("," if mark == "." else ".")
    whole = rf"(?:[1-9]\d{{0,2}}(?:{group}\d{{3}})+|\d+)"
    return re.compile(
        rf"\s*[+-]?(?:{whole}(?:{decimal}\d*)?|{decimal}\d+)(?:[eE][+-]?\d+)?\s*[kKmMbBgGtT]?\s*"
    )


_NUMBER = {mark: _number(mark) for mark in MARKS}
_SUFFIXED = r"^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([kKmMbBgGtT])\s*$"


def floats(values: pd.Series) -> pd.Series:
    """Return the numbers of a column, suffixes multiplied out; not a number where a value is none."""
    found = pd.to_numeric(values, errors="coerce")
    worded = found.isna() & values.notna()
    if worded.any():
        parts = values[worded].astype(str).str.extract(_SUFFIXED)
        found = found.astype(np.float64)
        found[worded] = parts[0].astype(np.float64) * parts[1].str.lower().map(SUFFIXES)
    return found


def either(text: str) -> bool:
    """Return whether a text is a number under both readings of its comma."""
    return "," in text and all(pattern.fullmatch(text) for pattern in _NUMBER.values())


def comma(values: pd.Series) -> bool:
    """Return whether a column holds text and the first of it is a number with a comma."""
    texts = _texts(values).head(1)
    return any("," in text and any(p.fullmatch(text) for p in _NUMBER.values()) for text in texts)


def spelled(
    frame: pd.DataFrame, raw: pd.DataFrame, decimal: str | None, path: str, text: Collection[str] = ()
) -> tuple[pd.DataFrame, list[str]]:
    """Return a frame whose commas are read, and a sentence for every column in which one was.

    `raw` holds the same columns as text where there was any; columns of `text` stay as they are. Raises
    TableError where one column has decimal commas and another points that could group thousands, unless
    `decimal` says what they are.
    """
    if decimal is not None and decimal not in MARKS:
        raise TableError(one_of("--decimal", decimal, MARKS))
    notes, pointed, decimal_commas = [], [], []
    read = {}
    for column in frame.columns:
        if column in text:
            continue
        texts = _texts(raw[column])
        if not texts.str.contains(r"[.,]").any():
            continue
        marks = [mark for mark in MARKS if texts.str.fullmatch(_NUMBER[mark].pattern).all()]
        if decimal is not None:
            marks = [mark for mark in marks if mark == decimal]
        commas = bool(texts.str.contains(",", regex=False).any())
        if marks and not (commas and "," in marks):
            pointed.append(column)
        if len(marks) != 1 or (marks == ["."] and not commas):
            continue
        (mark,) = marks
        if mark == ",":
            decimal_commas.append(column)
        if commas:
            what = "decimal commas" if mark == "," else "thousands separators"
            notes.append(f"the commas in {column!r} are read as {what} ({texts.iloc[0]!r})")
        read[column] = _plain(raw[column], mark)
    if decimal is None and decimal_commas and pointed:
        raise TableError(
            f"{path} writes {decimal_commas[0]!r} with decimal commas and {pointed[0]!r} with points, which "
            "may then be decimals or thousands; say which mark stands before decimals with --decimal , or "
            "--decimal ."
        )
    return frame.assign(**read), notes


def _texts(values: pd.Series) -> pd.Series:
    """The values that are text, where the first is no word: a column of names costs one look."""
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values):
        return pd.Series(dtype=str)
    kept = values.dropna()
    first = kept.head(1)
    if not all(isinstance(v, str) and any(p.fullmatch(v) for p in _NUMBER.values()) for v in first):
        return pd.Series(dtype=str)
    return kept.astype(str)


def _plain(values: pd.Series, mark: str) -> pd.Series:
    group = "," if mark == "." else "."
    plain = values.str.replace(group, "", regex=False).str.replace(mark, ".", regex=False)
    numbers = pd.to_numeric(plain, errors="coerce")
    return numbers if numbers.isna().equals(plain.isna()) else plain
