"""Find and read ledgers. Both the training half and the analysis half use this module."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaling import files, folders
from scaling.errors import TableError
from scaling.tables.schema import ADDED, COLUMNS, READABLE, fault

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

LEDGER, CURVES, POSITIONS = "ledger.parquet", "curves.parquet", "positions.parquet"


class Damaged(TableError):
    """A file that is no Parquet file, or no ledger as this package writes it."""


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
    than reading 100,000 rows. Raises Damaged if the file is not a ledger, TableError for another schema
    version.
    """
    wanted = None if columns is None else list(dict.fromkeys(["run_id", "schema", *columns]))
    table = arrow(path, wanted)
    names = table.column_names
    absent = [name for name in wanted or COLUMNS if name not in names and name not in ADDED]
    if absent:
        raise Damaged(
            f"{path} is not a ledger: it has no column {absent[0]}; give a {LEDGER} of `scaling run`"
        )
    # by column, because building rows in Arrow is twenty times slower
    lists = [column.to_pylist() for column in table.columns]
    younger = set(ADDED).difference(names)
    empty = dict.fromkeys(younger if wanted is None else younger.intersection(wanted))
    return [empty | dict(zip(names, values, strict=True)) for values in zip(*lists, strict=True)]


def arrow(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Return a Parquet file as an Arrow table, with all columns or those of `columns` that it has.

    Raises Damaged, and TableError for a ledger of another schema version.
    """
    import pyarrow.parquet as pq

    try:
        files.check_kind(path)
        file = pq.ParquetFile(path)
        there = set(file.schema_arrow.names)
        table = file.read(None if columns is None else [name for name in columns if name in there])
    except Exception as error:
        raise _unreadable(path, error) from None
    if path.name == LEDGER:
        _check(table, path)
    return table


def frame(path: Path, content: bytes | None = None) -> pd.DataFrame:
    """Return a Parquet file as a DataFrame; `content` holds its bytes if they were read already.

    Raises Damaged, and TableError for a ledger of another schema version.
    """
    import pyarrow.parquet as pq

    try:
        if content is None:
            files.check_kind(path)
        table = pq.read_table(path if content is None else io.BytesIO(content))
        found: pd.DataFrame = table.to_pandas()
    except Exception as error:
        raise _unreadable(path, error) from None
    if path.name == LEDGER:
        _check(table, path)
        _check_losses(table, path)
    return found


def impossible(row: Mapping[str, Any]) -> str | None:
    """Return why the loss of a row is one that no run can have; None if one can."""
    return fault(row, {"loss": COLUMNS["loss"]})


def _check_losses(table: pa.Table, path: Path) -> None:
    """Raise Damaged for the first loss that no run can have."""
    if not {"run_id", "loss"} <= set(table.column_names):
        return
    for run_id, loss in zip(*(table.column(name).to_pylist() for name in ("run_id", "loss")), strict=True):
        if loss == loss and (wrong := impossible({"loss": loss})):  # a table of pandas has nan for none
            raise Damaged(
                f"{path} is damaged (run {run_id!r} {wrong}); `{folders.maker(path.parent)}` writes "
                "its row again"
            )


def _check(table: pa.Table, path: Path) -> None:
    """Raise TableError for another schema version, and Damaged for values that no ledger has."""
    versions = (
        table.column("schema").drop_null().unique().to_pylist() if "schema" in table.column_names else []
    )
    strange = [version for version in versions if version not in READABLE]
    if strange:
        raise TableError(
            f"{path} has schema version {', '.join(map(str, strange))}; this package reads versions "
            f"{' and '.join(map(str, READABLE))}; run `{folders.maker(path.parent)}` again, or use the "
            f"package version that wrote it"
        )
    if wrong := _fault(table):
        raise Damaged(
            f"{path} is damaged ({wrong}); remove it, then run `{folders.maker(path.parent)}` to write it "
            f"again"
        )


def _fault(table: pa.Table) -> str | None:
    """Return what is wrong with the types and run ids of a ledger; None if nothing."""
    import pyarrow as pa

    is_kind = {
        "string": lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind),
        "int64": lambda kind: pa.types.is_integer(kind) or pa.types.is_floating(kind),
        "float64": lambda kind: pa.types.is_integer(kind) or pa.types.is_floating(kind),
        "bool": pa.types.is_boolean,
    }
    for name in table.column_names:
        column, values = COLUMNS.get(name), table.column(name)
        if column is None or pa.types.is_null(values.type):
            continue
        if pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        if not is_kind[column.dtype](values.type):
            return f"column {name} is of type {values.type} instead of {column.dtype}"
    if "run_id" in table.column_names:
        run_ids = table.column("run_id")
        if run_ids.null_count:
            return "a row has no run_id"
        if len(run_ids.unique()) < len(run_ids):
            return "one run_id stands in two rows"
    return None


def _unreadable(path: Path, error: Exception) -> TableError:
    if isinstance(error, FileNotFoundError):
        return TableError(f"there is no ledger {path}; make one with: scaling run SWEEP")
    if isinstance(error, OSError) and error.errno:
        why = error.strerror or os.strerror(error.errno)
        return TableError(f"{path} cannot be read ({why.lower()}); check its permissions")
    why = str(error).splitlines()[0] if str(error) else type(error).__name__
    remedy = "save it again as a table"
    if path.name in (LEDGER, CURVES, POSITIONS):
        remedy = f"remove it, then run `{folders.maker(path.parent)}` to write it again"
    return Damaged(f"{path} cannot be read as Parquet ({why}); {remedy}")
