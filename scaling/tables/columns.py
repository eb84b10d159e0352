"""Select rows and numbers of a table, with an error that names the first unusable value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from scaling.errors import TableError
from scaling.tables.expression import evaluate, short
from scaling.tables.written import either, floats


def kept(frame: pd.DataFrame, where: str | None) -> pd.DataFrame:
    """Return the rows for which the expression `where` is true; all if it is None. Raises TableError."""
    if not where:
        return frame
    mask = evaluate(where, frame)
    if not (isinstance(mask, pd.Series) and pd.api.types.is_bool_dtype(mask)):
        raise TableError(
            f"--where {short(where)} is not true or false for each row; write a comparison, such as "
            '"loss < 4"'
        )
    selected = pd.DataFrame(frame[mask])
    if selected.empty:
        raise TableError(f"--where {short(where)} keeps none of {len(frame)} rows; write a weaker condition")
    return selected


def cells(text: str, what: str, frame: pd.DataFrame) -> pd.Series:
    """Return the raw values of a column or expression; errors call it `what`. Raises TableError."""
    raw = evaluate(text, frame)
    if not isinstance(raw, pd.Series):
        raise TableError(
            f"{what} = {short(text)} is one number for all rows; give a column or an expression of columns"
        )
    return raw


def column(text: str, what: str, frame: pd.DataFrame, *, positive: bool = False) -> pd.Series:
    """Return the numbers of a column or expression, NaN in rows without a value.

    Errors call the column `what`. Raises TableError for text, true or false, constants and infinite values,
    and with `positive` for values that are not above zero.
    """
    raw = cells(text, what, frame)
    if pd.api.types.is_bool_dtype(raw):
        raise TableError(
            f"column {short(text)} ({what}) is true or false; give a column of numbers (conditions go to "
            "--where)"
        )
    found = floats(raw)
    worded = found.isna() & raw.notna()
    if worded.any():
        row = int(np.flatnonzero(worded)[0])
        word = str(raw.iloc[row])
        if either(word):
            raise TableError(
                f"column {short(text)} ({what}) holds {short(word)} in row {row + 1}, whose comma may be a "
                "decimal mark or a thousands separator; choose --decimal , (decimal mark) or "
                "--decimal . (thousands)"
            )
        raise TableError(
            f"column {short(text)} ({what}) holds the text {short(word)} in row {row + 1}; it must hold "
            "numbers, such as 1300000000, 1.3e9 or 1.3B; correct it, or leave the row out with --where"
        )
    _refuse(np.isinf(found), "an infinite value", text, what)
    low = np.flatnonzero(found <= 0)
    if positive and len(low):
        raise TableError(
            f"column {short(text)} ({what}) is {found.iloc[low[0]]:g} in row {low[0] + 1}; it must be above "
            "zero; correct it, or leave the row out with --where"
        )
    return found


def numbers(text: str, what: str, frame: pd.DataFrame, positive: bool = True) -> np.ndarray[Any, Any]:
    """Return the numbers (n,) of a column or expression, which must have a value in every row.

    Raises TableError as `column` does, and for a row without a value.
    """
    values = np.asarray(column(text, what, frame, positive=positive), dtype=np.float64)
    _refuse(np.isnan(values), "no value", text, what)
    return values


def _refuse(bad: Any, value: str, text: str, what: str) -> None:
    rows = np.flatnonzero(bad)
    if len(rows):
        raise TableError(
            f"column {short(text)} ({what}) has {value} in {len(rows)} of {len(bad)} rows, "
            f"first in row {rows[0] + 1}; correct them, or leave the rows out with --where"
        )
