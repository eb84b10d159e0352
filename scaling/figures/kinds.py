"""Which runs belong together: the budget of each, its kind (what its cell changes besides size, data, seed
and learning rate), and the best of several learning rates. No curve and no fit may join runs of two kinds."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pandas as pd

SAME_BUDGET = 1.12
"""Realised budgets within this factor of one another are the same budget where none was recorded."""

COLUMNS = {
    "family": "",
    "objective": "",
    "corpus": "",
    "vocab": "vocabulary ",
    "context": "context ",
    "optimizer": "",
    "schedule": "",
    "dtype": "",
}
"""Columns of a ledger whose values are told apart, each with the word before its value."""
_DIAL = ("sweep.", "budget.", "seed=", "family.size=", "corpus.unique_tokens=", "recipe.learning_rate")
_PLACE = ("results=", "hydra", "device")
"""Overrides that say how large, how long and where; those of a column above are said by the column."""
BASE = "base"
"""What a run is called that changes nothing where others do."""


def budgets(runs: pd.DataFrame) -> pd.Series:
    """The budget of every run in FLOP: what was asked where recorded, else realised budgets that lie
    together (their geometric mean)."""
    asked = (
        pd.to_numeric(runs["budget_flops"], errors="coerce")
        if "budget_flops" in runs
        else pd.Series(np.nan, index=runs.index)
    )
    if asked.notna().all() and len(asked):
        return asked.astype(float)
    logs = runs["flops"].astype(float).map(math.log).sort_values()
    group = (logs.diff() > math.log(SAME_BUDGET)).cumsum()
    return pd.Series(logs.groupby(group).transform("mean").map(math.exp).reindex(runs.index))


def kinds(runs: pd.DataFrame, plan: dict[str, Any] | None) -> pd.Series:
    """The kind of every run, in words; empty where all are of one kind."""
    columns = [c for c in COLUMNS if c in runs and runs[c].nunique() > 1]
    parts = [COLUMNS[c] + runs[c].map(_word) for c in columns]
    changed = {cell["run_id"]: _changes(cell) for cell in (plan or {}).get("cells") or []}
    parts.append(runs["run_id"].map(changed).fillna("") if changed else pd.Series("", index=runs.index))
    if parts[-1].nunique() < 2:
        parts.pop()
    if not parts:
        return pd.Series("", index=runs.index)
    joined = pd.concat(parts, axis=1).apply(lambda row: ", ".join(filter(None, row)), axis=1)
    return joined.where(joined != "", BASE)


def _word(value: Any) -> str:
    """A value as a label: 256 and not 256.0."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _changes(cell: dict[str, Any]) -> str:
    """The switches of one cell: `norm layernorm`."""
    found = []
    for word in cell.get("overrides") or []:
        key, _, value = str(word).lstrip("+~").partition("=")
        last = key.rpartition(".")[2]
        if key in ("start.sweep", "start.run"):
            found.append("scratch" if value == "null" else f"from {value}")
        elif not f"{key}=".startswith(_DIAL + _PLACE) and last not in {*COLUMNS, "name", "tokenizer"}:
            found.append(f"{last.replace('_', ' ')} {value}")
    return ", ".join(found)


def in_order(kind: str) -> list[Any]:
    """What kinds are sorted by: numbers in them as numbers, so that 512 comes before 1024."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", kind)]


def per_byte(done: pd.DataFrame) -> bool:
    """Whether losses compare per byte alone: tokens of several vocabularies hold unequal amounts of text."""
    known = {"vocab", "bits_per_byte"} <= set(done)
    return known and bool(done["vocab"].nunique() > 1 and done["bits_per_byte"].notna().all())


def tuned(runs: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Of every kind, budget, size and seed the run at its best learning rate, and the most rates that one of
    them was tried with."""
    if "learning_rate" not in runs or runs.empty:
        return runs, 1
    same = runs.groupby(["kind", "budget", "params", *(["seed"] if "seed" in runs else [])], dropna=False)
    most = int(same["learning_rate"].nunique().max())
    return (runs, 1) if most < 2 else (runs.loc[same["loss"].idxmin()].sort_index(), most)


def base(runs: pd.DataFrame, plan: dict[str, Any] | None, comparison: dict[str, Any] | None) -> str:
    """The kind that others are held against: the baseline of a comparison, the one that changes nothing, else
    the first of the plan or of the table."""
    known = set(runs["kind"])
    for g in (comparison or {}).get("gains") or []:
        if g.get("over") in known:
            return str(g["over"])
    if BASE in known:
        return BASE
    of_run = dict(zip(runs["run_id"], runs["kind"], strict=True))
    planned = [of_run[c["run_id"]] for c in (plan or {}).get("cells") or [] if c["run_id"] in of_run]
    return str((planned or list(runs["kind"]))[0])
