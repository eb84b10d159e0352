"""Group runs into compute budgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scaling.fitting.arrays import Array
from scaling.fitting.table import Table


@dataclass(frozen=True, kw_only=True, eq=False)
class Budget:
    """A group of runs that spent about the same compute."""

    flops: float
    """Geometric mean of the runs' compute, FLOPs."""
    members: np.ndarray[Any, np.dtype[np.int64]]
    """Row numbers in the table."""


def compute(table: Table) -> Array:
    """Return the FLOPs of each run: the table's own C, else 6 N D."""
    own = table.optional("C")
    return own if own is not None else 6 * table.values["N"] * table.values["D"]


def budgets(table: Table, *, gap: float = 1.25, span: float = 1.6) -> list[Budget]:
    """Return the budgets, smallest first.

    Runs are grouped by the ledger's `budget_flops` where every run has one. Otherwise the sorted compute is
    cut where it jumps by more than a factor of `gap`, and a group that still spans more than a factor of
    `span` is cut at its widest jump.
    """
    flops = compute(table)
    if "budget_flops" in table.frame.columns and table.frame["budget_flops"].notna().all():
        labels = np.unique(np.asarray(table.frame["budget_flops"], float), return_inverse=True)[1]
        groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    else:
        order = np.argsort(flops, kind="stable")
        groups = _cut(order, np.log(flops), np.log(gap), np.log(span))
    return [Budget(flops=float(np.exp(np.log(flops[g]).mean())), members=g) for g in groups]


def _cut(order: Any, log: Array, gap: float, span: float) -> list[np.ndarray[Any, np.dtype[np.int64]]]:
    """Split row numbers sorted by compute into groups; cut a group whose widest jump or total span is too
    large."""
    open_, done = [order], []
    while open_:
        group = open_.pop()
        steps = np.diff(log[group])
        if len(group) < 2 or (steps.max() <= gap and log[group[-1]] - log[group[0]] <= span):
            done.append(group)
            continue
        at = int(np.argmax(steps)) + 1
        if steps[at - 1] <= gap:
            # Compute without jumps is cut near its middle, so that no small group splits off at an end and a
            # million rows take twenty cuts.
            middle = np.abs(log[group[:-1]] - 0.5 * (log[group[0]] + log[group[-1]])) <= 0.25 * (
                log[group[-1]] - log[group[0]]
            )
            at = int(np.argmax(np.where(middle, steps, -1.0))) + 1
        open_ += [group[:at], group[at:]]
    return sorted(done, key=lambda group: float(log[group[0]]))
