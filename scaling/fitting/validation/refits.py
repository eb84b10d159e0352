"""Refit a law to some of its rows, for backtests, left-out sizes and influence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scaling.fitting.approaches.budgets import budgets, compute
from scaling.fitting.arrays import Array, Flags
from scaling.fitting.estimation.coordinates import build
from scaling.fitting.estimation.problem import Problem
from scaling.fitting.estimation.solve import refit
from scaling.fitting.fit import fit as run
from scaling.fitting.result import Fit


def ladder(fit: Fit) -> tuple[Array, str]:
    """Return the axis of extrapolation, (n,), and its name.

    The axis is compute where the table has C or both N and D, else the law's first variable. Runs of one
    budget share its mean as their value. Their own compute differs a little, because steps are whole, and no
    cut may fall between them.
    """
    values = fit.table.values
    if "C" in values or {"N", "D"} <= set(values):
        steps = np.array(compute(fit.table), dtype=np.float64)
        frame = fit.table.frame
        if "budget_flops" in frame.columns and frame["budget_flops"].notna().all():
            for budget in budgets(fit.table):
                steps[budget.members] = budget.flops
        return steps, "C"
    name = fit.law.variables[0]
    return np.asarray(fit.problem.x[name], dtype=np.float64), name


def without(fit: Fit, groups: list[Flags]) -> Array:
    """Return the parameters (G, P) refitted without each of G groups of rows, all in one batch."""
    weights = np.stack([np.where(group, 0.0, fit.problem.weights) for group in groups])
    end = refit(fit.problem, weights, fit.optimum.u)
    return fit.problem.coordinates.natural(end.u)


def part(fit: Fit, keep: Flags, starts: int = 8) -> Problem:
    """Return the problem of the kept rows alone. Its coordinates, too, are centred on these rows alone."""
    problem, options = fit.problem, fit.options
    x = {name: np.asarray(value)[keep] for name, value in problem.x.items()}
    y = problem.y[keep]
    coordinates = build(problem.law, x, y, fixed=options.fixed, tied=options.tied, bounds=options.bounds)
    return replace(problem, x=x, y=y, weights=problem.weights[keep], coordinates=coordinates, starts=starts)


def errors(fit: Fit, theta: Array, keep: Flags) -> Array:
    """Return observed − predicted at the kept rows (m,), as (..., m) for parameters (..., P).

    The difference is of logarithms on the log scale.
    """
    x = {name: np.asarray(value)[keep] for name, value in fit.problem.x.items()}
    predicted = fit.law.predict(theta, x)
    observed = fit.problem.y[keep]
    if fit.problem.loss.scale == "raw":
        return np.asarray(observed - predicted)
    return np.asarray(np.log(observed) - np.log(predicted))


LARGE = 2000
"""Number of rows above which the checks run on a random sample, because they refit hundreds of times."""


def sampled(fit: Fit) -> Fit:
    """Return the fit itself, or a fit to LARGE random rows where the table has more."""
    if fit.table.n <= LARGE:
        return fit
    kept = np.sort(np.random.default_rng(fit.options.seed).choice(fit.table.n, LARGE, replace=False))
    options = replace(fit.options, resamples=min(fit.options.resamples, 200))
    return run(fit.table.take(kept), fit.law, options=options)
