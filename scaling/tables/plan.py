"""Read the saved plan of a sweep, the file `plan.json` beside its ledger, and the heartbeat of a run."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from scaling import folders
from scaling.errors import TableError
from scaling.files import content, parse_json, read_json
from scaling.tables.schema import COLUMNS as LEDGER_COLUMNS
from scaling.tables.schema import Column, fault

PLAN = "plan.json"
SCHEMA = 1


def _more(dtype: str, unit: str, meaning: str, *, required: bool = False) -> Column:
    return Column(dtype=dtype, unit=unit, meaning=meaning, required=required)


COLUMNS: dict[str, Column] = {
    "run_id": LEDGER_COLUMNS["run_id"],
    "family": LEDGER_COLUMNS["family"],
    "size": LEDGER_COLUMNS["size"],
    "seed": LEDGER_COLUMNS["seed"],
    "params": LEDGER_COLUMNS["params"],
    "tokens": LEDGER_COLUMNS["tokens"],
    "tokens_per_parameter": _more("float64", "tokens", "D / N"),
    "epochs": _more("float64", "", "tokens / tokens_unique"),
    "steps": Column(dtype="int64", unit="steps", meaning="optimiser steps asked", least=1),
    "batch_sequences": _more("int64", "sequences", "sequences of one optimiser step"),
    "budget_flops": LEDGER_COLUMNS["budget_flops"],
    "flops": LEDGER_COLUMNS["flops"],
    "flops_spent": _more("float64", "FLOP", "of C, without the steps of a shared trunk"),
    "learning_rate": _more("float64", "", "at its peak"),
    "memory_bytes": _more("int64", "bytes", "peak memory"),
    "disk_bytes": _more("int64", "bytes", "kept on disk"),
    "disk_bytes_working": _more("int64", "bytes", "more on disk during the run"),
    "seconds": _more("float64", "s", "predicted on one seat"),
    "seconds_low": _more("float64", "s", "lower end of the prediction"),
    "seconds_high": _more("float64", "s", "upper end of the prediction"),
}
"""Columns of a cell in `plan.json`, which also has its rescues, and its overrides except those of `sweep`."""
HEARTBEAT: dict[str, Column] = {
    "step": _more("int64", "steps", "steps taken", required=True),
    "steps": _more("int64", "steps", "steps asked"),
    "loss": _more("float64", "nats per token", "mean of the last training losses"),
    "tokens_per_second": _more("float64", "tokens/s", "speed of training"),
    "slot": _more("int64", "", "number of the seat"),
    "host": _more("string", "", "machine"),
    "stopped": _more("string", "", "signal that stopped the run after a checkpoint"),
}
"""Values of `progress.json` that are read."""


def read(path: Path, *, whole: bool = True) -> dict[str, Any]:
    """Return a saved plan, `whole` with all that a sweep needs or with what it has.

    Raises TableError for a file that is damaged or was changed by hand.
    """
    remedy = f"`{folders.maker(path.parent)}` writes it again"
    found = read_json(path, remedy)
    if wrong := _fault(found, whole):
        raise TableError(f"{path} is damaged ({wrong}); {remedy}")
    # earlier versions left some columns out
    return {**found, "cells": [dict.fromkeys(COLUMNS) | cell for cell in found["cells"]]} if whole else found


def _fault(plan: dict[str, Any], whole: bool) -> str | None:
    """Return what is wrong with a plan; None for one as `scaling run` writes it."""
    if plan.get("schema") != SCHEMA:
        return f"its schema is {plan.get('schema')!r} instead of {SCHEMA}"
    cells, total = plan.get("cells"), plan.get("total")
    if not isinstance(cells, list) or not isinstance(total, dict if whole else dict | None):
        return "it has no cells or no total"
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict):
            return f"cell {number} is no object"
        if unknown := sorted(set(cell) - {*COLUMNS, "rescues", "overrides"}):
            return f"cell {number} has {unknown[0][:40]!r}, which is no column of a plan"
        needed = {name: one for name, one in COLUMNS.items() if whole or name == "run_id" or name in cell}
        if wrong := fault(cell, needed):
            return f"cell {number} {wrong}"
        if not cell["run_id"].isalnum():
            return f"cell {number} has the run id {cell['run_id'][:40]!r}"
        if not isinstance(cell.get("rescues"), str | None):
            return f"cell {number} has no run id for 'rescues'"
        if not _texts(cell.get("overrides", [])):
            return f"cell {number} has no list of texts for 'overrides'"
    if len({cell["run_id"] for cell in cells}) < len(cells):
        return "one run id stands in two cells"
    if total is None:
        return None
    if total.get("cells") != len(cells):
        return f"its total is of {total.get('cells')!r} cells, and it has {len(cells)}"
    flops = total.get("flops")
    if not isinstance(flops, int | float) or not math.isclose(
        flops, math.fsum(cell.get("flops", 0.0) for cell in cells), rel_tol=1e-9
    ):
        return "its total of FLOPs is not the sum over its cells"
    return None


def _texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def heartbeat(path: Path) -> dict[str, Any] | None:
    """Return the values of a run's progress file, or None if there is none or it is damaged."""
    try:
        found = parse_json(content(path))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and fault(found, HEARTBEAT) is None else None
