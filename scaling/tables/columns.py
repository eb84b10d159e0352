"""Take numbers and rows out of a table, or say in a sentence which value stands in the way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from scaling.errors import TableError
from scaling.tables.expression import evaluate
from scaling.tables.written import either, floats


def kept(frame: pd.DataFrame, where: str | None) -> pd.DataFrame:
    """Return the rows for which the expression `where` is true; all without one. Raises TableError."""
    if not where:
        return frame
    mask = evaluate(where, frame)
    if not (isinstance(mask, pd.Series) and pd.api.types.is_bool_dtype(mask)):
        raise TableError(
            f'--where {where!r} is not true or false for each row; compare something, as in "loss < 4"'
        )
    found = pd.DataFrame(frame[mask])
    if found.empty:
        raise TableError(f"--where {where!r} keeps none of {len(frame)} rows; loosen it")
    return found


def cells(text: str, what: str, frame: pd.DataFrame) -> pd.Series:
    """Return a column or expression as it is; `what` says in errors what it stands for. Raises TableError."""
    raw = evaluate(text, frame)
    if not isinstance(raw, pd.Series):
        raise TableError(f"{what} = {text!r} is one number for all rows; name a column that varies")
    return raw


def column(text: str, what: str, frame: pd.DataFrame, *, positive: bool = False) -> pd.Series:
    """Return the numbers of a column or expression, not a number where a row has no value.

    `what` says in errors what the column stands for. Raises TableError for words, conditions, constants and
    infinite values, and with `positive` for values that are not above zero.
    """
    raw = cells(text, what, frame)
    if pd.api.types.is_bool_dtype(raw):
        raise TableError(
            f"column {text!r} ({what}) is true or false; it must hold numbers, and conditions go to --where"
        )
    found = floats(raw)
    worded = found.isna() & raw.notna()
    if worded.any():
        row = int(np.flatnonzero(worded)[0])
        word = str(raw.iloc[row])
        if either(word):
            raise TableError(
                f"column {text!r} ({what}) holds {word!r} in row {row + 1}, whose comma may stand before "
                "decimals or between thousands; say which: --decimal , (decimals) or --decimal . (thousands)"
            )
        raise TableError(
            f"column {text!r} ({what}) holds the text {word!r} in row {row + 1}; it must hold "
            "numbers, such as 1300000000, 1.3e9 or 1.3B; mend it or leave it out with --where"
        )
    _refuse(np.isinf(found), "an infinite value", text, what)
    low = np.flatnonzero(found <= 0)
    if positive and len(low):
        raise TableError(
            f"column {text!r} ({what}) is {found.iloc[low[0]]:g} in row {low[0] + 1}; it must be above zero: "
            f"mend it or leave it out with --where"
        )
    return found


def numbers(text: str, what: str, frame: pd.DataFrame, positive: bool = True) -> np.ndarray[Any, Any]:
    """Return the numbers (n,) of a column or expression, one in every row.

    Raises TableError as `column` does, and for a row without a value.
    """
    values = np.asarray(column(text, what, frame, positive=positive), dtype=np.float64)
    _refuse(np.isnan(values), "no value", text, what)
    return values


def _refuse(bad: Any, value: str, text: str, what: str) -> None:
    rows = np.flatnonzero(bad)
    if len(rows):
        raise TableError(
            f"column {text!r} ({what}) has {value} in {len(rows)} of {len(bad)} rows, "
            f"first in row {rows[0] + 1}; mend them or leave them out with --where"
        )
