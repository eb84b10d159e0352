"""Define the config of a run's budget, evaluation, compression and checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scaling.config.kinds import (
    FLAG,
    MOST,
    POSITIVE,
    SEQUENCES,
    SHARE,
    SPARSITY,
    choice,
    key,
    mapping,
    number,
    whole,
)

BITS = whole(2, 16)
"""Bits of a rounded weight."""
SCOPE = choice("global", "layer")
"""Where magnitudes are compared: over all matrices of the blocks, or within each."""


@dataclass(frozen=True, kw_only=True)
class BudgetConfig:
    """The budget: one of the two keys; the other follows from the family's FLOPs per token."""

    flops: float | None = key(None, POSITIVE)
    """C, training FLOPs."""
    tokens: float | None = key(None, number(1, MOST))
    """D, tokens seen in training."""


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig:
    """When, and on how many sequences, the held-out loss is measured."""

    sequences: int = key(512, SEQUENCES)
    """Number of held-out sequences, the same in every evaluation."""
    points: int = key(16, whole(0, 10_000, why="each is an evaluation of the model"))
    """Number of evaluations during training, evenly spaced in log steps."""


@dataclass(frozen=True, kw_only=True)
class CompressionConfig:
    """Rounding and pruning of the blocks' matrices during training (`scaling compress`: after training)."""

    bits: int | None = key(None, BITS)
    """Bits of a weight in the forward pass, with straight-through gradients. null = not rounded."""
    sparsity: float | None = key(None, SPARSITY)
    """Share of weights that are zero at the end. null = not pruned."""
    scope: str = key("global", SCOPE)
    """Where the smallest weights are chosen: over all matrices (global) or in each matrix (layer)."""
    begin: float = key(0.2, SHARE)
    """Share of the steps after which pruning begins."""
    end: float = key(0.7, SHARE)
    """Share of the steps after which pruning is complete; equal to `begin` = one step of pruning."""


@dataclass(frozen=True, kw_only=True)
class CheckpointConfig:
    """Checkpoints of a run, and the weights that it keeps."""

    every_seconds: float = key(30.0, POSITIVE)
    """Seconds between two checkpoints."""
    weights: bool = key(True, FLAG)
    """Whether the weights of a finished run are kept."""
    best: bool = key(False, FLAG)
    """Whether the weights with the lowest held-out loss during training are kept too."""
    milestones: Mapping[str, Any] | None = key(None, mapping("{tokens: [1e6, 1e7]}"))
    """Points in training at which weights are kept: {tokens: [1e6, 1e7]} or {flops: "1e9..1e11 x 5"}."""
    share_trunk: bool = key(True, FLAG)
    """Whether wsd runs that differ only in length share the checkpoint of their common steps."""
