"""Repeat an analysis under every estimator, selection of runs and counting convention in common use.

Such a set of analyses is called a multiverse.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from scaling.errors import FitError, ScalingError
from scaling.fitting.approaches.budgets import compute
from scaling.fitting.approaches.two import approach_two
from scaling.fitting.arrays import Array, Flags, Values
from scaling.fitting.estimation.coordinates import build
from scaling.fitting.estimation.determination import determination
from scaling.fitting.estimation.losses import Loss
from scaling.fitting.estimation.solve import Basin, refit, solve
from scaling.fitting.progress import tell
from scaling.fitting.result import Fit
from scaling.fitting.uncertainty.estimate import finite
from scaling.fitting.validation.settings import kinds

ESTIMATORS: tuple[tuple[str, Loss], ...] = (
    ("Huber 1e-3, log", Loss()),
    ("Huber auto, log", Loss(delta=None)),
    ("absolute, log", Loss(name="huber", delta=1e-5)),
    ("squares, log", Loss(name="squares")),
    ("squares, raw", Loss(name="squares", scale="raw")),
)
"""Estimators of published fits, by name. A Huber loss with δ = 1e-5 stands for absolute deviations: the two
agree to five digits."""


def _selections(fit: Fit) -> list[tuple[str, Flags]]:
    """Return the selections of runs, each a name and a mask (n,) of the rows that it keeps."""
    y, flops = fit.problem.y, _order(fit)
    n = len(y)
    kept = [("all runs", np.ones(n, dtype=bool))]
    if n >= 15:
        kept.append(("without the highest 10 % of losses", y <= np.quantile(y, 0.9)))
        kept.append(("without the smallest 20 % of compute", flops > np.quantile(flops, 0.2)))
        kept.append(("without the largest 10 % of compute", flops <= np.quantile(flops, 0.9)))
    return kept


def _order(fit: Fit) -> Array:
    """Return compute (n,) where the table has it, else the law's first variable."""
    if {"N", "D"} <= set(fit.table.values) or "C" in fit.table.values:
        return compute(fit.table)
    return np.asarray(fit.problem.x[fit.law.variables[0]], dtype=np.float64)


def size_conventions(fit: Fit) -> dict[str, Array]:
    """Return N (n,) by counting convention.

    Besides N as given, a ledger that counts parameters by component allows N without the embedding and N
    without embedding and head.
    """
    conventions = {"as given": np.asarray(fit.table.values["N"])} if "N" in fit.table.values else {}
    frame = fit.table.frame
    parts = {"params", "params_embedding", "params_head"} <= set(frame.columns)
    if conventions and parts and fit.table.columns.get("N") == "params":
        embedding, head = (
            np.asarray(frame[c], dtype=np.float64) for c in ("params_embedding", "params_head")
        )
        for words, value in (
            ("without embedding", conventions["as given"] - embedding),
            ("blocks only", conventions["as given"] - embedding - head),
        ):
            if (value > 0).all():
                conventions[words] = value
    return conventions


def compute_conventions(fit: Fit) -> dict[str, Array]:
    """Return C (n,), in FLOPs, by counting convention.

    Besides C as given and 6 N D, a ledger that counts FLOPs by component allows C without the head, C with
    causal attention, and 6 N D with N of the blocks only.
    """
    values, frame = fit.table.values, fit.table.frame
    conventions: dict[str, Array] = {}
    if "C" in values:
        conventions["as given"] = values["C"]
    if {"N", "D"} <= set(values):
        conventions["6 N D"] = 6 * values["N"] * values["D"]
    if "C" in values and fit.table.columns.get("C") == "flops":
        if "flops_head" in frame.columns:
            conventions["without head"] = values["C"] - np.asarray(frame["flops_head"], dtype=np.float64)
        full, causal = "flops_attention_scores_full", "flops_attention_scores_causal"
        if {full, causal} <= set(frame.columns):
            difference = np.asarray(frame[causal], dtype=np.float64) - np.asarray(
                frame[full], dtype=np.float64
            )
            conventions["causal attention"] = values["C"] + difference
        if {"params_embedding", "params_head", "params"} <= set(frame.columns):
            blocks = np.asarray(
                frame["params"] - frame["params_embedding"] - frame["params_head"], dtype=np.float64
            )
            conventions["6 N D, blocks only (Kaplan)"] = 6 * blocks * values["D"]
    return {
        name: value for name, value in conventions.items() if np.isfinite(value).all() and (value > 0).all()
    }


