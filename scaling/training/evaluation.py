"""Measure the loss on a fixed held-out set, with its standard error over sequences."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from scaling.training.cell import THINNING
from scaling.training.hardware.team import SOLO, Team
from scaling.training.objectives import Batch, Task
from scaling.training.objectives.task import counted, part
from scaling.training.optional import optional

SEQUENCES_AT_ONCE = 32


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The losses of the held-out sequences."""

    sums: np.ndarray
    """Loss in nats, summed over the targets of each sequence: float64 (sequences,)."""
    counts: np.ndarray
    """Number of targets of each sequence: float64 (sequences,)."""
    by_position: np.ndarray
    """Mean loss at each position and its standard error, over the sequences with a target there; NaN for too
    few sequences: float64 (2, positions)."""
    measures: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Other measures, such as the accuracy: name → value."""

    @property
    def loss(self) -> float:
        """Mean loss in nats per target; all targets have the same weight."""
        return float(self.sums.sum() / self.counts.sum())

    @property
    def loss_se(self) -> float:
        """Standard error of `loss` over sequences; NaN for a single sequence.

        Sequences are independent, the tokens of one sequence are not. The loss is a ratio of sums, so this is
        the linearised standard error of a ratio (Cochran, Sampling Techniques, 1977, equation 6.13 without
        the finite-population factor). It equals the standard error of the mean if all sequences have the same
        number of targets.
        """
        n = len(self.sums)
        if n < 2:
            return math.nan
        residual = self.sums - self.loss * self.counts
        return float(math.sqrt(residual @ residual / (n - 1) / n) / self.counts.mean())

    def thinned(self) -> tuple[float, float]:
        """Return the loss over every THINNING-th sequence, as during training, and over all sequences."""
        return float(self.sums[::THINNING].sum() / self.counts[::THINNING].sum()), self.loss


@dataclasses.dataclass(frozen=True, kw_only=True)
class Precision:
    """The device and number format of the forward pass. Weights and optimiser stay in float32."""

    device: torch.device
    """cpu or cuda."""
    dtype: str = "float32"
    """float32, tf32, bfloat16 or float16."""

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context manager of a forward pass."""
        if self.dtype in ("float32", "tf32"):
            return nullcontext()
        return torch.autocast(self.device.type, dtype=getattr(torch, self.dtype))

    def move(self, batch: Batch) -> dict[str, Tensor]:
        """Return a batch on the device; a copy to CUDA runs asynchronously."""
        if self.device.type == "cpu":
            return dict(batch)
        return {
            name: tensor if tensor.is_cuda else tensor.pin_memory().to(self.device, non_blocking=True)
            for name, tensor in batch.items()
        }


def bits_per_byte(nats: float, text_bytes: float) -> float:
    """Return the bits per byte of a text from its loss in nats. They are comparable between tokenizers."""
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
    """Return the loss of every sequence of a batch, without dropout and label smoothing.

    The processes of a team divide the sequences into parts. All of them return the full result, bitwise equal
    to that of one process. If the number of parts is not a multiple of the team's size, some processes repeat
    the last part, because a forward pass of sharded weights needs all processes.

    Sums are in float64: at 10⁵ tokens a float32 sum would lose the fourth digit of a difference between runs.
    """
    was = module.training
    module.eval()
    sequences = len(batch["targets"])
    starts = range(0, sequences, at_once)
    parts: dict[int, tuple[Tensor, ...]] = {}
    # FSDP could not train weights that it had gathered in inference mode
    with torch.inference_mode() if team.size == 1 else torch.no_grad():
        for turn in range(0, len(starts), team.size):
            first = starts[min(turn + team.rank, len(starts) - 1)]
            some = part(batch, first, min(first + at_once, sequences))
            rows = len(some["targets"])
            with precision.autocast():
                predictions, targets = task.predict(module, some)
            nats = task.losses(predictions, targets).view(rows, -1).double().cpu()
            columns = [nats, counted(targets).view(rows, -1).double().cpu()]
            if measures:
                # keep the likeliest class only: the logits of the evaluation set may not fit into memory
                likeliest = predictions.argmax(-1) if predictions.ndim > 1 else predictions
                columns += [likeliest.cpu(), targets.cpu()]
            parts[first] = tuple(columns)
    module.train(was)
    if team.size > 1:
        parts = {first: columns for theirs in team.gather(parts) for first, columns in theirs.items()}
    joined = [torch.cat(column) for column in zip(*(parts[first] for first in starts), strict=True)]
    loss, count = joined[0].numpy(), joined[1].numpy()
    found = optional("the measures", lambda: task.measures(joined[2], joined[3])) if measures else {}
    return Evaluation(
        sums=loss.sum(1),
        counts=count.sum(1),
        by_position=_by_position(loss, count),
        measures=found or {},
    )


def _by_position(loss: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Return the mean loss at each position and its standard error: (2, positions).

    `loss` and `count` are (sequences, positions); `count` is 1 at targets and 0 elsewhere, where `loss` is 0.
    """
    n = count.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = loss.sum(0) / n
        squares = (count * (loss - mean) ** 2).sum(0)
        return np.stack([mean, np.sqrt(squares / (n - 1) / n)])
