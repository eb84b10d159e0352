"""Define the interface of an objective: batches by step, predictions with targets, and a loss."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scaling.training.objectives.chunked import Deferred

IGNORED = -100
"""Target value without a loss, as in torch and transformers."""

Batch = Mapping[str, Tensor]
"""Name → tensor whose first axis is the sequence; `targets` is one of the names."""


class Task(Protocol):
    """The objective of one cell with its data."""

    @property
    def bytes_heldout(self) -> float | None:
        """Bytes of text of the held-out targets; None if the loss has no bits per byte."""

    def training(self, step: int) -> Batch:
        """Return the batch of a step, a pure function of the cell and the step."""

    def heldout(self) -> Batch:
        """Return the evaluation set, which is the same for every seed."""

    def predict(self, module: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return predictions (n, …) and targets (n,), ordered by sequence; a target may be IGNORED."""

    def losses(self, predictions: Tensor, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
        """Return the loss of every target, float32 (n,); it is 0 for IGNORED targets."""

    def measures(self, predicted: Tensor, targets: Tensor) -> dict[str, float]:
        """Return further measures of the record from the likeliest prediction of every held-out target."""

    def after(self, module: nn.Module, batch: Batch) -> dict[str, float]:
        """Return measures of the record that need the trained module, such as BLEU of generated text."""


def cross_entropy(predictions: Tensor | Deferred, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Return the cross-entropy in nats of every target, float32 (n,).

    `predictions` are logits (n, classes), or Deferred ones, which are computed in chunks; `targets` are int64
    (n,). Half-precision logits are converted to float32, as their softmax would lose the third digit of the
    loss.
    """
    if isinstance(predictions, Deferred):
        return predictions.losses(partial(cross_entropy, smoothing=smoothing), targets)
    return F.cross_entropy(
        predictions.float(), targets, ignore_index=IGNORED, reduction="none", label_smoothing=smoothing
    )


def counted(targets: Tensor) -> Tensor:
    """Return a mask of the targets that are not IGNORED."""
    return targets != IGNORED if targets.dtype == torch.int64 else torch.ones_like(targets, dtype=torch.bool)


def how_many(task: Task, batch: Batch) -> int:
    """Return the number of targets that are not IGNORED.

    A task with `every_target` has no IGNORED ones, so that the device need not be waited for.
    """
    targets = batch["targets"]
    return targets.numel() if getattr(task, "every_target", False) else int(counted(targets).sum())


def tensors(**arrays: np.ndarray) -> dict[str, Tensor]:
    """Return arrays as tensors; contiguous arrays are not copied."""
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}


def part(batch: Batch, first: int, last: int) -> dict[str, Tensor]:
    """Return the sequences first … last − 1 of a batch."""
    return {name: tensor[first:last] for name, tensor in batch.items()}
