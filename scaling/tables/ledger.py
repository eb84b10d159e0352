"""Find and read ledgers. Both the training half and the analysis half use this module."""

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
    """Return the path of the ledger of a folder or of a sweep, or None if it has none."""
    paths = (folder / LEDGER for folder in (Path(source), folders.results() / source))
    return next((path for path in paths if path.is_file()), None)


def names() -> list[str]:
    """Return the names of the sweeps that have a ledger in the folder of results."""
    return sorted(path.parent.name for path in folders.results().glob(f"*/{LEDGER}"))


def rows(path: Path, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Return the rows of a ledger, with all columns or only `columns`.

    Columns of later schema versions are None. This function avoids pandas, because its import takes longer
    than reading 100,000 rows. Raises TableError if the file is not a ledger or has another schema version.
    """
    wanted = None if columns is None else list(dict.fromkeys(["run_id", "schema", *columns]))
    table = arrow(path, wanted)
    names = table.column_names
    if "run_id" not in names or "schema" not in names:
        raise TableError(
            f"{path} is not a ledger: it has no column run_id or schema; give a {LEDGER} of `scaling run`"
        )
    # by column, because building rows in Arrow is twenty times slower
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
    """Return a Parquet file as a DataFrame; `content` holds its bytes if they were read already.

    Raises TableError, also for a ledger of another schema version.
    """
    import pandas as pd

    try:
        table = pd.read_parquet(path if content is None else io.BytesIO(content))
    except Exception as error:
        raise _unreadable(path, error) from None
    if path.name == LEDGER and "schema" in table:
        _check(table["schema"].dropna().unique().tolist(), path)
    return table


def _check(versions: Sequence[object], path: Path) -> None:
    strange = [version for version in versions if version not in READABLE]
    if strange:
        raise TableError(
            f"{path} has schema version {', '.join(map(str, strange))}; this package reads versions "
            f"{' and '.join(map(str, READABLE))}; run `{folders.maker(path.parent)}` again, or use the "
            f"package version that wrote it"
        )


def _unreadable(path: Path, error: Exception) -> TableError:
    if isinstance(error, FileNotFoundError):
        return TableError(f"there is no ledger {path}; make one with: scaling run SWEEP")
    why = str(error).splitlines()[0] if str(error) else type(error).__name__
    remedy = "save it again as a table"
    if path.name in (LEDGER, CURVES, POSITIONS):
        remedy = f"remove it, then run `{folders.maker(path.parent)}` to write it again"
    return TableError(f"{path} cannot be read as Parquet ({why}); {remedy}")
