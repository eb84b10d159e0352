"""What one run trains on how much, when it is evaluated, and what of it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scaling.config.kinds import FLAG, POSITIVE, SHARE, choice, key, mapping, whole


@dataclass(frozen=True, kw_only=True)
class BudgetConfig:
    """How much is spent: one of the two; the other follows from the family's own count."""

    flops: float | None = key(None, POSITIVE)
    """Training FLOPs, C."""
    tokens: float | None = key(None, POSITIVE)
    """Tokens seen, D."""


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig:
    """When the held-out loss is measured, and on how much."""

    sequences: int = key(512, whole())
    """Held-out sequences, always the same ones."""
    points: int = key(16, whole(0))
    """Evaluations on the way, evenly in log steps."""


@dataclass(frozen=True, kw_only=True)
class CompressionConfig:
    """Rounding and pruning of the blocks' matrices in training; `scaling compress` does it afterwards."""

    bits: int | None = key(None, whole(2, 16))
    """Bits of a weight in the forward pass; gradients go straight through. null = not rounded."""
    sparsity: float | None = key(None, SHARE)
    """Share of weights that are zero at the end. null = not pruned."""
    scope: str = key("global", choice("global", "layer"))
    """Whether the smallest magnitudes are chosen over all matrices, or in each."""
    begin: float = key(0.2, SHARE)
    """Share of the steps after which pruning begins."""
    end: float = key(0.7, SHARE)
    """Share of the steps after which the sparsity is reached; equal to `begin`: all at once."""


@dataclass(frozen=True, kw_only=True)
class CheckpointConfig:
    """What of a run is written down on the way and kept at the end."""

    every_seconds: float = key(30.0, POSITIVE)
    """Between two checkpoints."""
    weights: bool = key(True, FLAG)
    """Whether the weights of a finished run are kept."""
    best: bool = key(False, FLAG)
    """Whether the weights of the lowest held-out loss on the way are kept too."""
    milestones: Mapping[str, Any] | None = key(None, mapping("{tokens: [1e6, 1e7]}"))
    """Weights kept on the way: {tokens: [1e6, 1e7]}, or {flops: "1e9..1e11 x 5"}."""
    share_trunk: bool = key(True, FLAG)
    """Whether runs of the schedule wsd that can share a trunk leave its checkpoint for each other."""
