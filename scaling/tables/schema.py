"""Define every column of a ledger: name, type, unit and meaning.

The training half writes these columns and the analysis half reads them.
"""

from __future__ import annotations

import dataclasses
import reprlib
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

SCHEMA_VERSION = 2
"""Schema version that is written: version 1 with the columns whose `since` is 2."""
READABLE = (1, 2)
"""Schema versions that can be read. Columns of later versions are null."""
_MOST = sys.float_info.max
_PYTHON: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "int64": int,
    "float64": (int, float),
    "bool": bool,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Column:
    """One column of the ledger."""

    dtype: str
    """Type: `string`, `int64`, `float64` or `bool`."""
    unit: str
    """Unit, or "" for text or a dimensionless number."""
    meaning: str
    """Meaning in one line."""
    required: bool = True
    """Whether a finished run must have a value."""
    since: int = 1
    """Schema version that added the column. A column added after version 1 may be missing in a record."""
    least: float = 0.0
    """Smallest number that can stand in the column."""
    most: float = sys.float_info.max
    """Largest number that can stand in the column."""
    tiniest: float = 0.0
    """Smallest number above zero that can stand in the column."""


def _text(meaning: str, *, required: bool = True, since: int = 1) -> Column:
    return Column(dtype="string", unit="", meaning=meaning, required=required and since == 1, since=since)


def _count(unit: str, meaning: str, *, required: bool = True, since: int = 1) -> Column:
    return Column(dtype="int64", unit=unit, meaning=meaning, required=required and since == 1, since=since)


def _number(unit: str, meaning: str, *, required: bool = True, since: int = 1, least: float = 0.0) -> Column:
    required = required and since == 1
    return Column(dtype="float64", unit=unit, meaning=meaning, required=required, since=since, least=least)


STATUSES = {
    "done": "trained to its last step and evaluated",
    "diverged": "the loss became infinite, not a number, or exploded",
    "out_of_memory": "even a micro-batch of one sequence does not fit",
    "failed": "an exception; its traceback is in error.txt",
}
"""Statuses of a record. A preempted run has a checkpoint but no record."""

COLUMNS: dict[str, Column] = {
    "run_id": _text("hash of the science: shape, corpus, steps, hyperparameters, seed, precision, schema"),
    "schema": _count("", "version of these columns"),
    "sweep": _text("the sweep that ran it first", required=False),
    "family": _text("architecture"),
    "size": _number("", "the family's dial"),
    "seed": _count("", "of the weights and of the order of the data"),
    "objective": _text("what is predicted: causal, masked, …; never pooled"),
    "status": _text("one of " + ", ".join(STATUSES)),
    "reason": _text("why it is not done, in one line", required=False),
    "params": _count("parameters", "N, all of them"),
    "params_embedding": _count("parameters", "in the input embedding"),
    "params_head": _count("parameters", "in an untied output head"),
    "params_block": _count("parameters", "everything else"),
    "params_active": _count("parameters", "used for one token; less than N with routed experts"),
    "width": _count("", "size of the residual stream"),
    "depth": _count("blocks", "number of blocks"),
    "heads": _count("heads", "attention heads of a block", required=False),
    "tokens": _count("tokens", "D, tokens seen"),
    "tokens_unique": _count("tokens", "distinct tokens that it could see"),
    "epochs": _number("", "tokens / tokens_unique"),
    "steps": _count("steps", "optimiser steps asked"),
    "batch_sequences": _count("sequences", "sequences of one optimiser step"),
    "batch_tokens": _count("tokens", "tokens of one optimiser step"),
    "context": _count("tokens", "length of a sequence"),
    "vocab": _count("tokens", "number of different tokens"),
    "bytes_per_token": _number("bytes", "of held-out text"),
    "corpus": _text("name of the text"),
    "corpus_hash": _text("hash of its tokens"),
    "budget_flops": _number("FLOP", "C asked; null when tokens were asked", required=False),
    "flops": _number("FLOP", "C spent: 3 × forward matrix products, full attention, head included"),
    "flops_attention_projection": _number("FLOP", "of C, in the projections of attention"),
    "flops_attention_scores_full": _number("FLOP", "of C, in scores and mixing over the full context"),
    "flops_attention_scores_causal": _number(
        "FLOP", "what they would be over the causal half; not added into C"
    ),
    "flops_mlp": _number("FLOP", "of C, in the feed-forward layers"),
    "flops_norm": _number("FLOP", "in normalisation; not added into C"),
    "flops_head": _number("FLOP", "of C, in the output head"),
    "learning_rate": _number("", "at its peak"),
    "weight_decay": _number("", "decoupled, multiplied by the learning rate at each step"),
    "schedule": _text("learning rate against step"),
    "warmup_steps": _count("steps", "of linear warm-up"),
    "optimizer": _text("name of the optimiser"),
    "recipe": _text("name of the rules that gave the hyperparameters"),
    "parent": _text("run id of the trained run whose weights it began with; null from scratch", since=2),
    "adaptation": _text("what of a parent learns: full, head, blocks, lora or adapters", since=2),
    "params_trainable": _count("parameters", "that the run changes", since=2),
    "tokens_before": _count("tokens", "seen by its line of parents; not in D", since=2),
    "flops_before": _number("FLOP", "spent by its line of parents; not in C", since=2),
    "sparsity": _number("", "share of the blocks' matrix entries that are pruned", since=2),
    "weight_bits": _number("bits", "a weight of the blocks' matrices is rounded to in training", since=2),
    # far outside of what a network in 32 bits computes
    "loss": Column(
        dtype="float64",
        unit="nats per token",
        meaning="L, held out, at the end",
        required=False,
        most=1e40,
        tiniest=1e-50,
    ),
    "loss_se": _number("nats per token", "standard error of L over held-out sequences", required=False),
    "bits_per_byte": _number(
        "bits per byte", "L over the bytes that the held-out targets stand for", required=False
    ),
    "loss_train": _number("nats per token", "mean over the last twentieth of the steps", required=False),
    # corrected by the difference of two means, which can pass zero
    "loss_best": _number("nats per token", "lowest held-out loss on the way", required=False, least=-_MOST),
    "accuracy": _number("", "share of held-out targets whose likeliest answer is right", required=False),
    "precision": _number("", "mean over classes", required=False),
    "recall": _number("", "mean over classes", required=False),
    "f1": _number("", "mean over classes", required=False),
    "bleu": _number("", "of 100, of held-out texts written by greedy decoding", required=False),
    "rouge_l": _number("", "of 1, F of the longest common subsequence of words, of the same texts", since=2),
    "steps_done": _count("steps", "steps taken; fewer than `steps` after divergence or early stopping"),
    "steps_inherited": _count("steps", "taken over from a trunk that other runs share, not paid again"),
    "seconds": _number("s", "training and evaluation, over all continuations"),
    "tokens_per_second": _number("tokens/s", "tokens / seconds of training", required=False),
    "mfu": _number(
        "",
        "3 × forward matrix products (full attention, head included) a second of training / the device's "
        "dense peak of the number format; null when that is unknown",
        required=False,
    ),
    "device": _text("name of the device"),
    "dtype": _text("number format of the forward pass"),
    "threads": _count("threads", "that torch was given"),
    "micro_batch": _count("sequences", "that were held at once; never changes the result's meaning"),
    "compiled": _text("mode of torch.compile, or why it failed and was left out; null = not asked", since=2),
    "memory_bytes": _count("bytes", "peak memory of the accelerator; null on a CPU", required=False),
    "kwh": _number("kWh", "energy, where the device tells it or its watts are configured", required=False),
    "kwh_by": _text("nvml: counted by the device; watts: seconds times configured watts", since=2),
    "price": _number("$", "where the device has a price", required=False),
    "git_commit": _text("of the code", required=False),
    "git_dirty": Column(dtype="bool", unit="", meaning="the code had uncommitted changes", required=False),
    "versions": _text("of the packages, as JSON"),
    "host": _text("machine"),
    "started": _text("first start, ISO 8601 UTC"),
    "ended": _text("end, ISO 8601 UTC"),
}
"""Columns of the ledger, in order. A record also has `config`, the resolved config as a JSON string."""

