"""Reproduce one published fit and judge it: reproduced, better optimum found, or not reproducible."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scaling.errors import ScalingError, TableError

REPRODUCED = "reproduced"
BETTER = "better optimum found"
NOT = "not reproducible"
MISSING = "no data here"
OUTCOMES = (REPRODUCED, BETTER, NOT, MISSING)

GAIN = 1e-4
"""Relative decrease of the objective above which an optimum counts as better. Published parameters have too
few digits to resolve a smaller one."""


@dataclass(frozen=True, kw_only=True)
class Refit:
    """The result of repeating a published fit."""

    values: Mapping[str, float]
    """Our values, by the names of the published values."""
    objective: float | None = None
    """Objective at our optimum."""
    at_published: float | None = None
    """Objective on the same data at the published values, or the published objective where the paper gives
    only that."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """Further results for the reader, such as a profile or a second optimum."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One published fit."""

    name: str
    """Name as `group/fit`, for `scaling reproduce NAME`."""
    paper: str
    """Paper with arXiv id, and the place in it."""
    claim: str
    """Law and data of the fit, in one sentence."""
    data: tuple[str, ...]
    """Registry names of the tables that the fit needs; empty where the paper's own figures are enough."""
    law: str
    """Name of the law in the catalogue, or the method in words."""
    objective: str
    """Objective, in words."""
    published: Mapping[str, float]
    """Published values by name."""
    run: Callable[[], Refit]
    """Function that repeats the fit."""
    within: Mapping[str, float] | float = 0.01
    """Tolerance of the values: absolute ones by name, or one relative tolerance for all."""
    least: tuple[str, ...] = ()
    """Names of values that the paper claims as lower bounds."""
    note: str = ""
    """Known reason for the outcome; else empty."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of repeating one published fit."""

    entry: Entry
    """Published fit."""
    outcome: str
    """Verdict, one of `OUTCOMES`."""
    refit: Refit | None
    """Result of the repeated fit; None where it failed."""
    differences: Mapping[str, float]
    """Our value minus the published one, by name."""
    seconds: float
    """Wall time of the repeated fit, in seconds."""
    reason: str = ""
    """Error message where the fit failed; else empty."""


def close(entry: Entry, name: str, value: float) -> bool:
    """Return whether our value agrees with the published one within the entry's tolerance."""
    published = entry.published[name]
    if name in entry.least:
        return value >= published
    allowed = entry.within if isinstance(entry.within, float) else entry.within[name]
    return abs(value - published) <= (
        allowed * abs(published) if isinstance(entry.within, float) else allowed
    )


def judge(entry: Entry, refit: Refit) -> str:
    """Return the outcome of a repeated fit.

    It is reproduced if every value agrees, or if the objective agrees to the published digits, as in a flat
    valley. Otherwise a lower objective is a better optimum, and a higher or unknown one is not reproducible.
    """
    if all(close(entry, name, refit.values[name]) for name in entry.published):
        return REPRODUCED
    if refit.objective is None or refit.at_published is None:
        return NOT
    gain = (refit.at_published - refit.objective) / abs(refit.at_published)
    if gain > GAIN:
        return BETTER
    return REPRODUCED if gain > -GAIN else NOT


def reproduce(entry: Entry) -> Outcome:
    """Repeat one published fit and judge it. A missing table is an outcome, not an error."""
    start = time.perf_counter()
    try:
        refit = entry.run()
    except TableError as error:
        return Outcome(
            entry=entry,
            outcome=MISSING,
            refit=None,
            differences={},
            seconds=time.perf_counter() - start,
            reason=str(error),
        )
    except ScalingError as error:
        return Outcome(
            entry=entry,
            outcome=NOT,
            refit=None,
            differences={},
            seconds=time.perf_counter() - start,
            reason=str(error),
        )
    differences = {name: refit.values[name] - value for name, value in entry.published.items()}
    return Outcome(
        entry=entry,
        outcome=judge(entry, refit),
        refit=refit,
        differences=differences,
        seconds=time.perf_counter() - start,
    )


def record(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as plain data for JSON."""
    entry, refit = outcome.entry, outcome.refit
    return {
        "name": entry.name,
        "outcome": outcome.outcome,
        "paper": entry.paper,
        "claim": entry.claim,
        "law": entry.law,
        "objective_in_words": entry.objective,
        "data": list(entry.data),
        "published": {k: float(v) for k, v in entry.published.items()},
        "found": {} if refit is None else {k: float(v) for k, v in refit.values.items()},
        "differences": {k: float(v) for k, v in outcome.differences.items()},
        "objective": None if refit is None or refit.objective is None else float(refit.objective),
        "objective_at_published": None
        if refit is None or refit.at_published is None
        else float(refit.at_published),
        "detail": {} if refit is None else dict(refit.detail),
        "note": entry.note,
        "reason": outcome.reason,
        "seconds": round(outcome.seconds, 3),
    }
