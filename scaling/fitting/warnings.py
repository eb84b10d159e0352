"""Write the warnings of a fit: sentences to read before its numbers are used."""

from __future__ import annotations

import numpy as np

from scaling.fitting.approaches.budgets import budgets
from scaling.fitting.result import Fit
from scaling.fitting.validation import checkpoints
from scaling.fitting.validation.settings import apart, kinds, listed, settings


def _dependence(fit: Fit) -> list[str]:
    """Return warnings about a bootstrap that does not suit the table or the objective."""
    sentences = []
    frame, kind = fit.table.frame, fit.options.bootstrap
    for name in checkpoints.RUNS:
        if name in frame.columns and frame[name].nunique() < 0.9 * len(frame):
            if kind in ("pairs", "parametric", "stratified"):
                sentences.append(
                    f"{len(frame)} rows are checkpoints of {frame[name].nunique()} runs and not "
                    "independent; intervals are "
                    f"too narrow: take the cluster bootstrap over {name}"
                )
            break
    loss = fit.problem.loss
    if (
        kind == "wild"
        and loss.name in ("huber", "lad")
        and loss.final_delta < 0.5 * np.std(fit.problem.residuals(fit.optimum.u))
    ):
        sentences.append(
            "the wild bootstrap gives too narrow intervals for an objective close to absolute "
            "deviations; take pairs"
        )
    return sentences


def warnings(fit: Fit) -> tuple[str, ...]:
    """Return every warning that applies to a fit, those of its table first."""
    sentences = list(fit.table.warnings)
    free = len(fit.problem.coordinates.names)
    n = fit.table.n
    if n <= free + 2:
        sentences.append(
            f"{n} rows for {free} free parameters: the fit nearly passes through every point and says little"
        )
    certificate = fit.certificate
    if not certificate.definite:
        sentences.append(
            "the objective is flat or not convex at the optimum: some parameters are not determined; "
            "look at the profiles"
        )
    if certificate.reached < 2 and certificate.starts > 3:
        sentences.append(
            f"only {certificate.reached} of {certificate.starts} starts reached the best optimum: the data "
            "do not single one out, or the search needs more starts"
        )
    sentences += [f"{name} is at zero: the data see no such term" for name in fit.at_zero]
    for why in dict.fromkeys(certificate.undetermined.values()):
        names = [name for name, reason in certificate.undetermined.items() if reason == why]
        sentences.append(f"not determined: {', '.join(names)} ({why})")
    if certificate.rescaling is not None and certificate.rescaling > 1e-8:
        sentences.append(
            f"predictions change by {certificate.rescaling:.1e} when the units change: the optimum is "
            "not sharp"
        )
    if {"N", "D"} <= set(fit.table.values) and "D" in fit.law.variables and len(budgets(fit.table)) == 1:
        sentences.append(
            "all runs spent one compute budget: exponents against compute cannot be known from them"
        )
    if fit.draws is not None and fit.draws.converged < 0.99:
        sentences.append(
            f"{1 - fit.draws.converged:.1%} of the bootstrap refits did not converge; intervals are "
            "less certain"
        )
    if fit.approaches is not None and fit.approaches.two is not None:
        sentences += fit.approaches.two.warnings
        if "disagree" in fit.approaches.words:
            sentences.append(fit.approaches.words)
    sentences += _dependence(fit)
    unfinished = checkpoints.advice(fit.table)
    sentences += unfinished
    differ = settings(fit.table, fit.law.variables, fit.law.target)
    if differ:
        advice = "filter with --where" if unfinished else "keep the best of each or filter with --where"
        sentences.append(
            f"rows at equal {' and '.join(fit.law.variables)} differ in {listed(differ)}; {advice}"
        )
    mixed = kinds(fit.table)
    if mixed:
        sentences.append(
            f"the runs are of several kinds, they differ in {listed(mixed)}, and one law is fitted to all; "
            f"keep one with --where, or compare them with scaling compare --by {mixed[0]}"
        )
    odd = apart(fit.table, fit.law.variables, fit.law.target)
    if odd is not None:
        sentences.append(
            f"in {odd[0]} cells of equal {' and '.join(fit.law.variables)} losses differ by a factor of up "
            f"to {odd[1]:.3g}, more than seeds can, and no column says why; look for a mistake or a setting "
            "that the table leaves out"
        )
    for name in ("alpha", "beta"):
        if name in fit.values and fit.values[name] <= 0 and name not in certificate.undetermined:
            sentences.append(
                f"{name} is {fit.values[name]:.3g}, not above zero: the loss does not fall along this "
                "variable in these data, and no split of compute between N and D is best"
            )
    return tuple(dict.fromkeys(sentences))
