"""Read numbers written as text, such as 1,234,567, 2,2406, 22.8M, 1.3 B and 2T.

A comma can be a decimal mark or a thousands separator. Without `decimal`, it is read only if the values of
the column allow one reading: the commas of 2,2406 and 0,512 must be decimal marks, those of 1,234,567 must be
thousands separators. If three digits follow every comma, both readings are possible and the column stays
text until `decimal` is given.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from decimal import Decimal

import numpy as np
import pandas as pd

from scaling.errors import TableError, one_of

MARKS = (".", ",")
"""Decimal marks; the other of the two then separates thousands."""
SUFFIXES = {"k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}
"""Factor of each suffix, in upper or lower case; m is a million, as in sizes and tokens."""


def _number(mark: str) -> re.Pattern[str]:
    decimal, group = re.escape(mark), re.escape("," if mark == "." else ".")
    whole = rf"(?:[1-9]\d{{0,2}}(?:{group}\d{{3}})+|\d+)"
    return re.compile(
        rf"\s*[+-]?(?:{whole}(?:{decimal}\d*)?|{decimal}\d+)(?:[eE][+-]?\d+)?\s*[kKmMbBgGtT]?\s*"
    )


_NUMBER = {mark: _number(mark) for mark in MARKS}
_PLAIN = re.compile(
    r"\s*([+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf|infinity))\s*([kmbgt]?)\s*", re.ASCII | re.IGNORECASE
)


def floats(values: pd.Series) -> pd.Series:
    """Return the numbers of a column with suffixes multiplied out, NaN for values that are not numbers."""
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iuf":
        return values
    return pd.Series([_float(value) for value in values.astype(object)], values.index, np.float64)


def _float(value: object) -> float:
    """Return the number that a cell holds, NaN if it holds none; true and false are no numbers."""
    if isinstance(value, str):
        match = _PLAIN.fullmatch(value)
        return float(match[1]) * SUFFIXES.get(match[2].lower(), 1.0) if match else math.nan
    known = isinstance(value, int | float | np.integer | np.floating | Decimal)
    if not known or isinstance(value, bool):
        return math.nan
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        return math.inf
    except ValueError:  # a signalling NaN of decimal
        return math.nan


def either(text: str) -> bool:
    """Return whether a text is a number with its comma as decimal mark and as thousands separator."""
    return "," in text and all(pattern.fullmatch(text) for pattern in _NUMBER.values())


def comma(values: pd.Series) -> bool:
    """Return whether the first text of a column is a number with a comma."""
    texts = _texts(values).head(1)
    return any("," in text and any(p.fullmatch(text) for p in _NUMBER.values()) for text in texts)


def spelled(
    frame: pd.DataFrame, raw: pd.DataFrame, decimal: str | None, path: str, text: Collection[str] = ()
) -> tuple[pd.DataFrame, list[str]]:
    """Return a DataFrame with text columns of numbers converted, and a note for each column with commas.

    `raw` has the same columns as text where the file had text; columns of `text` stay text. Raises TableError
    if one column has decimal commas and another has points that could separate thousands, unless `decimal`
    is given.
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
        if "." in marks and not (commas and "," in marks):
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
            "may be decimal marks or thousands separators; give the decimal mark with --decimal , or "
            "--decimal ."
        )
    return frame.assign(**read), notes


def _texts(values: pd.Series) -> pd.Series:
    """Return the values as text if the first is a number written as text, else an empty Series.

    Only the first value is checked, so that a column of names is skipped quickly.
    """
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
