"""Compute-equivalent gains as numbers of a claim: shared by the claims on families and switches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from claim import bare, digits, done, of_estimate, spoken, window
from schema import Number

from scaling import figures
from scaling.errors import FitError
from scaling.fitting import laws
from scaling.fitting.comparison.compare import Comparison, compare
from scaling.fitting.comparison.gain import frontier, gain, gain_between
from scaling.fitting.fit import fit as run
from scaling.fitting.fit import read_for
from scaling.fitting.table import Table
from scaling.fitting.uncertainty.bootstrap import bootstrap
from scaling.fitting.uncertainty.estimate import percentile

WHAT = "compute-equivalent gain of "


def families(study: Path, base: str) -> Comparison:
    """Every family of a study against one of them, by the Chinchilla law."""
    law, runs = laws.get("chinchilla"), done(study)
    names = sorted(runs["family"].unique(), key=lambda name: (name != base, name))
    return compare({name: read_for(law, study, where=f"family == '{name}'") for name in names}, law)


def numbers(found: Comparison, study: Path) -> list[Number]:
    """The headline gains of a comparison."""
    rows = {label: fit.table.n for label, fit in zip(found.labels, found.fits, strict=True)}
    return [
        of_estimate(
            f"{WHAT}{g.of} over {g.over}, {study.name}",
            g.headline.to_json(),
            rows[g.of] + rows[g.over],
            window(done(study)),
        )
        for g in found.gains
    ]


def few(base: Table, other: Table, labels: tuple[str, str], study: Path) -> list[Number]:
    """The gain between two curves L = a C^-b of a few runs each; none where they share no compute.

    Resampling pairs would break with four rows, so the noise is drawn: independently for both, as large
    as the residuals of both say, with percentiles expanded for their few degrees of freedom. A curve through
    as many points as it has parameters has no residuals, and its gain no interval.
    """
    law = laws.get("power-c")
    fits = [run(table, law, objective="squares", bootstrap="none") for table in (base, other)]
    spare = sum(fit.table.n - len(law.names) for fit in fits)
    squares = sum(float((fit.problem.residuals(fit.optimum.u) ** 2).sum()) for fit in fits)
    noise = float(np.sqrt(squares / max(spare, 1)))
    fits = [
        replace(
            fit,
            draws=bootstrap(
                fit.problem, fit.optimum, name="parametric", resamples=2000, seed=seed, noise=noise
            ),
        )
        for seed, fit in enumerate(fits)
    ]
    try:
        found = gain(fits[0], fits[1], labels)
    except FitError:
        return []
    name, n = f"{WHAT}{labels[1]} over {labels[0]}, {study.name}", base.n + other.n
    span = window(pd.concat([base.frame, other.frame]))
    if spare < 1:
        return [bare(name, found.headline.value, "as many points as parameters", n, span)]
    fronts = [frontier(fit, fit.draws.theta) for fit in fits]
    drawn = np.exp(np.log(gain_between(*fronts, np.geomspace(*found.span, 25))).mean(axis=-1))
    method = f"independent {fits[0].draws.method}, {spare} degrees of freedom"
    entry = percentile(found.headline.value, drawn, fits[0].options.level, method, spare=spare)
    return [of_estimate(name, entry.to_json(), n, span)]


def estimates(found: Comparison, name: str, words: str, study: Path) -> list[Number]:
    """One quantity of every table of a comparison."""
    row = next(row for row in found.exponents if row.name == name)
    rows = {label: fit.table.n for label, fit in zip(found.labels, found.fits, strict=True)}
    span = window(done(study))
    return [
        of_estimate(f"{words}, {label}, {study.name}", entry.to_json(), rows[label], span)
        for label, entry in row.estimates.items()
    ]


def picture(found: Mapping[Path, Comparison]) -> dict[str, Any]:
    """The families of the study with the most compute, side by side."""
    study = max(found, key=lambda each: done(each)["flops"].sum())
    source = replace(figures.read(study), comparison=found[study].to_json())
    return figures.of(source, ["families"])["families"]


def apart(gains: Sequence[Number]) -> tuple[list[Number], list[Number]]:
    """Those whose whole interval lies above 1, and those whose whole interval lies below it."""
    known = [g for g in gains if g.interval]
    above = [g for g in known if g.interval and g.interval[0] is not None and g.interval[0] > 1]
    below = [g for g in known if g.interval and g.interval[1] is not None and g.interval[1] < 1]
    return above, below


def told(gains: Sequence[Number]) -> str:
    """`gpt2 ×1.5 [1.2, 1.9]; …`"""
    return "; ".join(f"{short(g)} ×{spoken(g) if g.interval else digits(g.value)}" for g in gains)


def short(gain: Number) -> str:
    """Whose gain it is."""
    return gain.name.removeprefix(WHAT).split(" over ")[0]
