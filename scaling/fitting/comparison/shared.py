"""Rank and test joint fits in which groups share nothing, the floor, the exponents or all parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import stats

from scaling.errors import FitError, ScalingError
from scaling.fitting.arrays import Array
from scaling.fitting.comparison.joint import GROUP, joint, name_in
from scaling.fitting.comparison.null import Noises, p_value
from scaling.fitting.estimation.coordinates import build
from scaling.fitting.estimation.losses import robust_scale
from scaling.fitting.estimation.problem import Problem
from scaling.fitting.estimation.solve import Optimum, solve
from scaling.fitting.law import Law
from scaling.fitting.result import Fit
from scaling.fitting.uncertainty.estimate import finite
from scaling.fitting.validation.candidates import Candidate, pointwise


def _each(fit: Fit, labels: Sequence[str], shared: Sequence[str], name: str) -> list[str]:
    """Return the parameters of the joint law that correspond to one parameter of a fit."""
    fit.law.parameter(name)
    return [name] if name in shared else [name_in(name, label) for label in labels]


def stacked(
    fits: Sequence[Fit],
    labels: Sequence[str],
    shared: Sequence[str],
    held: Mapping[str, float] | None = None,
) -> tuple[Law, Problem]:
    """Return the joint law and its problem over all rows of all fits.

    The first fit's estimator and its fixed, tied and bounded parameters apply in every group; `held` fixes
    further values. Joint fits by absolute deviations use a Huber loss whose δ is a tenth of the residuals'
    spread, because an exact optimum in ten parameters takes seconds and a hundred of them are needed.
    """
    first, options = fits[0], fits[0].options
    law = joint(first.law, labels, shared)
    for name in first.law.optional:
        own = [label for label, fit in zip(labels, fits, strict=True) if name in fit.problem.x]
        if own and len(own) < len(fits):
            raise FitError(
                f"the column {name!r} is in the table of {', '.join(own)} and not in all; give it in every "
                "table, or in none"
            )
    x = {
        name: np.concatenate([np.asarray(fit.problem.x[name], float) for fit in fits])
        for name in first.problem.x
    }
    x[GROUP] = np.concatenate([np.full(fit.table.n, k, dtype=np.float64) for k, fit in enumerate(fits)])
    y = np.concatenate([fit.problem.y for fit in fits])
    weights = np.concatenate([fit.problem.weights for fit in fits])
    tied: dict[str, str] = {}
    for name, partner in options.tied.items():
        ends = _each(first, labels, shared, name), _each(first, labels, shared, partner)
        tied |= dict(zip(ends[0], ends[1] * len(ends[0]), strict=False))
    asked = {**options.fixed, **(held or {})}
    fixed = {k: v for name, v in asked.items() for k in _each(first, labels, shared, name)}
    bounds = {
        k: v
        for name, v in options.bounds.items()
        if name not in asked
        for k in _each(first, labels, shared, name)
    }
    coordinates = build(law, x, y, fixed=fixed, tied=tied, bounds=bounds)
    loss = first.problem.loss
    if loss.name == "lad":
        spread = robust_scale(np.concatenate([fit.problem.residuals(fit.optimum.u) for fit in fits]))
        loss = replace(loss, name="huber", delta=0.1 * spread)
    return law, replace(
        first.problem,
        law=law,
        x=x,
        y=y,
        weights=weights,
        coordinates=coordinates,
        loss=loss,
        starts=6,
    )


def start_from(fits: Sequence[Fit], labels: Sequence[str], shared: Sequence[str], problem: Problem) -> Array:
    """Return a start for the joint fit: each group's own optimum, with shared parameters at their mean
    (geometric for positive ones)."""
    law = fits[0].law
    values: dict[str, float] = {}
    for i, name in enumerate(law.names):
        own = np.array([fit.theta[i] for fit in fits])
        if name in shared:
            values[name] = float(np.exp(np.log(own).mean()) if law.parameter(name).positive else own.mean())
        else:
            values |= {name_in(name, label): float(v) for label, v in zip(labels, own, strict=True)}
    return problem.coordinates.search(problem.law.vector(values))


def spread(values: Mapping[str, float], law: Law, labels: Sequence[str]) -> dict[str, float]:
    """Return the parameters of a joint law for every group."""
    return {
        name_in(name, label): values.get(name_in(name, label), values.get(name, np.nan))
        for name in law.names
        for label in labels
    }


def fit_shared(
    fits: Sequence[Fit], labels: Sequence[str], shared: Sequence[str]
) -> tuple[Law, Problem, Optimum]:
    """Return the joint optimum with these parameters shared."""
    law, problem = stacked(fits, labels, shared)
    optimum = solve(problem, start_from(fits, labels, shared, problem))
    return law, replace(problem, loss=optimum.loss), optimum


def sharings(fit: Fit) -> dict[str, list[str]]:
    """Return the sets of parameters to share, by name: floor, exponents, both, all. Only the last set
    includes fixed parameters, which are equal in all groups."""
    law = fit.law
    free = [name for name in law.names if name not in fit.options.fixed]
    # A tied parameter is shared only together with its partner.
    tied = fit.options.tied

    def closed(names: list[str]) -> list[str]:
        return [name for name in law.names if {name, tied.get(name)} & set(names)]

    floor = closed([name for name in ("E",) if name in free and name not in tied])
    powers = closed([p.name for p in law.parameters if not p.positive and p.name in free])
    found = {"shared E": floor, "shared exponents": powers, "shared E and exponents": [*floor, *powers]}
    kept = {words: names for words, names in found.items() if names and not set(free) <= set(names)}
    if not floor or not powers:
        kept.pop("shared E and exponents", None)
    return {**kept, "one law for all": list(law.names)}


@np.errstate(all="ignore")
def shared_models(
    fits: Sequence[Fit], labels: Sequence[str], *, paired: bool = False, resamples: int = 100
) -> list[dict[str, Any]]:
    """Return one entry per model: separate laws, E, exponents or both shared, one law for all.

    Each entry has a test against separate laws whose scale is simulated (`null`), AICc with the noise of its
    difference, and BIC. Both criteria assume independent rows. They are None where rows are paired or
    clustered, and models are then compared by p-value.
    """
    _, apart, best = fit_shared(fits, labels, [])
    made, rows = [_candidate("separate laws", apart, best)], []
    noises = noises_of(fits, paired)
    tests: dict[str, float] = {}
    for words, shared in sharings(fits[0]).items():
        try:
            law, problem, optimum = fit_shared(fits, labels, shared)
        except ScalingError:
            continue
        made.append(_candidate(words, problem, optimum))
        wide = spread(dict(zip(law.names, map(float, optimum.theta), strict=True)), fits[0].law, labels)
        tests[words], _ = p_value(
            replace(problem, loss=apart.loss),
            optimum.u,
            apart,
            apart.coordinates.search(apart.law.vector(wide)),
            best.u,
            noises,
            resamples=resamples,
            seed=fits[0].options.seed,
        )
    level = fits[0].options.level
    independent = not noises.paired and noises.clusters is None
    first = min(made, key=lambda candidate: candidate.criteria()[0])
    for candidate in made:
        p = tests.get(candidate.name)
        row: dict[str, Any] = {
            "model": candidate.name,
            "free_parameters": candidate.free,
            "objective": finite(candidate.objective),
            **(
                _criteria(candidate, first, level)
                if independent
                else {
                    **dict.fromkeys(("aicc", "bic", "delta_aicc", "delta_aicc_noise")),
                    "told_apart": p is not None and bool(p < 1 - level),
                }
            ),
        }
        if p is not None:
            row["p_against_separate"] = finite(p)
            row["method"] = f"p by the tail of χ² or F, its scale from {resamples} simulated tables"
        rows.append(row)
    return rows


def _criteria(candidate: Candidate, first: Candidate, level: float) -> dict[str, Any]:
    """Return AICc and BIC of a model of independent rows, and its AICc difference to the lowest.

    The noise of twice the log-likelihood difference is that of a sum over rows (Vuong 1989), and that of a χ²
    in the number of extra parameters where both models hold.
    """
    aicc, bic = candidate.criteria()
    behind = aicc - first.criteria()[0]
    each = 2 * (candidate.pointwise - first.pointwise)
    variance = len(each) * float(each.var()) + 2 * abs(candidate.free - first.free)
    noise = float(stats.norm.ppf(0.5 + level / 2) * np.sqrt(variance))
    return {
        "aicc": finite(aicc),
        "bic": finite(bic),
        "delta_aicc": finite(behind),
        "delta_aicc_noise": finite(noise),
        "told_apart": bool(candidate is not first and behind > noise),
    }


def _candidate(name: str, problem: Problem, optimum: Optimum) -> Candidate:
    log_y = np.log(problem.y) if problem.loss.scale == "log" else np.zeros_like(problem.y)
    return Candidate(
        name=name,
        free=len(optimum.u),
        pointwise=pointwise(
            problem.residuals(optimum.u), problem.weights, problem.loss.name, log_y, problem.loss.delta
        ),
        objective=optimum.objective,
        nested=name != "separate laws",
    )


def noises_of(fits: Sequence[Fit], paired: bool) -> Noises:
    """Return the resampling scheme of the rows of all fits, from their pairing and bootstrap clusters."""
    group = np.concatenate([np.full(fit.table.n, k, dtype=np.int64) for k, fit in enumerate(fits)])
    if fits[0].options.bootstrap != "cluster" or fits[0].options.cluster is None:
        return Noises(group=group, paired=paired, clusters=None)
    labels = [fit.table.labels(fits[0].options.cluster) for fit in fits]
    apart = 0 if paired else max(int(own.max()) for own in labels) + 1
    clusters = np.concatenate([own + k * apart for k, own in enumerate(labels)])
    return Noises(group=group, paired=paired, clusters=clusters)


def verdict(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a sentence on the preferred model, naming one only where AICc prefers it by more than its noise.

    Without AICc, the sentence lists the models that the test distinguishes from separate laws.
    """
    apart = [row["model"] for row in rows if row["told_apart"]]
    first = next((row["model"] for row in rows if row["delta_aicc"] == 0), None)
    if first is None:
        alike = [row["model"] for row in rows if "p_against_separate" in row and not row["told_apart"]]
        return f"told apart by p: {', '.join(apart) or 'none'}; not told apart: {', '.join(alike) or 'none'}"
    others = [row["model"] for row in rows if row["model"] not in (first, *apart)]
    if not others:
        return f"lowest AICc: {first}, by more than its noise"
    return f"not told apart by AICc: {', '.join([first, *others])}"
