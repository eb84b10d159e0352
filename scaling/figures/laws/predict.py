"""What a fit predicts for the runs of a ledger."""

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
    """The fitted law, from the catalogue. A law from somebody's file is not run to draw a picture:
    TableError says so."""
    known = laws.catalogue()
    name = str(fit.get("law"))
    if name not in known or fit.get("formula", known[name].formula) != known[name].formula:
        raise TableError(
            f"the law {name!r} of this fit is not in the catalogue, so its surface is not drawn; "
            "`scaling laws` lists those that are"
        )
    return known[name]


def values_of(fit: dict[str, Any]) -> dict[str, float]:
    """The point estimates by parameter name."""
    known = set(law_of(fit).names)
    return {name: float(p["value"]) for name, p in fit["parameters"].items() if name in known}


def columns_of(fit: dict[str, Any], runs: pd.DataFrame) -> dict[str, str]:
    """Which ledger column each variable of the fit was."""
    said = (fit.get("input") or {}).get("columns") or {}
    known = {letter: c for letter, names in LETTERS.items() for c in names[:1] if c in runs.columns}
    return known | {letter: c for letter, c in said.items() if c in runs.columns}


def surface(source: Source) -> tuple[pd.DataFrame, Law]:
    """The fit's own runs with columns run_id, N, D, C, L and `predicted`, all in its conventions.

    Raises TableError, in a sentence for the reader, where there is no fit, or one whose law this cannot
    evaluate.
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
            f"the law {law.name!r} needs {', '.join(unknown)}, which a ledger does not have; its "
            "surface is not drawn"
        )
    table = table[(table[list(law.variables)] > 0).all(axis=1)]
    if table.empty:
        raise TableError(f"{source.name} has no finished run of those that its fit was made from")
    predicted = law.predict(values_of(source.fit), {v: table[v].to_numpy() for v in law.variables})
    return table.assign(predicted=np.asarray(predicted, dtype=float)), law


def frontier(law: Law, values: dict[str, float], C: np.ndarray, per: float) -> tuple[np.ndarray, np.ndarray]:
    """N* and D* of each compute (n,) when C = per × N × D: the least of the law along the line, on a
    fine grid.

    Works for any law over N and D; the grid's step is 0.3 %, its optimum is refined by a parabola.
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
    found = np.array(best)
    return found, C / per / found
