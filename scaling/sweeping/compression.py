"""Quantise and prune the trained models of a sweep, evaluate them, and write a table beside the ledger."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scaling import files
from scaling.errors import ConfigError, StorageError
from scaling.tables import ledger
from scaling.terminal.text import say
from scaling.training.paths import RunPaths

TABLE = "compressed.csv"
COLUMNS = (
    "run_id", "family", "size", "seed", "objective", "params", "tokens", "flops", "params_pruned",
    "weight_bits", "sparsity", "scope", "loss", "loss_se", "loss_before", "delta_loss",
)  # fmt: skip
"""Columns of the table. `weight_bits` is empty without quantisation; `sparsity` is 0 without pruning;
`params_pruned` is the number of parameters set to zero; `delta_loss` is the held-out loss minus
`loss_before`, the loss of the uncompressed weights."""


def compress(
    results: Path,
    sweep: str,
    *,
    bits: Sequence[int],
    sparsity: Sequence[float],
    scope: str = "global",
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> list[dict[str, Any]]:
    """Evaluate each finished run of a sweep at each number of bits, each sparsity and each pair of the two.

    Write the table and return its rows. Only the matrices of the blocks are changed; nothing is trained.
    A run whose weights were not kept or are damaged is left out, with a sentence. Raises ConfigError if there
    is nothing to do, StorageError if no run has weights.
    """
    if not bits and not sparsity:
        raise ConfigError("there is nothing to do; give --bits 8,4,3,2 or --sparsity 0.5,0.75,0.9")
    runs = [row for row in ledger.rows(results / sweep / ledger.LEDGER) if row["status"] == "done"]
    if not runs:
        raise ConfigError(f"sweep {sweep!r} has no finished run; run it first: scaling run {sweep}")
    settings = [(b, 0.0) for b in bits] + [(None, s) for s in sparsity]
    settings += [(b, s) for b in bits for s in sparsity]
    rows: list[dict[str, Any]] = []
    refusals: dict[str, StorageError] = {}
    for done, known in enumerate(runs):
        progress(done, len(runs))
        try:
            rows += _one(known, RunPaths.of(results, known["run_id"]), settings, scope)
        except StorageError as error:
            refusals[known["run_id"]] = error
    if not rows:
        raise next(iter(refusals.values()))
    for run_id, refusal in refusals.items():
        say(f"scaling: run {run_id} is left out: {refusal}")
    _write(rows, results / sweep / TABLE)
    return rows


def _one(
    known: Mapping[str, Any], paths: RunPaths, settings: Sequence[tuple[int | None, float]], scope: str
) -> list[dict[str, Any]]:
    """Return the rows of one run."""
    import torch

    from scaling.training import objectives
    from scaling.training.compression.weights import compressed
    from scaling.training.evaluation import Precision, evaluate
    from scaling.training.sample import load

    cell, corpus, module = load(paths)
    task = objectives.make(cell, corpus)
    batch, precision = dict(task.heldout()), Precision(device=torch.device("cpu"), dtype=cell.dtype)
    before = evaluate(module, task, batch, precision=precision).loss
    rows = []
    for b, s in settings:
        with compressed(module, bits=b, sparsity=s, scope=scope) as pruned:
            found = evaluate(module, task, batch, precision=precision)
        rows.append(
            {name: known[name] for name in COLUMNS if name in known}
            | {
                "params_pruned": pruned,
                "weight_bits": b,
                "sparsity": s,
                "scope": scope if s else None,
                "loss": found.loss,
                "loss_se": found.loss_se,
                "loss_before": before,
                "delta_loss": found.loss - before,
            }
        )
    return rows


def _write(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    files.write(path, text.getvalue(), "the table", durable=True)
