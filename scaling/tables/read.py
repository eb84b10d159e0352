"""Read a table from a file, a sweep or an object as a DataFrame. All of the package reads tables here."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from scaling import folders
from scaling.errors import TableError
from scaling.tables import ledger
from scaling.tables.files import load
from scaling.tables.plain import plain
from scaling.tables.written import spelled


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """A table as it was read, with its source."""

    frame: pd.DataFrame
    """All rows and columns."""
    path: str
    """Path of the source; "DataFrame" for an object."""
    sha256: str
    """SHA-256 of the file, or of the values of an object."""
    notes: tuple[str, ...]
    """Notes on how the table was read, one sentence each."""
    folder: Path | None = None
    """Folder of a ledger; None for other tables."""


def read(source: Any, *, decimal: str | None = None, text: Collection[str] = ()) -> Rows:
    """Return the rows of a table.

    source: the path of a file (`files.ENDINGS`), a folder with a ledger, the name of a sweep with results, a
    DataFrame, an object that becomes one by `to_pandas` (an Arrow table), a list of dictionaries, or a
    dictionary of columns. decimal: the decimal mark, "." or ",", if a comma could be either mark.
    text: columns that stay text, such as dates and names made of digits. Raises TableError.
    """
    if isinstance(source, str | Path):
        return _file(source, decimal, text)
    raw, repeated = plain(_object(source), "the DataFrame")
    digest = hashlib.sha256(pd.util.hash_pandas_object(raw.astype(str), index=False).to_numpy().tobytes())
    frame, notes = spelled(raw, raw, decimal, "the DataFrame", text)
    return Rows(frame=frame, path="DataFrame", sha256=digest.hexdigest(), notes=(*repeated, *notes))


def _object(source: Any) -> pd.DataFrame:
    if isinstance(source, pd.DataFrame):
        return source
    if hasattr(source, "to_pandas"):
        return pd.DataFrame(source.to_pandas())
    rows = isinstance(source, Sequence) and all(isinstance(row, Mapping) for row in source)
    if not (rows or isinstance(source, Mapping)):
        raise TableError(
            f"a {type(source).__name__} is not a table; give a path, a sweep, a DataFrame, an Arrow table, "
            "a list of dictionaries or a dictionary of columns"
        )
    try:
        return pd.DataFrame(list(source) if rows else dict(source))
    except ValueError as error:
        raise TableError(f"the dictionary is not a table ({error}); give columns of equal length") from None


def _file(source: str | Path, decimal: str | None, text: Collection[str]) -> Rows:
    path = Path(source)
    if not path.is_file():
        swept = ledger.find(source)
        if swept is None and path.is_dir():
            raise TableError(
                f"the folder {path} has no {ledger.LEDGER}; run the sweep first, or give a file of runs"
            )
        if swept is None and str(source) in folders.sweeps():
            raise TableError(
                f"the sweep {str(source)!r} has no results in {folders.results()}; type first: scaling run "
                f"{source}"
            )
        if swept is None:
            known = ledger.names()
            hint = f", or a sweep with results: {', '.join(known)}" if known else ""
            raise TableError(
                f"there is no table at {str(source)!r}; give a CSV, TSV, Parquet, JSON or JSONL file{hint}"
            )
        path = swept
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TableError(f"{path} cannot be read ({error.strerror}); check its permissions") from None
    frame, notes = load(path, content, decimal, text)
    return Rows(
        frame=frame,
        path=str(source),
        sha256=hashlib.sha256(content).hexdigest(),
        notes=tuple(notes),
        folder=path.parent if path.name == ledger.LEDGER else None,
    )
