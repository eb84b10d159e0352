"""Bring columns of any library to plain types, with one column a name."""

from __future__ import annotations

import pandas as pd

from scaling.errors import TableError


def plain(frame: pd.DataFrame, path: str) -> tuple[pd.DataFrame, list[str]]:
    """Return a DataFrame with columns of NumPy's types or text, and notes on repeated names.

    Levels of an index that have a name become columns. Columns of one name that are equal become one.
    Raises TableError if they differ.
    """
    levels = [name for name in frame.index.names if name is not None and name not in frame.columns]
    frame = frame.reset_index(level=levels) if levels else frame.copy(deep=False)
    frame.columns = pd.Index([str(name) for name in frame.columns], dtype=object)
    again = frame.columns.duplicated()
    notes = []
    for name in dict.fromkeys(frame.columns[again]):
        first, *others = (column for _, column in frame[name].items())
        if not all(first.equals(other) for other in others):
            raise TableError(
                f"{path} has {len(others) + 1} columns of the name {name!r} with different values; give each "
                "its own name"
            )
        notes.append(f"{name!r} is the name of {len(others) + 1} columns; the first is taken")
    frame = frame.loc[:, ~again]
    return frame.assign(**{str(name): _plain(frame[name]) for name in frame if _strange(frame[name])}), notes


def _strange(values: pd.Series) -> bool:
    return pd.api.types.is_extension_array_dtype(values.dtype) and not isinstance(
        values.dtype, pd.StringDtype | pd.DatetimeTZDtype
    )


def _plain(values: pd.Series) -> pd.Series:
    """Return a nullable, sparse or categorical column as NumPy's numbers, else as objects."""
    whole = not values.isna().any()
    if values.dtype.kind in "iuf" and not (whole and values.dtype.kind in "iu"):
        return pd.Series(values.to_numpy(dtype="float64", na_value=float("nan")), values.index)
    if values.dtype.kind in "iub" and whole:
        return pd.Series(
            values.to_numpy(dtype={"i": "int64", "u": "uint64", "b": "bool"}[values.dtype.kind]), values.index
        )
    return pd.Series(values.astype(object).where(values.notna(), None), values.index).infer_objects()
