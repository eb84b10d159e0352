"""One published fit and what became of it: reproduced, a better optimum found, or not reproducible."""

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
"""By which share an objective must be lower before it counts as a better optimum: below it, published digits
are too few."""


@dataclass(frozen=True, kw_only=True)
class Refit:
    """What came of running a published fit again."""

    values: Mapping[str, float]
    """By the names of the published values."""
    objective: float | None = None
    """The objective at our optimum."""
    at_published: float | None = None
    """The same objective of the same data at the published values, or the published objective where only that
    is given."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else a reader should see: a profile, a second optimum."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One published fit."""

    name: str
    """`group/what`, for `scaling reproduce NAME`."""
    paper: str
    """Where it was published."""
    claim: str
    """What was fitted to what, in one sentence."""
    data: tuple[str, ...]
    """The published tables it needs, by registry name; empty where the paper's own figures suffice."""
    law: str
    """The law, by its name in the catalogue, or the method in words."""
    objective: str
    """What was minimised, in words."""
    published: Mapping[str, float]
    """The published values."""
    run: Callable[[], Refit]
    """Repeats it."""
    within: Mapping[str, float] | float = 0.01
    """By how much a value may differ: absolutely by name, or one relative tolerance for all."""
    least: tuple[str, ...] = ()
    """Values that are claims of at least so much."""
    note: str = ""
    """Why it comes out as it does, where that is known."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of an entry."""

    entry: Entry
    outcome: str
    """One of `OUTCOMES`."""
    refit: Refit | None
    """None where it could not be run."""
    differences: Mapping[str, float]
    """Ours minus published."""
    seconds: float
    reason: str = ""
    """Why it could not be run."""


def close(entry: Entry, name: str, value: float) -> bool:
    """Return whether a value of ours agrees with the published one."""
    published = entry.published[name]
    if name in entry.least:
        return value >= published
    allowed = entry.within if isinstance(entry.within, float) else entry.within[name]
    return abs(value - published) <= (
        allowed * abs(published) if isinstance(entry.within, float) else allowed
    )


def judge(entry: Entry, refit: Refit) -> str:
    """Reproduced when every value agrees, or when the objective is the same to the published digits (a flat
    valley); otherwise better or not, by the objective."""
    if all(close(entry, name, refit.values[name]) for name in entry.published):
        return REPRODUCED
    if refit.objective is None or refit.at_published is None:
        return NOT
    gain = (refit.at_published - refit.objective) / abs(refit.at_published)
    if gain > GAIN:
        return BETTER
    return REPRODUCED if gain > -GAIN else NOT


def reproduce(entry: Entry) -> Outcome:
    """Runs one entry. Data that are not here are an outcome, not an error."""
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
    """An outcome as plain data for JSON."""
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