ADDED = tuple(name for name, column in COLUMNS.items() if column.since > 1)
"""Columns that a record may lack."""

CURVE_COLUMNS: dict[str, Column] = {
    "step": _count("steps", "optimiser steps taken"),
    "tokens": _count("tokens", "seen so far"),
    "flops": _number("FLOP", "spent so far"),
    "loss_train": _number("nats per token", "mean since the row before", required=False),
    "learning_rate": _number("", "of the last step"),
    "gradient_norm": _number("", "of the last step, before clipping", required=False),
    "loss": _number(
        "nats per token",
        "held out, where it was evaluated; on the way from every eighth sequence, shifted by what that "
        "eighth differs "
        "from all of them at the end",
        required=False,
    ),
}
"""Columns of `curve.csv`."""


class CurveRow(NamedTuple):
    """One row of a run's loss curve, with the fields of `CURVE_COLUMNS`; None if not measured."""

    step: int
    tokens: int
    flops: float
    loss_train: float | None
    learning_rate: float
    gradient_norm: float | None
    loss: float | None


POSITION_COLUMNS: dict[str, Column] = {
    "position": _count("", "of the target in its sequence, from 0"),
    "loss": _number("nats per token", "held out, mean over sequences", required=False),
    "loss_se": _number("nats per token", "its standard error over sequences", required=False),
}
"""Columns of `positions.csv`."""


def fault(row: Mapping[str, Any], columns: Mapping[str, Column]) -> str | None:
    """Return what is wrong with the first value that cannot stand in its column; None where all can."""
    for name, column in columns.items():
        value = row.get(name)
        shown, kind = reprlib.repr(value), column.dtype
        most = 2**63 - 1 if kind == "int64" else column.most
        if value is None:
            if column.required:
                return f"has no value for {name!r}"
        elif not isinstance(value, _PYTHON[kind]) or (kind != "bool" and isinstance(value, bool)):
            return f"has {shown} for {name!r}, which is {kind}"
        elif isinstance(value, int | float) and not column.least <= value <= most:
            return f"has {shown} for {name!r}, which is a number from {column.least:g} to {most:g}"
        elif isinstance(value, int | float) and 0 < value < column.tiniest:
            return f"has {shown} for {name!r}, which is 0 or a number from {column.tiniest:g} to {most:g}"
    return None
