"""Find rows that are intermediate checkpoints of a run, not its end.

Under a decaying learning rate their losses lie above the final loss of a run of that length.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from scaling.fitting.arrays import Array, Integers
from scaling.fitting.table import Table
from scaling.tables.expression import evaluate

Rows = np.ndarray[Any, np.dtype[np.bool_]]
"""Mask of rows, (n,)."""
RUNS = ("run_id", "run_name", "run")
"""Names of columns that identify a run."""
_RATE = re.compile(r"(^|_)(lr|learning_?rate)(_|$)")


def _rate(frame: pd.DataFrame) -> str | None:
    """Return the name of the numeric column of learning rates, or None."""
    numbers = (name for name in frame.columns if pd.api.types.is_numeric_dtype(frame[name]))
    return next((str(name) for name in numbers if _RATE.search(str(name).lower())), None)


def _paths(frame: pd.DataFrame, n: Array, d: Array) -> Integers:
    """Return the number of the run of each row, (n,).

    The number comes from a column that identifies runs. Without one, consecutive rows belong to one run if N
    is constant, D rises and the learning rate falls.
    """
    name, rate = next((name for name in RUNS if name in frame.columns), None), _rate(frame)
    if name is not None:
        return np.asarray(pd.factorize(frame[name])[0])
    if rate is None:
        return np.arange(len(frame))
    along = (np.diff(n) == 0) & (np.diff(d) > 0) & (np.diff(frame[rate].to_numpy(dtype=np.float64)) < 0)
    return np.concatenate([[0], np.cumsum(~along)])


def on_the_way(table: Table) -> tuple[Rows, int]:
    """Return the mask (n,) of intermediate checkpoints, and the number of runs that they belong to.

    The rows of one run share N and differ in D. Rows whose schedule is constant by name do not count.
    """
    frame = table.frame
    rows = pd.DataFrame({"N": table.values["N"], "D": table.values["D"]})
    run = _paths(frame, table.values["N"], table.values["D"])
    by = rows.groupby(run)
    size = by["D"].transform("size")
    path = (by["N"].transform("nunique") == 1) & (by["D"].transform("nunique") == size)
    early = path & (rows["D"] < by["D"].transform("max"))
    for name in frame.columns:
        if "schedul" in str(name).lower():
            early &= ~frame[name].astype(str).str.lower().str.contains("const")
    return np.asarray(early), len(np.unique(run[early]))


def _term(column: str, frame: pd.DataFrame) -> str:
    """Return a column or expression quoted for use inside another expression."""
    if column.isidentifier():
        return column
    return f"`{column}`" if column in frame.columns else f"({column})"


def _ends(table: Table, early: Rows) -> str:
    """Return the --where option that keeps the rows that are not `early` (n,).

    It is a condition on the learning rate or on D / N. Where neither selects exactly these rows, the advice
    is to add a column.
    """
    frame, rate = table.frame, _rate(table.frame)
    n, d = (_term(table.columns[letter], frame) for letter in ("N", "D"))
    ratio = (table.values["D"] / table.values["N"])[~early].min()
    tries = [f"{d} / {n} >= {ratio:.10g}"]
    if rate is not None:
        tries.insert(0, f"{_term(rate, frame)} <= {frame.loc[~early, rate].max():.10g}")
    for where in tries:
        if np.array_equal(np.asarray(evaluate(where, frame)), ~early):
            return f'--where "{where}"'
    return 'a column of your own, as in --where "last == 1"'


def advice(table: Table) -> list[str]:
    """Return at most one sentence: how many rows are intermediate checkpoints, and how to leave them out."""
    if not {"N", "D"} <= set(table.values):
        return []
    early, runs = on_the_way(table)
    if not early.any():
        return []
    return [
        f"{int(early.sum())} of {table.n} rows seem to be points on the way of {runs} runs: under a decaying "
        "learning rate they lie above what a run of that length would reach, and exponents are wrong; keep "
        f"the last row of each run with {_ends(table, early)}, unless the rate is constant"
    ]
