"""Find the settings in which the runs of a table differ, and the cells of rows at equal variables."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from scipy import stats

from scaling.fitting.arrays import Array, Integers
from scaling.fitting.table import Table

_CHOSEN = re.compile(
    r"(^|_)(lr|learning_?rate|batch|warmup|schedule|decay|optimi[sz]er|momentum|dropout|recipe|family|corpus"
    r"|objective|adaptation|tokeni[sz]er|data|dataset|mixture|arch|width|depth|context)(_|$)"
)
"""Pattern of the names of settings. Such a column is a setting even where each run has a value of its own."""
_RESULT = re.compile(r"(^|[^a-z])(seed|loss|acc|accuracy|score|ppl|perplexity|bits|bpb|metric)([^a-z]|$)")
"""Pattern of the names of seeds and results. It overrides the pattern of settings, as in `corpus_loss`."""
_OTHER = re.compile(
    r"seed|repl|repeat|trial|loss|acc|score|ppl|perplex|bits|bpb|grad|metric|status|reason|flops|seconds|hours"
    r"|minutes|time|date|started|ended|speed|per_second|mfu|memory|kwh|price|cost|host|node|device|gpu|thread"
    r"|micro|compiled|worker|rank|job|slurm|git|commit|version|path|dir|file|url|done|(^|_)(id|name|run|index)(_|$)"
)
"""Pattern of the names of columns that are no settings: names of runs, places, times and results."""

SEEDS = 0.1
"""Largest difference in log loss between two runs of one cell that seeds can explain. In this project's
ledgers, seeds of one pre-training cell lie within 0.035 of each other."""


def _chosen(low: str) -> bool:
    """Return whether a column holds a setting by its name, given in lower case."""
    return bool(_CHOSEN.search(low)) and not _RESULT.search(low)


def cells_of(values: list[Array]) -> Integers:
    """Return the cell numbers (n,) of rows whose values, each (n,), agree to one part in a thousand."""
    with np.errstate(all="ignore"):
        scaled = [np.log(v) if (v > 0).all() else v for v in values]
    rounded = np.round(np.stack(scaled, axis=1) / 1e-3)
    return np.asarray(np.unique(rounded, axis=0, return_inverse=True)[1].reshape(-1), dtype=np.int64)


def within(cells: Integers, y: Array) -> tuple[float, int]:
    """Return the sum of squares of y (n,) within cells (n,), and its degrees of freedom."""
    counts = np.bincount(cells)
    means = np.bincount(cells, y) / np.maximum(counts, 1)
    return float(((y - means[cells]) ** 2).sum()), int(len(y) - (counts > 0).sum())


def split(cells: Integers, column: pd.Series) -> Integers:
    """Return cell numbers (n,) in which each cell is divided by the values of a column."""
    codes = pd.factorize(column.astype(str))[0]
    return np.asarray(np.unique(np.stack([cells, codes]), axis=1, return_inverse=True)[1].reshape(-1))


def settings(table: Table, variables: tuple[str, ...], target: str) -> list[str]:
    """Return the setting columns in which rows at equal variables differ.

    A column is a setting if its name is that of a setting, or if its values recur over the rows that share a
    cell. Columns of names, seeds, places, times and results are left out. So is a column that an F test with
    at least three degrees of freedom finds irrelevant (p above 0.01). Columns with the name of a setting come
    first, then those that explain most of the differences.
    """
    cells = cells_of([table.values[name] for name in variables])
    y = table.values[target]
    y = np.log(y) if (y > 0).all() else y
    shared = np.bincount(cells)[cells] > 1
    before, freedom = within(cells, y)
    remaining: dict[str, float] = {}
    if freedom < 1:
        return []
    for name in table.frame.columns:
        low, column = str(name).lower(), table.frame[name]
        chosen = _chosen(low)
        if name in table.columns.values() or (_OTHER.search(low) and not chosen):
            continue
        if not chosen and column[shared].astype(str).nunique() > shared.sum() / 2:
            continue
        after, left = within(split(cells, column), y)
        if left == freedom:
            continue
        if left >= 3 and after > 0:
            ratio = ((before - after) / (freedom - left)) / (after / left)
            if stats.f.sf(ratio, freedom - left, left) > 0.01:
                continue
        remaining[str(name)] = after
    return sorted(remaining, key=lambda name: (not _chosen(name.lower()), remaining[name]))


def kinds(table: Table) -> list[str]:
    """Return the text columns by which the runs are of several kinds, such as family, recipe or corpus.

    Runs of several kinds lie on several loss surfaces, even where no two of them share N and D. A column with
    nearly as many values as rows holds names of runs, not kinds.
    """
    columns = []
    for name in table.frame.columns:
        column, low = table.frame[name], str(name).lower()
        if name in table.columns.values() or pd.api.types.is_numeric_dtype(column) or not _chosen(low):
            continue
        if 1 < column.astype(str).nunique() <= len(column) / 2:
            columns.append(str(name))
    return columns


def apart(table: Table, variables: tuple[str, ...], target: str) -> tuple[int, float] | None:
    """Return the number of cells with unexplained differences in loss, and their largest factor.

    The rows of a cell share all variables and all recorded settings. Its differences are unexplained if log
    losses differ by more than SEEDS. Returns None where no cell has such differences.
    """
    y = table.values[target]
    if target != "L" or (y <= 0).any():
        return None
    cells = cells_of([table.values[name] for name in variables])
    for name in settings(table, variables, target):
        cells = split(cells, table.frame[name])
    logs = pd.Series(np.log(y)).groupby(cells)
    span = np.asarray(logs.max() - logs.min(), dtype=np.float64)
    return (int((span > SEEDS).sum()), float(np.exp(span.max()))) if span.max() > SEEDS else None


def listed(names: list[str]) -> str:
    """Return the first three column names in backticks, and the number of the others."""
    more = f" and {len(names) - 3} more columns" if len(names) > 3 else ""
    return ", ".join(f"`{name}`" for name in names[:3]) + more
