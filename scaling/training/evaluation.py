"""The held-out loss on a fixed set, with its standard error over sequences."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from scaling.training.hardware.team import SOLO, Team
from scaling.training.objectives import Batch, Task
from scaling.training.objectives.task import counted, part

THINNING = 8
"""On the way every so-manieth sequence is evaluated: sixteen points then cost as much as two evaluations."""
SEQUENCES_AT_ONCE = 32


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Loss of each held-out sequence."""

    sums: np.ndarray
    """Nats, summed over the targets of each sequence: float64 (sequences,)."""
    counts: np.ndarray
    """Targets of each sequence: float64 (sequences,)."""
    by_position: np.ndarray
    """Mean loss at each position over the sequences that have a target there, and its standard error over
    them, NaN where there are too few: float64 (2, positions)."""
    measures: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """What else was measured, by name."""

    @property
    def loss(self) -> float:
        """Nats per target, every target with the same weight."""
        return float(self.sums.sum() / self.counts.sum())

    @property
    def loss_se(self) -> float:
        """Standard error of `loss` over sequences; NaN for a single one.

        Sequences are the independent units, tokens inside one are not. Of a ratio of sums, by its
        linearisation, which
        is the plain standard error of the mean where all sequences have as many targets (Cochran, Sampling
        Techniques, 1977, equation 6.13 without the finite-population factor).
        """
        n = len(self.sums)
        if n < 2:
            return math.nan
        residual = self.sums - self.loss * self.counts
        return float(math.sqrt(residual @ residual / (n - 1) / n) / self.counts.mean())

    def thinned(self) -> tuple[float, float]:
        """The loss over every THINNING-th sequence, as it is measured on the way, and over all."""
        return float(self.sums[::THINNING].sum() / self.counts[::THINNING].sum()), self.loss


@dataclasses.dataclass(frozen=True, kw_only=True)
class Precision:
    """Where and in which number format the forward pass runs. Weights and optimiser stay in float32."""

    device: torch.device
    """cpu or cuda."""
    dtype: str = "float32"
    """float32, tf32, bfloat16 or float16."""

    def autocast(self) -> AbstractContextManager[Any]:
        """The context of a forward pass."""
        if self.dtype in ("float32", "tf32"):
            return nullcontext()
        return torch.autocast(self.device.type, dtype=getattr(torch, self.dtype))

    def move(self, batch: Batch) -> dict[str, Tensor]:
        """A batch on the device; copied behind the computation where the device allows it."""
        if self.device.type == "cpu":
            return dict(batch)
        return {
            name: tensor if tensor.is_cuda else tensor.pin_memory().to(self.device, non_blocking=True)
            for name, tensor in batch.items()
        }


def bits_per_byte(nats: float, text_bytes: float) -> float:
    """Nats over a text → bits per byte of it, which compares over tokenisers."""
    return nats / math.log(2) / text_bytes


def evaluate(
    module: nn.Module,
    task: Task,
    batch: Batch,
    *,
    precision: Precision,
    at_once: int = SEQUENCES_AT_ONCE,
    measures: bool = False,
    team: Team = SOLO,
) -> Evaluation:
    """The loss of every sequence of a batch, in evaluation mode (no dropout), never smoothed.

    A team shares the work, part by part; everyone gets the whole, to the bit that one process would get.
    Where the parts do not go round, some do one twice: a forward pass of cut weights needs everybody.

    Sums run in float64: at 10⁵ tokens a float32 sum would lose the fourth digit of a difference between runs.
    """
    was = module.training
    module.eval()
    sequences = len(batch["targets"])
    starts = range(0, sequences, at_once)
    parts: dict[int, tuple[Tensor, ...]] = {}
    # weights that FSDP gathers in inference mode could not be trained afterwards
    with torch.inference_mode() if team.size == 1 else torch.no_grad():
        for turn in range(0, len(starts), team.size):
            first = starts[min(turn + team.rank, len(starts) - 1)]
            some = part(batch, first, min(first + at_once, sequences))
            rows = len(some["targets"])
            with precision.autocast():
                predictions, targets = task.predict(module, some)
            nats = task.losses(predictions, targets).view(rows, -1).double().cpu()
            found = [nats, counted(targets).view(rows, -1).double().cpu()]
            if measures:
                # the likeliest class alone: the logits of a whole evaluation set may not fit into memory
                said = predictions.argmax(-1) if predictions.ndim > 1 else predictions
                found += [said.cpu(), targets.cpu()]
            parts[first] = tuple(found)
    module.train(was)
    if team.size > 1:
        parts = {first: found for theirs in team.gather(parts) for first, found in theirs.items()}
    whole = [torch.cat(column) for column in zip(*(parts[first] for first in starts), strict=True)]
    loss, count = whole[0].numpy(), whole[1].numpy()
    return Evaluation(
        sums=loss.sum(1),
        counts=count.sum(1),
        by_position=_by_position(loss, count),
        measures=task.measures(whole[2], whole[3]) if measures else {},
    )


def _by_position(loss: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Losses, zero where nothing counts, and which count, both (sequences, positions) → (2, positions)."""
    n = count.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = loss.sum(0) / n
        squares = (count * (loss - mean) ** 2).sum(0)
        return np.stack([mean, np.sqrt(squares / (n - 1) / n)])
