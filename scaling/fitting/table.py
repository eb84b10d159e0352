"""Read a table of runs from a file, a ledger, a sweep or a DataFrame, and check its columns by letter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scaling.errors import TableError, one_of
from scaling.fitting.arrays import Array
from scaling.fitting.plausible import checks, compute_or_not
from scaling.tables import read as tables
from scaling.tables.columns import numbers
from scaling.tables.expression import evaluate, missing, short
from scaling.tables.runs import select

LETTERS: dict[str, tuple[str, ...]] = {
    "N": ("params", "N"),
    "D": ("tokens", "D"),
    "C": ("flops", "C"),
    "L": ("loss", "L"),
    "S": ("steps", "S"),
    "U": ("tokens_unique", "U"),
}
"""Default columns of each letter: the ledger's, then the letter itself."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Checked runs."""

    frame: pd.DataFrame
    """Rows that are used, with all original columns."""
    values: Mapping[str, Array]
    """Numbers by letter, each (n,)."""
    columns: Mapping[str, str]
    """Column or expression of each letter."""
    path: str
    """Path of the source."""
    sha256: str
    """SHA-256 of the file, or of the values of a DataFrame."""
    rows: int
    """Number of rows of the file."""
    where: str | None = None
    """The filter."""
    warnings: tuple[str, ...] = field(default=())
    """Warnings, one sentence each."""
    folder: Path | None = None
    """Folder of the ledger, which also holds its loss curves; None for other tables."""
    decimal: str | None = None
    """Decimal mark given by the user."""

    @property
    def n(self) -> int:
        """Rows used."""
        return len(self.frame)

    def optional(self, letter: str) -> Array | None:
        """Return the numbers of a letter, None where the table lacks it."""
        return self.values.get(letter)

    def take(self, keep: Any) -> Table:
        """Return the table of some rows, given by a boolean mask or row numbers."""
        keep = np.asarray(keep)
        return Table(
            frame=self.frame.iloc[np.flatnonzero(keep) if keep.dtype == bool else keep].reset_index(
                drop=True
            ),
            values={letter: value[keep] for letter, value in self.values.items()},
            columns=self.columns,
            path=self.path,
            sha256=self.sha256,
            rows=self.rows,
            where=self.where,
            warnings=self.warnings,
            folder=self.folder,
            decimal=self.decimal,
        )

    def labels(self, column: str) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return the group numbers (n,) of a column, for clusters and groups."""
        values = pd.Series(evaluate(column, self.frame))
        if values.isna().any():
            row = int(np.flatnonzero(values.isna())[0]) + 1
            raise TableError(
                f"column {short(column)} has no value in row {row}, so the row belongs to no group; "
                "fill it, or leave the row out with --where"
            )
        return np.asarray(pd.factorize(values, sort=True)[0], dtype=np.int64)


def read(
    source: Any,
    *,
    need: Sequence[str] = ("N", "D"),
    target: str = "L",
    columns: Mapping[str, str] | None = None,
    where: str | None = None,
    signed: Sequence[str] = (),
    decimal: str | None = None,
    by: str | None = None,
) -> Table:
    """Read and check a table of runs.

    `need` holds the variables' letters, `columns` maps a letter to a column or an expression, `where` keeps
    the rows for which it is true. Variables and target must be positive numbers unless `signed` names them.
    `decimal` is the decimal mark, "." or ",", for tables whose commas could be decimal marks or separators.
    `by` is the column that the table will be split by, so that only its parts must be of one kind.
    N, D and C are also read under their usual names where `columns` does not name them; C only where it can
    be compute (`plausible.compute_or_not`) or comes from a ledger. Raises TableError.
    """
    if isinstance(source, Table):
        source = source.frame
    chosen = _letters(columns, need, target)
    came = tables.read(source, decimal=decimal)
    warnings = list(came.notes)
    frame, left_out = select(came.frame, came.path, where, by)
    warnings += left_out
    values: dict[str, Array] = {}
    used: dict[str, str] = {}
    implied = "D" in need and not _known("D", chosen, frame)
    if implied and _known("C", chosen, frame) and _known("N", chosen, frame):
        c, n = (chosen.get(k) or _default(k, frame) for k in ("C", "N"))
        chosen["D"] = "{} / (6 * {})".format(*(f"`{t}`" if t in frame.columns else f"({t})" for t in (c, n)))
        warnings.append(f"D is not given and is taken as C / (6 N) from {c!r} and {n!r}")
    for letter in (*need, target, *(c for c in chosen if c not in need and c != target)):
        used[letter] = chosen.get(letter) or _default(letter, frame)
        values[letter] = numbers(used[letter], letter, frame, positive=letter not in signed)
    _apart(used)
    for letter in ("N", "D", "C"):
        column = next((c for c in LETTERS[letter] if c in frame.columns), None)
        if letter in values or column is None or column in used.values():
            continue
        try:
            found = numbers(column, letter, frame)
        except TableError as error:
            warnings.append(f"{letter} is not used: {str(error).partition(';')[0].partition(': ')[0]}")
            continue
        if letter == "C" and came.folder is None and {"N", "D"} <= set(values):
            odd = compute_or_not(found, values["N"], values["D"], column)
            if odd:
                warnings.append(odd)
                continue
        used[letter], values[letter] = column, found
    warnings += checks(values, target, need, used)
    return Table(
        frame=frame,
        values=values,
        columns=used,
        path=came.path,
        sha256=came.sha256,
        rows=len(came.frame),
        where=where,
        warnings=tuple(warnings),
        folder=came.folder,
        decimal=decimal,
    )


def _letters(columns: Mapping[str, str] | None, need: Sequence[str], target: str) -> dict[str, str]:
    """Return the named columns by letter. Raises TableError for an unknown letter."""
    allowed = dict.fromkeys((*need, target, *LETTERS))
    for letter in columns or {}:
        if letter not in allowed:
            raise TableError(one_of("the letter of a column", letter, allowed))
    for letter, text in (columns or {}).items():
        if not isinstance(text, str):
            raise TableError(
                f"{letter} is given as a {type(text).__name__}; give the name of a column, or an expression"
            )
    return dict(columns or {})


def _apart(used: Mapping[str, str]) -> None:
    """Raise an error where two letters name the same column."""
    seen: dict[str, str] = {}
    for letter, text in used.items():
        other = seen.setdefault(text.strip().strip("`"), letter)
        if other != letter:
            raise TableError(
                f"the column {short(text)} is named for both {other} and {letter}; name another for "
                "one of them"
            )


def _known(letter: str, chosen: Mapping[str, str], frame: pd.DataFrame) -> bool:
    return letter in chosen or any(c in frame.columns for c in LETTERS[letter])


def _default(letter: str, frame: pd.DataFrame) -> str:
    for column in LETTERS.get(letter, (letter,)):
        if column in frame.columns:
            return column
    wanted = LETTERS.get(letter, (letter,))[0]
    option = {"N": "--n ", "D": "--d ", "C": "--c ", "L": "--loss "}.get(letter, f"--column {letter}=")
    raise TableError(missing(wanted, frame) + f" (say which column is {letter} with {option}COLUMN)")
