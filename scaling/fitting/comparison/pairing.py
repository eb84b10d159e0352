"""Pair the runs of several tables by their cells, so that they can be resampled together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from scaling.errors import ConfigError
from scaling.fitting.table import Table

CELLS = (
    ("size", "budget_flops", "tokens_asked", "seed"),
    ("size", "tokens", "seed"),
    ("size", "budget_flops"),
)
"""Columns of a ledger that identify a cell, also where families of one size differ in N."""

APART = ("budget_flops", "tokens_asked", "seed")
"""Columns that distinguish runs with equal variables."""


def paired(tables: Sequence[Table], variables: Sequence[str]) -> tuple[list[Table], str] | None:
    """Return all tables in the row order of the first and the keys that pair them; None where no keys pair
    them one to one.

    Runs are paired by the cell columns of a ledger, else by the values of the law's `variables`. The first
    keys are taken whose values are unique in each table and the same in all.
    """
    columns = [
        {name: t.frame[name] for name in t.frame.columns} | {v: pd.Series(t.values[v]) for v in variables}
        for t in tables
    ]
    for wanted in (*CELLS, (*variables, *APART), tuple(variables)):
        keys = [k for k in wanted if all(k in own and own[k].notna().all() for own in columns)]
        if wanted[0] not in keys or keys == ["size"]:
            continue
        indices = [_index([own[k] for k in keys]) for own in columns]
        if any(not index.is_unique for index in indices):
            continue
        if all(len(index) == len(indices[0]) and index.isin(indices[0]).all() for index in indices):
            ordered = [
                t.take(index.get_indexer(indices[0])) for t, index in zip(tables, indices, strict=True)
            ]
            return ordered, " and ".join(keys)
    return None


def alike(tables: Sequence[Table], labels: Sequence[str], cluster: str) -> list[Table]:
    """Return paired tables with the cluster numbers of the first, so that one draw takes the same runs.

    Raises ConfigError where paired runs lie in different clusters.
    """
    first = tables[0].labels(cluster)
    out = [tables[0]]
    for table, label in zip(tables[1:], labels[1:], strict=True):
        own = table.labels(cluster)
        if len(set(zip(first, own, strict=True))) != max(len(set(first)), len(set(own))):
            raise ConfigError(
                f"the runs of {labels[0]} and {label} are paired and fall into different clusters of "
                f"{cluster}; cluster by a column that is the same for both runs of a pair"
            )
        out.append(replace(table, frame=table.frame.assign(**{cluster: first})))
    out[0] = replace(tables[0], frame=tables[0].frame.assign(**{cluster: first}))
    return out


def _index(keys: Sequence[pd.Series]) -> pd.Index:
    """Return cells as text in which 1 equals 1.0 and rounding errors do not separate equal cells."""

    def text(values: pd.Series) -> list[str]:
        if pd.api.types.is_numeric_dtype(values):
            return [f"{v:.9g}" for v in np.asarray(values, dtype=np.float64)]
        return [str(v) for v in values]

    return pd.Index(["|".join(parts) for parts in zip(*(text(k) for k in keys), strict=True)])
