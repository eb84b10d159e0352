"""Run the three approaches on one table and judge whether they agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scaling.errors import FitError
from scaling.fitting.approaches.one import approach_one, curves_of
from scaling.fitting.approaches.two import Two, approach_two
from scaling.fitting.arrays import Array
from scaling.fitting.estimation.solve import Optimum
from scaling.fitting.law import Law
from scaling.fitting.table import Table
from scaling.fitting.uncertainty.bootstrap import Draws
from scaling.fitting.uncertainty.estimate import Estimate
from scaling.fitting.validation.settings import kinds, listed, settings

WIDE = 0.5
"""Width of an interval of a at and above which an overlap shows no agreement. The exponent a lies between 0
and 1; an interval half as wide leaves open whether N or D grows faster."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Approaches:
    """Results of the three approaches on one table."""

    two: Two | None
    """Per-budget curves."""
    three: dict[str, Any] | None
    """Approach 3, the fitted surface: a and b."""
    one: dict[str, Any] | None
    """Approach 1, the envelope of loss curves or of final losses."""
    words: str
    """Sentence on whether the approaches agree."""
    missing: dict[str, str]
    """Reason for each approach that could not be run."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data as in the fit file."""
        out: dict[str, Any] = {"agreement": self.words, "missing": self.missing}
        if self.one is not None:
            out["1"] = self.one
        if self.two is not None:
            out["2"] = self.two.to_json()
        if self.three is not None:
            out["3"] = self.three
        return out


def run(
    law: Law,
    table: Table,
    optimum: Optimum,
    *,
    level: float,
    resamples: int,
    seed: int,
    draws: Draws | None,
    curve: str = "parabola",
    undetermined: Mapping[str, str] | None = None,
) -> Approaches | None:
    """Run the approaches that the table allows; return None where N, D or the loss is missing.

    Approach 2 fits the kind of curve named `curve` in each budget. Approach 3 gives no value where parameters
    of the law are `undetermined`.
    """
    if not {"N", "D", "L"} <= set(table.values):
        return None
    missing: dict[str, str] = {}
    three = surface = best = None
    left = next((f"{name} is undetermined: {why}" for name, why in (undetermined or {}).items()), None)
    split = law.best_split
    if split is None or not {"a", "b"} <= set(law.derived):
        missing["3"] = f"the law fitted is {law.name}; approach 3 is the law chinchilla"
    elif left is not None:
        missing["3"] = left
    else:
        p = law.values(optimum.theta)
        three = {name: _estimate(law, name, optimum, draws, level).to_json() for name in ("a", "b")}

        def surface(n: Array, d: Array) -> Array:
            return law.predict(optimum.theta, {"N": n, "D": d})

        def best(flops: Array) -> tuple[Array, Array]:
            return split(p, flops)

    mixed = kinds(table)
    two = None
    try:
        _comparable(2, mixed)
        two = approach_two(
            table,
            curve=curve,
            level=level,
            resamples=max(resamples, 200),
            seed=seed,
            surface=surface,
            optimum=best,
        )
    except FitError as error:
        missing["2"] = str(error)
    one = None
    if table.folder is not None:
        try:
            _comparable(1, mixed or settings(table, ("N", "D"), "L"))
            one = approach_one(curves_of(table), level=level, seed=seed)
        except FitError as error:
            missing["1"] = str(error)
    else:
        missing["1"] = "approach 1 needs loss curves, which only a ledger has"
    if two is None and three is None and one is None:
        return Approaches(two=None, three=None, one=None, words="no approach could be run", missing=missing)
    return Approaches(two=two, three=three, one=one, words=_words(one, two, three, missing), missing=missing)


def _comparable(approach: int, differ: list[str]) -> None:
    """Raise FitError where the runs differ in the columns `differ` besides size and tokens."""
    if differ:
        raise FitError(
            f"approach {approach} compares runs that differ in size and tokens alone, and these differ in "
            f"{listed(differ)}; keep one value of each with --where"
        )


def _estimate(law: Law, name: str, optimum: Optimum, draws: Draws | None, level: float) -> Estimate:
    function = law.derived[name]
    value = float(np.squeeze(function(law.values(optimum.theta))))
    if draws is None:
        return Estimate(value=value, interval=None, level=level, method="none asked")
    return draws.estimate(value, np.asarray(function(law.values(draws.theta))), level)


def _words(
    one: dict[str, Any] | None, two: Two | None, three: dict[str, Any] | None, missing: Mapping[str, str]
) -> str:
    """Return one sentence on whether the intervals of a overlap."""
    known: dict[str, dict[str, Any]] = {}
    if one is not None:
        known["1"] = one["a"]
    if two is not None:
        known["2"] = two.a.to_json()
    if three is not None:
        known["3"] = three["a"]
    known = {k: v for k, v in known.items() if v["value"] is not None}
    if not known:
        return "no approach gives a number"
    if len(known) < 2:
        why = f"; {missing['2']}" if "2" in missing else ""
        return f"only approach {next(iter(known))} could be run; nothing to compare it with{why}"
    spans = {k: v["interval"] for k, v in known.items() if v["interval"] and None not in v["interval"]}
    values = ", ".join(
        f"approach {k} a = {v['value']:.3f}"
        + (f" [{spans[k][0]:.3f}, {spans[k][1]:.3f}]" if k in spans else " (no interval)")
        for k, v in known.items()
    )
    if len(spans) < 2:
        return f"{values}: too few intervals to judge agreement"
    which = "the approaches" if len(spans) == len(known) else f"approaches {' and '.join(spans)}"
    if max(low for low, _ in spans.values()) > min(high for _, high in spans.values()):
        return f"{values}: the intervals do not overlap, {which} disagree"
    wide = [k for k, (low, high) in spans.items() if high - low > WIDE]
    if wide:
        return f"{values}: too wide an interval of approach {' and '.join(wide)} to judge agreement"
    return f"{values}: the intervals overlap, {which} agree"
