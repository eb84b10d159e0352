"""Group runs by budget and by kind, and pick the best of several learning rates.

The kind of a run names what its cell changes besides size, data, seed and learning rate. No curve and no fit
joins runs of two kinds.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pandas as pd

SAME_BUDGET = 1.12
"""Largest ratio of two realised budgets that count as one budget, where no budget was recorded."""

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
"""Columns of a ledger that distinguish kinds, each with the word printed before its value."""
_DIAL = ("sweep.", "budget.", "seed=", "family.size=", "corpus.unique_tokens=", "recipe.learning_rate")
_PLACE = ("results=", "hydra", "device")
"""Overrides that set size, duration or place and never name a kind."""
BASE = "base"
"""Kind of a run that changes nothing, where other runs change something."""


def budgets(runs: pd.DataFrame) -> pd.Series:
    """Return the budget of every run in FLOP.

    This is the budget asked for where every run recorded one; else the geometric mean of each cluster of
    realised budgets.
    """
    recorded = (
        pd.to_numeric(runs["budget_flops"], errors="coerce")
        if "budget_flops" in runs
        else pd.Series(np.nan, index=runs.index)
    )
    if recorded.notna().all() and len(recorded):
        return recorded.astype(float)
    logs = runs["flops"].astype(float).map(math.log).sort_values()
    group = (logs.diff() > math.log(SAME_BUDGET)).cumsum()
    return pd.Series(logs.groupby(group).transform("mean").map(math.exp).reindex(runs.index))


def kinds(runs: pd.DataFrame, plan: dict[str, Any] | None) -> pd.Series:
    """Return the kind of every run in words; empty where all runs are of one kind."""
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
    """Return a value as a label: 256 instead of 256.0."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _changes(cell: dict[str, Any]) -> str:
    """Return the switches of one cell, such as `norm layernorm`."""
    switches = []
    for word in cell.get("overrides") or []:
        key, _, value = str(word).lstrip("+~").partition("=")
        last = key.rpartition(".")[2]
        if key in ("start.sweep", "start.run"):
            switches.append("scratch" if value == "null" else f"from {value}")
        elif not f"{key}=".startswith(_DIAL + _PLACE) and last not in {*COLUMNS, "name", "tokenizer"}:
            switches.append(f"{last.replace('_', ' ')} {value}")
    return ", ".join(switches)


def in_order(kind: str) -> list[Any]:
    """Return the sort key of a kind; its numbers sort as numbers, so that 512 comes before 1024."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", kind)]


def per_byte(done: pd.DataFrame) -> bool:
    """Return whether losses are comparable only per byte, because the runs use several vocabularies."""
    known = {"vocab", "bits_per_byte"} <= set(done)
    return known and bool(done["vocab"].nunique() > 1 and done["bits_per_byte"].notna().all())


def tuned(runs: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return the run at the best learning rate for every kind, budget, size and seed.

    Also return the largest number of rates that any of these groups was tried with.
    """
    if "learning_rate" not in runs or runs.empty:
        return runs, 1
    same = runs.groupby(["kind", "budget", "params", *(["seed"] if "seed" in runs else [])], dropna=False)
    most = int(same["learning_rate"].nunique().max())
    return (runs, 1) if most < 2 else (runs.loc[same["loss"].idxmin()].sort_index(), most)


def base(runs: pd.DataFrame, plan: dict[str, Any] | None, comparison: dict[str, Any] | None) -> str:
    """Return the baseline kind that the others are compared with.

    This is the baseline of the comparison, else the kind that changes nothing, else the first kind of the
    plan or of the table.
    """
    known = set(runs["kind"])
    for g in (comparison or {}).get("gains") or []:
        if g.get("over") in known:
            return str(g["over"])
    if BASE in known:
        return BASE
    of_run = dict(zip(runs["run_id"], runs["kind"], strict=True))
    planned = [of_run[c["run_id"]] for c in (plan or {}).get("cells") or [] if c["run_id"] in of_run]
    return str((planned or list(runs["kind"]))[0])
