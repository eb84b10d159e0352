"""Find and read a ledger, for the half that writes it and the half that fits it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaling import folders
from scaling.errors import TableError
from scaling.tables.schema import ADDED, READABLE

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

LEDGER, CURVES, POSITIONS = "ledger.parquet", "curves.parquet", "positions.parquet"


def find(source: str | Path) -> Path | None:
    """Return the ledger of a folder of results, given by path or by a sweep's name; None where there is
    none."""
    paths = (folder / LEDGER for folder in (Path(source), folders.results() / source))
    return next((path for path in paths if path.is_file()), None)


def names() -> list[str]:
    """Return the sweeps that have a ledger under the folder of results."""
    return sorted(path.parent.name for path in folders.results().glob(f"*/{LEDGER}"))


def rows(path: Path, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Return every row of a ledger, with all columns or some; null in columns that are younger than it.

    Needs no pandas, which takes longer to import than a hundred thousand rows to read. Raises TableError when
    the file is not a ledger or has another schema version.
    """
    wanted = None if columns is None else list(dict.fromkeys(["run_id", "schema", *columns]))
    table = arrow(path, wanted)
    names = table.column_names
    if "run_id" not in names or "schema" not in names:
        raise TableError(
            f"{path} is not a ledger: it has no column run_id or schema; give a {LEDGER} of `scaling run`"
        )
    # column by column: an Arrow row is twenty times slower to make than a tuple
    lists = [column.to_pylist() for column in table.columns]
    younger = set(ADDED).difference(names)
    absent = dict.fromkeys(younger if wanted is None else younger.intersection(wanted))
    return [absent | dict(zip(names, values, strict=True)) for values in zip(*lists, strict=True)]


def arrow(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Return a Parquet file as an Arrow table, with all columns or those of `columns` that it has.

    Raises TableError, also for a ledger of another schema version.
    """
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        there = set(file.schema_arrow.names)
        table = file.read(None if columns is None else [name for name in columns if name in there])
    except Exception as error:
        raise _unreadable(path, error) from None
    if "schema" in table.column_names:
        _check(table.column("schema").unique().to_pylist(), path)
    return table


def frame(path: Path, content: bytes | None = None) -> pd.DataFrame:
    """Return a Parquet file, or its `content` where that was read before, as a DataFrame.

    Raises TableError, also for a ledger of another schema version.
    """
    import pandas as pd

    try:
        made = pd.read_parquet(path if content is None else io.BytesIO(content))
    except Exception as error:
        raise _unreadable(path, error) from None
    if path.name == LEDGER and "schema" in made:
        _check(made["schema"].dropna().unique().tolist(), path)
    return made


def _check(versions: Sequence[object], path: Path) -> None:
    strange = [version for version in versions if version not in READABLE]
    if strange:
        raise TableError(
            f"{path} is of schema {', '.join(map(str, strange))}; this version reads schema "
            f"{' and '.join(map(str, READABLE))}: type `{folders.maker(path.parent)}` again, or use the "
            f"version that wrote it"
        )


def _unreadable(path: Path, error: Exception) -> TableError:
    if isinstance(error, FileNotFoundError):
        return TableError(f"there is no ledger {path}; make one with: scaling run SWEEP")
    why = str(error).splitlines()[0] if str(error) else type(error).__name__
    remedy = "save it again as a table"
    if path.name in (LEDGER, CURVES, POSITIONS):
        remedy = f"remove it, and `{folders.maker(path.parent)}` makes it again"
    return TableError(f"{path} cannot be read as Parquet ({why}); {remedy}")
