"""Select the rows of a table that are finished runs of one kind, each once."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from scaling.errors import TableError
from scaling.tables.columns import kept
from scaling.tables.expression import evaluate, named
from scaling.tables.schema import STATUSES

DONE = ("done", "finished", "completed", "complete", "success", "succeeded", "successful", "ok")
"""Words of this and of other programs for a run that ended well."""
UNDONE = (
    *(status for status in STATUSES if status not in DONE),
    *("aborted", "cancelled", "canceled", "crashed", "deadline", "error", "incomplete", "initializing"),
    *("interrupted", "killed", "node_fail", "oom", "paused", "pending", "preempted", "preempting", "queued"),
    *("requeued", "running", "scheduled", "starting", "stopped", "stopping", "submitted", "suspended"),
    *("terminated", "timeout", "timed_out", "unfinished", "waiting"),
)
"""Words for a run that did not end well, or not yet."""
_STATES = ("status", "state", "run_status", "run_state", "job_status", "job_state")
_CODES = ("exit_code", "exitcode", "exit_status", "return_code", "returncode")
"""Columns whose numbers are zero for a run that ended well."""
_TRUE, _FALSE = ("true", "yes", "y", "1", "1_0"), ("false", "no", "n", "0", "0_0")
_KINDS = (
    *("objective", "metric", "metric_name", "measure", "unit", "units", "split"),
    *("loss_unit", "loss_units", "loss_kind", "loss_type", "loss_name"),
)
"""Columns whose values must be equal in all rows of one fit: what is measured, in which unit, on what."""
_SUMMARIES = (
    *("total", "totals", "grand_total", "subtotal", "sum", "mean", "average", "avg", "median", "std"),
    *("stdev", "summary", "overall"),
)
"""Labels of rows that sum up other rows."""


def select(
    frame: pd.DataFrame, path: str, where: str | None, by: str | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """Return the finished runs for which `where` is true, each once, and notes on what is left out.

    `by` is a column or expression that splits the rows; then each part must be of one kind. A column that
    `where` names is the user's to judge. Raises TableError if no run is left, or rows are of several kinds.
    """
    if frame.empty:
        raise TableError(f"{path} has no rows; give a table with runs")
    judged = named(where, frame) if where else set()
    notes: list[str] = []
    frame = _finished(frame.reset_index(drop=True), judged, notes)
    if frame.empty:
        raise TableError(f"{path} has no finished runs; wait for one, or name another table")
    frame = _once(kept(frame, where).reset_index(drop=True), path, notes)
    _one_kind(frame, path, judged, by)
    return frame, notes


def _word(text: object) -> str:
    return re.sub(r"[\s./-]+", "_", str(text).strip().lower())


def _finished(frame: pd.DataFrame, judged: set[str], notes: list[str]) -> pd.DataFrame:
    """Return the rows whose status and flags do not say that the run has not ended well."""
    left = pd.Series(True, frame.index)
    for column in frame.columns:
        name = _word(column)
        if column in judged or frame[column].isna().all():
            continue
        if name in _STATES and not pd.api.types.is_numeric_dtype(frame[column]):
            words = frame[column].map(lambda state: _word(state).partition("_by_")[0], na_action="ignore")
            if not words.isin((*DONE, *UNDONE)).any():
                _others(frame, column, notes)
                continue
            left &= words.notna() & ~words.isin(UNDONE)
            if not words.dropna().isin((*DONE, *UNDONE)).all():
                _others(frame[left], column, notes)
        elif name in (*DONE, *UNDONE) and (flags := _flags(frame[column])) is not None:
            left &= flags if name in DONE else ~flags
        elif name in _CODES and pd.api.types.is_numeric_dtype(frame[column]):
            left &= frame[column].fillna(0) == 0
    if not left.all():
        notes.append(f"{int((~left).sum())} of {len(frame)} runs are not done and are left out")
    return frame[left]


def _flags(values: pd.Series) -> pd.Series | None:
    """Return a column of flags as true and false, missing ones as false; None if it holds anything else."""
    words = values.map(_word, na_action="ignore")
    if not words.dropna().isin((*_TRUE, *_FALSE)).all():
        return None
    return words.isin(_TRUE)


def _others(frame: pd.DataFrame, column: str, notes: list[str]) -> None:
    """Add a note that rows of unknown states are used."""
    states = sorted({str(state) for state in frame[column].dropna()})
    if len(states) > 1:
        notes.append(
            f"the column {column!r} says {', '.join(states[:6])} and all rows are used; keep those that "
            f"ended well, as in --where \"{column} == '{frame[column].mode()[0]}'\""
        )


def _once(frame: pd.DataFrame, path: str, notes: list[str]) -> pd.DataFrame:
    """Return the rows of a ledger without those that repeat another in every column.

    Rows of one run may differ if they are its points on the way, of one size after different tokens, or its
    weights rounded or pruned in different ways.
    """
    if not {"run_id", "params", "tokens"} <= set(frame.columns):
        return frame
    again = frame[frame["run_id"].notna() & frame.duplicated("run_id", keep=False)]
    if again.empty:
        return frame
    copies = again.index[again.astype(str).duplicated()]
    if len(copies):
        notes.append(f"{len(copies)} rows repeat the row of the same run in every column and are left out")
    frame, again = frame.drop(index=copies).reset_index(drop=True), again.drop(index=copies)
    apart = [name for name in ("tokens", "weight_bits", "sparsity") if name in frame.columns]
    for run, rows in again.groupby("run_id"):
        if len(rows) > 1 and (rows["params"].nunique() > 1 or rows.duplicated(apart).any()):
            differing = [str(column) for column in rows if rows[column].astype(str).nunique() > 1]
            raise TableError(
                f"{path} holds {len(rows)} rows of the run {str(run)!r} that differ in "
                f"{', '.join(differing[:4])}; keep the right one, or give every run its own run_id"
            )
    return frame


def _one_kind(frame: pd.DataFrame, path: str, judged: set[str], by: str | None) -> None:
    """Raise an error if rows sum up others, or measure several things."""
    parts = (
        np.zeros(len(frame)) if by is None else pd.factorize(pd.Series(evaluate(by, frame)).astype(str))[0]
    )
    for column in frame.columns:
        values = frame[column]
        if column in judged or pd.api.types.is_numeric_dtype(values) or values.isna().all():
            continue
        if _word(column) in _KINDS and (values.astype(object).groupby(parts).nunique() > 1).any():
            kinds = sorted(map(str, values.dropna().unique()))
            raise TableError(
                f"the column {column!r} of {path} holds {', '.join(map(repr, kinds[:4]))}, and rows of "
                "several kinds are not fitted together; keep one with "
                f'--where "{_name(column)} == {kinds[0]!r}"'
            )
        sums = values.map(lambda cell: isinstance(cell, str) and _word(cell).rstrip(":") in _SUMMARIES)
        others = values[~sums].dropna()
        if sums.any() and len(others) > 1 and (sums.sum() == 1 or others.is_unique):
            row = int(np.flatnonzero(sums)[0])
            raise TableError(
                f"row {row + 1} of {path} seems to sum up other rows, as its {column!r} is "
                f"{values.iloc[row]!r}; remove it, or leave it out with "
                f'--where "{_name(column)} != {values.iloc[row]!r}"'
            )


def _name(column: str) -> str:
    return column if column.isidentifier() else f"`{column}`"
