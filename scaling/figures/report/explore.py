"""Collect the data of the page's interactive figure: every run and fit under every counting convention."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from scaling.errors import ScalingError
from scaling.figures import style
from scaling.figures.compare.conventions import C_CONVENTIONS, N_CONVENTIONS, fits
from scaling.figures.report import svg, tables
from scaling.figures.runs import curves
from scaling.figures.source import Source
from scaling.tables.expression import evaluate

MOST_CURVES = 200
"""Largest number of loss curves in the page; more would make the browser slow."""
_UNSHOWN = {"corrected", "curves", "curve", "warnings", "method", "level", "r2"}
"""Fields of approach 2 that the page does not need."""
RAMP = tuple(style.ramp(i / (style.STEPS - 1)) for i in range(style.STEPS))


def payload(source: Source, table: pd.DataFrame) -> dict[str, Any]:
    """Return runs in the order of `table` (from `tables.ordered`), conventions with fits, and loss curves.

    Loss curves are left out beyond `MOST_CURVES` runs.
    """
    done = source.done
    fine = table["run_id"].isin(set(done["run_id"]))
    counted = {
        letter: [(key, words, text) for key, words, text in conventions if _usable(done, text)]
        for letter, conventions in (("N", N_CONVENTIONS), ("C", C_CONVENTIONS))
    }
    N = {key: pd.Series(evaluate(text, table)) for key, _, text in counted["N"]}
    C = {key: pd.Series(evaluate(text, table)) for key, _, text in counted["C"]}
    levels = sorted(done["budget"].unique())
    return {
        "sort": [_sort(table, column, say) for _, _, column, say in tables.shown(table)],
        "seed": _numbers(table["seed"]) if "seed" in table else "",
        "D": _numbers(table["tokens"]),
        "L": _numbers(table["loss"].where(fine)),
        # Losses of several vocabularies are comparable only per byte, so all kinds together use that.
        "bits": _numbers(table["bits_per_byte"].where(fine)) if source.per_byte else "",
        "budget": _indices(table, done, "budget", levels),
        "budgets": [_short(v) for v in levels],
        "kind": _indices(table, done, "kind", source.several),
        "kinds": source.several,
        "N": {key: _numbers(values) for key, values in N.items()},
        "C": {key: _product(values, N, table) or _numbers(values) for key, values in C.items()},
        "words": {letter: {key: words for key, words, _ in counted[letter]} for letter in counted},
        "fits": _rounded(fits(source)),
        "curves": _curves(source, table),
        "unit": source.loss_unit,
        "curve_unit": curves.data(source).get("unit", source.loss_unit),
        "ramp": [svg.variable(c) for c in RAMP],
        "cycle": [svg.variable(c) for c in style.CYCLE],
        "name": source.name,
    }


def _usable(runs: pd.DataFrame, expression: str) -> bool:
    """Return whether an expression over the ledger is a positive number for every run."""
    try:
        values = pd.to_numeric(pd.Series(evaluate(expression, runs)), errors="coerce")
    except ScalingError:
        return False
    return bool((values > 0).all() and values.notna().all() and len(values))


def _indices(table: pd.DataFrame, done: pd.DataFrame, column: str, values: Sequence[Any]) -> str:
    """Return the index in `values` of each run's value of a column; empty where there are no values."""
    if not len(values):
        return ""
    number = {value: i for i, value in enumerate(values)}
    of_run = dict(zip(done["run_id"], done[column], strict=True))
    return _numbers(table["run_id"].map(lambda run: number.get(of_run.get(run))))


def _product(values: pd.Series, N: dict[str, pd.Series], table: pd.DataFrame) -> str:
    """Return `@key` where a convention of C is 6 N D with the N of that key, so that the page computes it."""
    for key, counted in N.items():
        if values.astype(float).equals((6 * counted * table["tokens"]).astype(float)):
            return f"@{key}"
    return ""


def _sort(table: pd.DataFrame, column: str, say: Any) -> str | None:
    """Return the sort key of a table column: null, `#`, a path into the payload, or numbers.

    null sorts by text, `#` by the numbers shown, a path by numbers that the payload already holds.
    """
    known = {"params": "@N.all", "flops": "@C.counted", "tokens": "@D", tables.RATIO: "@ratio"}
    if say is None or (column in known and _usable(table, "params") and _usable(table, "flops")):
        return known.get(column)
    return "#" if say in tables.PLAIN else _numbers(table[column])


def script_json(data: dict[str, Any]) -> Markup:
    """Return JSON escaped for a script element, so that no value can close the element."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _short(value: float) -> float | None:
    """Return a number rounded to five digits, enough for a screen; None unless finite."""
    return float(f"{value:.5g}") if np.isfinite(value) else None


def _numbers(values: pd.Series) -> str:
    """Return numbers in one string, five digits each, with a dash where one is missing.

    This takes a third of the size of a JSON list.
    """
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(float)
    return " ".join(f"{v:.5g}".replace("e+", "e") if np.isfinite(v) else "-" for v in numbers)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items() if k not in _UNSHOWN}
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    return float(f"{value:.7g}") if isinstance(value, float) else value


def _curves(source: Source, table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return loss curves against compute as counted in the ledger, by row of the table."""
    drawn = curves.data(source)
    if drawn.get("missing") or len(drawn["runs"]) > MOST_CURVES:
        return []
    row = {run: i for i, run in enumerate(table["run_id"])}
    lines = []
    for run in drawn["runs"]:
        keep = [i for i, x in enumerate(run["flops"]) if x >= drawn["first"]]
        x, y = ([_short(run[k][i]) for i in keep] for k in ("flops", "loss"))
        lines.append({"row": row[run["run_id"]], "x": x, "y": y})
    return lines
