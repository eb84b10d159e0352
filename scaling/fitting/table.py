"""Runs as the fitter sees them: columns by letter, checked, from CSV, TSV, Parquet, JSONL, a ledger, a sweep
name or a DataFrame."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scaling.errors import TableError, one_of
from scaling.fitting.expression import evaluate, missing
from scaling.fitting.law import Array
from scaling.places import maker, results

LETTERS: dict[str, tuple[str, ...]] = {
    "N": ("params", "N"),
    "D": ("tokens", "D"),
    "C": ("flops", "C"),
    "L": ("loss", "L"),
    "S": ("steps", "S"),
    "U": ("tokens_unique", "U"),
}
"""The columns behind each letter where none is named: the ledger's, then the letter itself."""

_READERS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}

_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Checked runs."""

    frame: pd.DataFrame
    """The rows used, all columns as they came."""
    values: Mapping[str, Array]
    """Numbers by letter, each (n,)."""
    columns: Mapping[str, str]
    """The column or expression behind each letter."""
    path: str
    """Where they came from."""
    sha256: str
    """Of the file; of the values for a DataFrame."""
    rows: int
    """Rows of the file."""
    where: str | None = None
    """The filter."""
    warnings: tuple[str, ...] = field(default=())
    """What a reader should know."""
    folder: Path | None = None
    """The ledger's folder, where its loss curves lie too; None for other tables."""

    @property
    def n(self) -> int:
        """Rows used."""
        return len(self.frame)

    def optional(self, letter: str) -> Array | None:
        """Numbers by letter where the table has them, else None."""
        return self.values.get(letter)

    def take(self, keep: Any) -> Table:
        """The table of some rows: a boolean mask or row numbers."""
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
        )

    def labels(self, column: str) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Group numbers (n,) of a column, for clusters and groups."""
        values = evaluate(column, self.frame)
        return np.asarray(pd.factorize(pd.Series(values), sort=True)[0], dtype=np.int64)


def read(
    source: Any,
    *,
    need: Sequence[str] = ("N", "D"),
    target: str = "L",
    columns: Mapping[str, str] | None = None,
    where: str | None = None,
    signed: Sequence[str] = (),
) -> Table:
    """Reads and checks a table of runs.

    `need` are the variables' letters, `columns` maps a letter to a column or an expression, `where` keeps the
    rows for which it is true. Variables and target must be positive numbers unless `signed` names them.
    Raises TableError.
    """
    if isinstance(source, Table):
        source = source.frame
    frame, path, digest, folder = _frame(source)
    rows, warnings = len(frame), []
    frame = frame.reset_index(drop=True)
    if "status" in frame.columns and "run_id" in frame.columns and not (where and "status" in where):
        lost = int((frame["status"] != "done").sum())
        if lost:
            warnings.append(f"{lost} of {rows} runs are not done and are left out")
        frame = frame[frame["status"] == "done"]
    if where:
        mask = evaluate(where, frame)
        if not (isinstance(mask, pd.Series) and pd.api.types.is_bool_dtype(mask)):
            raise TableError(
                f'--where {where!r} is not true or false for each row; compare something, as in "loss < 4"'
            )
        frame = frame[mask]
        if frame.empty:
            raise TableError(f"--where {where!r} keeps none of {rows} rows; loosen it")
    if frame.empty:
        raise TableError(f"{path} has no finished runs; wait for one, or name another table")
    frame = frame.reset_index(drop=True)
    chosen = dict(columns or {})
    values: dict[str, Array] = {}
    used: dict[str, str] = {}
    implied = "D" in need and not _known("D", chosen, frame)
    if implied and _known("C", chosen, frame) and _known("N", chosen, frame):
        c, n = (chosen.get(k) or _default(k, frame) for k in ("C", "N"))
        frame = frame.assign(**{_IMPLIED: numbers(c, "C", frame) / (6 * numbers(n, "N", frame))})
        chosen["D"] = _IMPLIED
        warnings.append(f"D is not given and is taken as C / (6 N) from {c!r} and {n!r}")
    for letter in (*need, target, *(c for c in chosen if c not in need and c != target)):
        used[letter] = chosen.get(letter) or _default(letter, frame)
        values[letter] = numbers(used[letter], letter, frame, positive=letter not in signed)
    for letter in ("N", "D", "C"):
        if letter not in values and any(c in frame.columns for c in LETTERS[letter]):
            used[letter] = _default(letter, frame)
            try:
                values[letter] = numbers(used[letter], letter, frame)
            except TableError as error:
                del used[letter]
                warnings.append(f"{letter} is not used: {str(error).partition(';')[0].partition(': ')[0]}")
    warnings += checks(values, target, need, frame)
    return Table(
        frame=frame,
        values=values,
        columns=used,
        path=path,
        sha256=digest,
        rows=rows,
        where=where,
        warnings=tuple(warnings),
        folder=folder,
    )


def _frame(source: Any) -> tuple[pd.DataFrame, str, str, Path | None]:
    if isinstance(source, pd.DataFrame):
        digest = hashlib.sha256(
            pd.util.hash_pandas_object(source.astype(str), index=False).to_numpy().tobytes()
        ).hexdigest()
        return source, "DataFrame", digest, None
    if isinstance(source, Mapping):
        return _frame(pd.DataFrame(dict(source)))
    path = Path(str(source))
    if path.is_dir():
        path = path / "ledger.parquet"
        if not path.is_file():
            raise TableError(
                f"the folder {path.parent} has no ledger.parquet; run the sweep first, or name a file of runs"
            )
    elif not path.is_file():
        swept = results() / str(source) / "ledger.parquet"
        if not swept.is_file():
            known = sorted(p.parent.name for p in results().glob("*/ledger.parquet"))
            hint = f", or a sweep with results: {', '.join(known)}" if known else ""
            raise TableError(
                f"there is no table at {str(source)!r}; name a CSV, TSV, Parquet or JSONL file{hint}"
            )
        path = swept
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    kind = path.suffix.lower()
    try:
        if kind in _READERS:
            frame = pd.read_csv(path, sep=_READERS[kind], skipinitialspace=True)
        elif kind in (".parquet", ".pq"):
            frame = pd.read_parquet(path)
        elif kind in (".jsonl", ".ndjson"):
            frame = pd.read_json(path, lines=True)
        else:
            raise TableError(
                one_of(
                    f"the ending of {path.name}",
                    kind,
                    (".csv", ".tsv", ".txt", ".parquet", ".jsonl", ".ndjson"),
                )
            )
    except UnicodeDecodeError as error:
        raise TableError(
            f"{path} is not UTF-8 text (byte {error.object[error.start]:#04x} cannot be read); save it as "
            "UTF-8"
        ) from None
    except pd.errors.EmptyDataError:
        raise TableError(f"{path} is empty; name a table with a line of names and at least one run") from None
    except (ValueError, OSError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        again = path.name == "ledger.parquet"
        raise TableError(
            f"{path} cannot be read as {kind[1:]} ({first}); "
            + (
                f"remove it, and `{maker(path.parent)}` makes it again"
                if again
                else "save it again as a table"
            )
        ) from None
    if frame.empty:
        raise TableError(f"{path} holds no rows; name a table with at least one run")
    heading = str(frame.columns[0])
    other = next((mark for mark in ";\t|," if mark in heading), None) if len(frame.columns) == 1 else None
    if other and kind in _READERS:
        asked, found = (f"{_NAMES[mark]}" for mark in (_READERS[kind], other))
        raise TableError(
            f"{path} has the one column {heading!r}, so it seems to be separated by {found}; a {kind} "
            f"is separated by {asked}: save it so"
            + (", or name it .tsv" if other == "\t" else "")
            + (", or name it .csv" if other == "," else "")
        )
    if path.name != "ledger.parquet":
        return frame, str(source), digest, None
    same_schema(frame, path)
    return frame, str(source), digest, path.parent


def same_schema(ledger: pd.DataFrame, path: Path) -> None:
    """Raises TableError for a ledger of a schema version that the analysis half does not understand."""
    schemas = sorted({int(s) for s in ledger["schema"].dropna()}) if "schema" in ledger else []
    if any(s not in READS_SCHEMA for s in schemas):
        raise TableError(
            f"{path} is of schema {', '.join(map(str, schemas))}; this version reads schema "
            f"{' and '.join(map(str, READS_SCHEMA))}: type `{maker(path.parent)}` again, or use the version "
            f"that wrote it"
        )


READS_SCHEMA = (1, 2)
"""The schema versions of records that the analysis half understands."""
_IMPLIED = "C / (6 N)"
"""The column of tokens that compute and size imply."""


def _known(letter: str, chosen: Mapping[str, str], frame: pd.DataFrame) -> bool:
    return letter in chosen or any(c in frame.columns for c in LETTERS[letter])


def _default(letter: str, frame: pd.DataFrame) -> str:
    for column in LETTERS.get(letter, (letter,)):
        if column in frame.columns:
            return column
    wanted = LETTERS.get(letter, (letter,))[0]
    option = {"N": "--n ", "D": "--d ", "C": "--c ", "L": "--loss "}.get(letter, f"--column {letter}=")
    raise TableError(missing(wanted, frame) + f" (say which column is {letter} with {option}COLUMN)")


def numbers(text: str, letter: str, frame: pd.DataFrame, positive: bool = True) -> Array:
    """The numbers of one column, or the sentence that says which of them cannot be."""
    raw = evaluate(text, frame)
    if not isinstance(raw, pd.Series):
        raise TableError(f"{letter} = {text!r} is one number for all rows; name a column that varies")
    if pd.api.types.is_bool_dtype(raw):
        raise TableError(
            f"column {text!r} ({letter}) is true or false; it must hold numbers, and conditions go to --where"
        )
    numbers = pd.to_numeric(raw, errors="coerce")
    worded = numbers.isna() & raw.notna()
    if worded.any():
        row = int(np.flatnonzero(worded)[0])
        word = str(raw.iloc[row])
        plain = ", written without the commas" if re.fullmatch(r"[\d,.]+", word) else ""
        raise TableError(
            f"column {text!r} ({letter}) holds the text {word!r} in row {row + 1}; it must hold "
            f"numbers{plain}; mend it or leave it out with --where"
        )
    values = np.asarray(numbers, dtype=np.float64)
    for bad, word in ((np.isnan(values), "no value"), (np.isinf(values), "an infinite value")):
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise TableError(
                f"column {text!r} ({letter}) has {word} in {int(bad.sum())} of {len(values)} rows, "
                f"first in row {row + 1}; "
                f"mend them or leave them out with --where"
            )
    if positive and (values <= 0).any():
        row = int(np.flatnonzero(values <= 0)[0])
        raise TableError(
            f"column {text!r} ({letter}) is {values[row]:g} in row {row + 1}; it must be above zero: "
            f"mend it or leave it out with --where"
        )
    return values


def checks(values: Mapping[str, Array], target: str, need: Sequence[str], frame: pd.DataFrame) -> list[str]:
    """Warnings about numbers that can be but are odd. Raises TableError where no fit could mean anything."""
    said: list[str] = []
    y = values[target]
    if len(y) > 1 and np.ptp(y) <= 1e-12 * np.abs(y).max():
        raise TableError(
            f"the {'loss' if target == 'L' else target} is {y[0]:g} in all {len(y)} rows; a law needs "
            "losses that differ"
        )
    stack = np.stack([values[letter] for letter in (*need, target)], axis=1)
    doubles = len(stack) - len(np.unique(stack, axis=0))
    if doubles:
        said.append(
            f"{doubles} rows repeat another row exactly; each counts, so intervals are too narrow if "
            "they are copies"
        )
    for letter in need:
        if len(y) > 1 and np.ptp(values[letter]) == 0:
            said.append(
                f"all {len(y)} rows have the same {letter} ({values[letter][0]:g}); its exponent cannot "
                "be known from them"
            )
    if "N" in values and "D" in values:
        n, d = np.median(values["N"]), np.median(values["D"])
        if "C" in values:
            ratio = float(np.median(values["C"] / (6 * values["N"] * values["D"])))
            if not 1e-2 < ratio < 1e2:
                power = round(np.log10(ratio))
                said.append(
                    f"C is about 1e{power} times 6 N D; one of the three columns seems to be in other "
                    "units (millions? billions?)"
                )
        elif n < 1e3 or d < 1e3:
            letter, value = ("N", n) if n < 1e3 else ("D", d)
            said.append(
                f"the median {letter} is {value:g}; it seems to be in millions or billions, and C = 6 N "
                "D will be off by as much"
            )
    if target == "L" and np.median(y) > 50:
        said.append(
            f"the median loss is {np.median(y):g}; expected nats per token, this looks like a perplexity"
        )
    return said
