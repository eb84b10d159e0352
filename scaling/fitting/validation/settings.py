"""Which columns hold settings in which the runs of a table differ, and which rows are runs of one cell."""

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
"""Names of settings, which count as such even where each run has a value of its own."""
_RESULT = re.compile(r"(^|[^a-z])(seed|loss|acc|accuracy|score|ppl|perplexity|bits|bpb|metric)([^a-z]|$)")
"""Words that make a name one of a seed or of a result whatever else it says: the loss on a corpus."""
_OTHER = re.compile(
    r"seed|repl|repeat|trial|loss|acc|score|ppl|perplex|bits|bpb|grad|metric|status|reason|flops|seconds|hours"
    r"|minutes|time|date|started|ended|speed|per_second|mfu|memory|kwh|price|cost|host|node|device|gpu|thread"
    r"|micro|compiled|worker|rank|job|slurm|git|commit|version|path|dir|file|url|done|(^|_)(id|name|run|index)(_|$)"
)
"""Names of what a run is called, of where and when it ran and of what came out, which are no settings."""

SEEDS = 0.1
"""How far apart, in the logarithm, the losses of two runs of one cell may lie before seeds cannot be why.
Over this project's ledgers seeds of one cell of pre-training lie within .035 of each other."""


def _chosen(low: str) -> bool:
    """Return whether a column of this name in small letters holds a setting."""
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
    """Return the cell numbers (n,) of rows that share a cell and the column's value too."""
    codes = pd.factorize(column.astype(str))[0]
    return np.asarray(np.unique(np.stack([cells, codes]), axis=1, return_inverse=True)[1].reshape(-1))


def settings(table: Table, variables: tuple[str, ...], target: str) -> list[str]:
    """Return the columns of settings in which rows at equal variables differ, those that tell most first.

    A column counts where its name is of a setting, or its values recur over the rows that share a cell; not
    where it holds names, seeds, places, times or results, nor where there are replicates enough (three
    degrees of freedom) to see that it does not matter (F test, p above 0.01).
    """
    cells = cells_of([table.values[name] for name in variables])
    y = table.values[target]
    y = np.log(y) if (y > 0).all() else y
    shared = np.bincount(cells)[cells] > 1
    before, freedom = within(cells, y)
    found: dict[str, float] = {}
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
        found[str(name)] = after
    return sorted(found, key=lambda name: (not _chosen(name.lower()), found[name]))


def kinds(table: Table) -> list[str]:
    """Return the columns that say in words that the runs are of several kinds: families, recipes, corpora.

    Such runs lie on several surfaces, whether or not two of them share N and D. A word that hardly any two
    rows share is a name of a run and no kind.
    """
    found = []
    for name in table.frame.columns:
        column, low = table.frame[name], str(name).lower()
        if name in table.columns.values() or pd.api.types.is_numeric_dtype(column) or not _chosen(low):
            continue
        if 1 < column.astype(str).nunique() <= len(column) / 2:
            found.append(str(name))
    return found


def apart(table: Table, variables: tuple[str, ...], target: str) -> tuple[int, float] | None:
    """Return in how many cells rows at equal variables differ by more than seeds can though no column says
    why, and the largest factor between two of them; None where none do.

    Counted are cells whose losses lie further apart than SEEDS in the logarithm once the settings that are
    recorded are told apart.
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
    """Return the first three names of columns in backticks, and how many more there are."""
    more = f" and {len(names) - 3} more columns" if len(names) > 3 else ""
    return ", ".join(f"`{name}`" for name in names[:3]) + more