@np.errstate(all="ignore")
def multiverse(fit: Fit) -> dict[str, Any]:
    """Return one row per analysis, and the spread of the headline over them.

    The law is fitted for every estimator, selection of runs and convention of N. Approach 2 is fitted for
    every curve and convention of C. The headline is the exponent a of N* ∝ C^a where the law has it, else the
    last exponent of the law.
    """
    rows: list[dict[str, Any]] = []
    sizes: dict[str, Array | None] = dict(size_conventions(fit)) or {"as given": None}
    headline = (
        "a"
        if "a" in fit.law.derived
        else next(reversed([n for n in fit.law.names if not fit.law.parameter(n).positive]), None)
    )
    for done, (convention, size) in enumerate(sizes.items()):
        tell("multiverse", done, len(sizes))
        x = dict(fit.problem.x) if size is None or "N" not in fit.problem.x else {**fit.problem.x, "N": size}
        rows += [{**row, "N": convention} for row in _surfaces(fit, x, headline)]
    rows += _second(fit)
    known = [row[headline] for row in rows if headline is not None and row.get(headline) is not None]
    spread = [min(known), float(np.median(known)), max(known)] if known else None
    lost = sum("undetermined" in row for row in rows)
    return {"headline": headline, "spread": spread, "undetermined": lost, "rows": rows}


def _surfaces(fit: Fit, x: Values, headline: str | None) -> list[dict[str, Any]]:
    """Return the parameters of the law for every estimator and selection of runs; undetermined ones are None.

    The selections of one estimator are weights of zero and one. They are refitted in one batch from the
    optimum of all runs.
    """
    rows: list[dict[str, Any]] = []
    kept = [(words, keep) for words, keep in _selections(fit) if keep.sum() >= len(fit.optimum.u) + 2]
    if not kept:
        raise FitError(f"a multiverse needs {len(fit.optimum.u) + 2} rows; there are {fit.table.n}")
    weights = np.stack([np.where(keep, fit.problem.weights, 0.0) for _, keep in kept])
    options = fit.options
    for estimator, loss in ESTIMATORS:
        if fit.law.scale == "raw":
            loss = replace(loss, scale="raw")
        try:
            coordinates = build(
                fit.law, x, fit.problem.y, fixed=options.fixed, tied=options.tied, bounds=options.bounds
            )
            problem = replace(fit.problem, x=x, coordinates=coordinates, loss=loss, starts=6)
            optimum = solve(problem)
        except ScalingError:
            continue
        problem = replace(problem, loss=optimum.loss)
        ends = refit(problem, weights, optimum.u)
        for (words, _), weight, u, done in zip(kept, weights, ends.u, ends.converged, strict=True):
            theta = coordinates.natural(u)
            row: dict[str, Any] = {"estimator": estimator, "runs": words, "approach": 3}
            basin = Basin(theta=theta, objective=0.0, starts=optimum.basins[0].starts)
            end = replace(optimum, u=u, theta=theta, basins=(basin,))
            open_, settled = determination(replace(problem, weights=weight), end)
            if not (done and settled):
                rows.append(row | {"undetermined": next(iter(open_.values()), "the refit did not converge")})
                continue
            values = {
                name: None if name in open_ else finite(value)
                for name, value in zip(fit.law.names, theta, strict=True)
            }
            if headline is not None and headline not in open_:
                function = fit.law.derived.get(headline, lambda p, h=headline: p[h])
                values[headline] = finite(float(np.squeeze(function(fit.law.values(theta)))))
            rows.append(row | values)
    return rows


def _second(fit: Fit) -> list[dict[str, Any]]:
    """Return the exponent a of approach 2 for every convention of C and every curve."""
    if not {"N", "D", "L"} <= set(fit.table.values) or kinds(fit.table):
        return []
    rows = []
    for convention, flops in compute_conventions(fit).items():
        table = replace(fit.table, values={**fit.table.values, "C": flops})
        try:
            result = approach_two(table, resamples=0)
        except FitError:
            continue
        rows += [
            {"approach": 2, "curve": curve, "C": convention, "runs": "all runs", "a": finite(a)}
            for curve, a in result.curves.items()
            if a is not None
        ]
    return rows
