"""Define the regression objective: predict a number from numbers with the squared error."""

from __future__ import annotations

import dataclasses

import numpy as np
from torch import Tensor, nn

from scaling.training.cell import Cell
from scaling.training.config.regression_data import Numbers
from scaling.training.objectives.task import Batch, tensors


@dataclasses.dataclass(frozen=True, kw_only=True)
class Regression:
    """The regression objective. Its loss is a mean squared error, which is not comparable with nats."""

    cell: Cell
    numbers: Numbers

    bytes_heldout = None

    def training(self, step: int) -> Batch:
        """Return the batch of a step: `inputs` float32 (examples, features) and `targets` (examples,)."""
        cell = self.cell
        examples = cell.hyperparameters.batch_sequences
        return self._batch(self.numbers.training(seed=cell.seed, step=step, examples=examples))

    def heldout(self) -> Batch:
        """Return the evaluation set: `inputs` and `targets`."""
        return self._batch(self.numbers.heldout(examples=self.cell.evaluation_sequences))

    def _batch(self, drawn: tuple[np.ndarray, np.ndarray]) -> Batch:
        return tensors(inputs=drawn[0], targets=drawn[1][:, 0])

    def predict(self, module: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return outputs (examples,) and targets (examples,)."""
        return module(batch["inputs"])[:, 0], batch["targets"]

    def losses(self, predictions: Tensor, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
        """Return the squared error of every target; label smoothing does not apply."""
        del smoothing
        return (predictions.float() - targets).square()

    def measures(self, predicted: Tensor, targets: Tensor) -> dict[str, float]:
        """Return no further measures."""
        del predicted, targets
        return {}

    def after(self, module: nn.Module, batch: Batch) -> dict[str, float]:
        """Return no further measures."""
        del module, batch
        return {}
