"""What every objective offers: batches as functions of the step, predictions with their targets, and a
loss."""

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
"""A target that no loss counts, as in torch and transformers."""

Batch = Mapping[str, Tensor]
"""Named tensors whose first axis is the sequence; `targets` among them."""


class Task(Protocol):
    """What is predicted from what, over the data of one cell."""

    @property
    def bytes_heldout(self) -> float | None:
        """Bytes of text that the held-out targets stand for; None where bits per byte mean nothing."""

    def training(self, step: int) -> Batch:
        """The batch of one step: a pure function of the cell and the step."""

    def heldout(self) -> Batch:
        """The evaluation set: the same for every seed."""

    def predict(self, module: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """(predictions (n, …), targets (n,)), sequence by sequence; targets may be IGNORED."""

    def losses(self, predictions: Tensor, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
        """The loss of every target, float32 (n,), zero where it is IGNORED."""

    def measures(self, said: Tensor, targets: Tensor) -> dict[str, float]:
        """What a record says beside the loss, from the likeliest answer to every held-out target."""

    def after(self, module: nn.Module, batch: Batch) -> dict[str, float]:
        """What needs the trained module itself: texts that it writes."""


def cross_entropy(predictions: Tensor | Deferred, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Nats of every target: logits (n, classes), int64 (n,) → float32 (n,). Deferred logits go in chunks.

    Logits in half precision are widened first: a softmax over them would lose the third digit of the loss.
    """
    if isinstance(predictions, Deferred):
        return predictions.losses(partial(cross_entropy, smoothing=smoothing), targets)
    return F.cross_entropy(
        predictions.float(), targets, ignore_index=IGNORED, reduction="none", label_smoothing=smoothing
    )


def counted(targets: Tensor) -> Tensor:
    """Which targets count."""
    return targets != IGNORED if targets.dtype == torch.int64 else torch.ones_like(targets, dtype=torch.bool)


def how_many(task: Task, batch: Batch) -> int:
    """Targets of a batch that count. Where all do, nothing waits for the device that they may lie on."""
    targets = batch["targets"]
    return targets.numel() if getattr(task, "every_target", False) else int(counted(targets).sum())


def tensors(**arrays: np.ndarray) -> dict[str, Tensor]:
    """Arrays as tensors, without a copy where the array is contiguous."""
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}


def part(batch: Batch, first: int, last: int) -> dict[str, Tensor]:
    """Sequences first … last − 1 of a batch."""
    return {name: tensor[first:last] for name, tensor in batch.items()}
