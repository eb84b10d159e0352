"""Define the causal and the masked language-modelling objectives."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from scaling import corpora
from scaling.families.encoders.corruption import corrupt
from scaling.training.cell import Cell
from scaling.training.objectives.ahead import Ahead
from scaling.training.objectives.chunked import Deferred
from scaling.training.objectives.task import IGNORED, Batch, cross_entropy, tensors

SMALL = 0.1
"""Maximum share of a GPU's memory for the training text if `device.resident` is null."""
_HELDOUT = 0x68656C64
"""Seed of the corruption of the evaluation set, for every run."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Language:
    """An objective whose batches are windows of a corpus."""

    cell: Cell
    corpus: Any

    @cached_property
    def ahead(self) -> Ahead:
        """Cache of training batches."""
        cell = self.cell
        return Ahead(self.batches, sequences=cell.hyperparameters.batch_sequences, tokens=cell.context + 1)

    def training(self, step: int) -> Batch:
        """Return `tokens` and `targets` of a step, both (sequences, context)."""
        return self.ahead(step)

    def batches(self, first: int, steps: int) -> Batch:
        """Return the batches of `steps` steps as one batch; `first` is a multiple of `steps`."""
        raise NotImplementedError

    def windows(self, first: int, steps: int) -> np.ndarray:
        """Return the windows of `steps` steps: int64 (steps × batch_sequences, context + 1)."""
        cell = self.cell
        return corpora.batch(
            self.corpus.train,
            seed=cell.seed,
            # one large step has the same windows in the same order as several small steps
            step=first // steps,
            sequences=steps * cell.hyperparameters.batch_sequences,
            context=cell.context,
            unique_tokens=cell.unique_tokens,
        )

    def heldout_windows(self) -> np.ndarray:
        """Return the windows of the evaluation set: int64 (evaluation_sequences, context + 1)."""
        cell = self.cell
        return corpora.heldout(self.corpus.heldout, sequences=cell.evaluation_sequences, context=cell.context)

    def losses(self, predictions: Tensor | Deferred, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
        """Return the cross-entropy of every target in nats."""
        return cross_entropy(predictions, targets, smoothing=smoothing)

    def predict(self, module: nn.Module, batch: Batch) -> tuple[Any, Tensor]:
        """Return logits (sequences × context, vocab), Deferred if the module is Headless, and targets."""
        output, targets = module(batch["tokens"]), batch["targets"].flatten()
        if isinstance(output, tuple):
            features, weight, tokens = output
            return Deferred(features=features.flatten(0, 1), weight=weight, tokens=tokens), targets
        return output.flatten(0, 1), targets

    def after(self, module: nn.Module, batch: Batch) -> dict[str, float]:
        """Return no further measures."""
        del module, batch
        return {}

    def measures(self, predicted: Tensor, targets: Tensor) -> dict[str, float]:
        """Return the accuracy over the targets that are not IGNORED."""
        counting = targets != IGNORED
        right = predicted[counting] == targets[counting]
        return {"accuracy": float(right.double().mean())}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Causal(Language):
    """The objective that predicts the next token at every position.

    Inputs are a window without its last token, targets a window without its first.
    """

    resident: Tensor | None = None
    """Training text on the device, int32 (tokens,), from which batches are gathered; None = on the CPU."""
    every_target = True

    @property
    def bytes_heldout(self) -> float:
        """Bytes of text of the held-out targets."""
        return float(self.corpus.bytes_of(self.heldout_windows()[:, 1:]))

    def training(self, step: int) -> Batch:
        """Return `tokens` and `targets` of a step, both (sequences, context)."""
        return super().training(step) if self.resident is None else self._gathered(step, self.resident)

    def batches(self, first: int, steps: int) -> Batch:
        """Return `tokens` and `targets` of `steps` steps."""
        windows = self.windows(first, steps)
        return tensors(tokens=windows[:, :-1], targets=windows[:, 1:])

    def _gathered(self, step: int, text: Tensor) -> Batch:
        cell = self.cell
        first = torch.from_numpy(
            corpora.window_numbers(
                len(text),
                seed=cell.seed,
                step=step,
                sequences=cell.hyperparameters.batch_sequences,
                context=cell.context,
                unique_tokens=cell.unique_tokens,
            )
            * cell.context
        )
        if text.device.type == "cuda":
            first = first.pin_memory().to(text.device, non_blocking=True)
        windows = text[first[:, None] + torch.arange(cell.context + 1, device=text.device)].long()
        return {"tokens": windows[:, :-1], "targets": windows[:, 1:]}

    def heldout(self) -> Batch:
        """Return `tokens` and `targets` of the evaluation set."""
        windows = self.heldout_windows()
        return tensors(tokens=windows[:, :-1], targets=windows[:, 1:])


def resident(task: Any, device: torch.device, wanted: bool | None) -> Any:
    """Return a causal task with its training text on the device, or the task unchanged.

    The text is moved if `wanted` is true, or if it is None and the text takes at most SMALL of a GPU.
    """
    if not isinstance(task, Causal) or wanted is False:
        return task
    train = task.corpus.train
    if wanted is None and not (
        device.type == "cuda"
        and 4 * len(train) <= SMALL * torch.cuda.get_device_properties(device).total_memory
    ):
        return task
    text = torch.from_numpy(np.asarray(train).astype(np.int32)).to(device)
    return dataclasses.replace(task, resident=text)


class Masked(Language):
    """The objective that predicts masked or replaced tokens. Its loss cannot be compared with the causal."""

    bytes_heldout = None

    def batches(self, first: int, steps: int) -> Batch:
        """Return corrupted `tokens` and `targets` of `steps` steps; unchanged positions are IGNORED."""
        text = self.windows(first, steps)[:, :-1].reshape(steps, -1, self.cell.context)
        batch = self._corrupted(text, seed=self.cell.seed, step=first)
        return {name: tensor.flatten(0, 1) for name, tensor in batch.items()}

    def heldout(self) -> Batch:
        """Return the evaluation set, corrupted in the same way for every run."""
        return self._corrupted(self.heldout_windows()[:, :-1], seed=_HELDOUT, step=0)

    def _corrupted(self, tokens: np.ndarray, *, seed: int, step: int) -> Batch:
        vocab = self.cell.vocab
        seen, targets = corrupt(tokens, seed=seed, step=step, vocab=vocab, mask_token=vocab)
        return tensors(tokens=seen, targets=targets)
