"""Compute what a fit predicts for the runs of a ledger."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from scaling.errors import TableError
from scaling.figures.source import Source
from scaling.fitting import laws
from scaling.fitting.law import Law
from scaling.fitting.table import LETTERS


def law_of(fit: dict[str, Any]) -> Law:
    """Return the fitted law from the catalogue.

    Raises TableError for a law from a user's file: drawing a figure never runs a user's code.
    """
    known = laws.catalogue()
    name = str(fit.get("law"))
    if name not in known or fit.get("formula", known[name].formula) != known[name].formula:
        raise TableError(
            f"the law {name!r} of this fit is not in the catalogue, so its surface is not drawn; "
            "see `scaling laws` for those that are"
        )
    return known[name]


def values_of(fit: dict[str, Any]) -> dict[str, float]:
    """Return the point estimates by parameter name.

    Raises TableError where the data do not determine one, which then has no value.
    """
    law = law_of(fit)
    values = {name: p["value"] for name, p in fit["parameters"].items() if name in law.names}
    if unknown := [name for name, value in values.items() if value is None]:
        raise TableError(
            f"the runs do not determine {', '.join(unknown)} of the law {law.name!r}, so its surface is not "
            "drawn; `scaling fit` says why"
        )
    return {name: float(value) for name, value in values.items()}


def columns_of(fit: dict[str, Any], runs: pd.DataFrame) -> dict[str, str]:
    """Return the ledger column of each variable of the fit."""
    stated = (fit.get("input") or {}).get("columns") or {}
    known = {letter: c for letter, names in LETTERS.items() for c in names[:1] if c in runs.columns}
    return known | {letter: c for letter, c in stated.items() if c in runs.columns}


def surface(source: Source) -> tuple[pd.DataFrame, Law]:
    """Return the fit's own runs with columns run_id, N, D, C, L and `predicted`, in the fit's conventions.

    Raises TableError, with a sentence for the reader, where there is no fit or its law cannot be evaluated on
    a ledger.
    """
    if source.fit is None or source.unfitted:
        raise TableError(source.unfitted.rstrip("."))
    law = law_of(source.fit)
    runs = source.fitted
    columns = columns_of(source.fit, runs)
    table = pd.DataFrame({"run_id": runs["run_id"], **{v: runs[c].astype(float) for v, c in columns.items()}})
    unknown = [v for v in law.variables if v not in table]
    if unknown:
        raise TableError(
            f"the law {law.name!r} needs {', '.join(unknown)}, which the ledger does not have, so its "
            "surface is not drawn"
        )
    table = table[(table[list(law.variables)] > 0).all(axis=1)]
    if table.empty:
        raise TableError(f"{source.name} no longer has any of the finished runs that its fit was made from")
    predicted = law.predict(values_of(source.fit), {v: table[v].to_numpy() for v in law.variables})
    return table.assign(predicted=np.asarray(predicted, dtype=float)), law


def frontier(law: Law, values: dict[str, float], C: np.ndarray, per: float) -> tuple[np.ndarray, np.ndarray]:
    """Return N* and D* for each compute in C (n,), where C = per × N × D.

    Minimises any law over N and D along that line, on a grid with a step of 0.3 %, and refines the minimum by
    a parabola.
    """
    best = []
    for c in C:
        logs = np.linspace(0.02, 0.98, 2400) * np.log(c / per)
        N = np.exp(logs)
        loss = law.predict(values, {"N": N, "D": c / per / N})
        i = int(np.clip(np.argmin(loss), 1, len(loss) - 2))
        left, middle, right = loss[i - 1 : i + 2]
        bend = left - 2 * middle + right
        shift = 0.5 * (left - right) / bend if bend > 0 else 0.0
        best.append(np.exp(logs[i] + np.clip(shift, -1, 1) * (logs[1] - logs[0])))
    best_n = np.array(best)
    return best_n, C / per / best_n
