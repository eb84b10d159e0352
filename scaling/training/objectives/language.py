"""Language modelling over a stream of text: causal and masked."""

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
"""Share of a device's memory that text may take without being asked for."""
_HELDOUT = 0x68656C64
"""The seed by which the evaluation set is corrupted, whatever the run's."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Language:
    """Windows of a corpus, by the cell's seed and the step."""

    cell: Cell
    corpus: Any

    @cached_property
    def ahead(self) -> Ahead:
        """Training batches."""
        cell = self.cell
        return Ahead(self.batches, sequences=cell.hyperparameters.batch_sequences, tokens=cell.context + 1)

    def training(self, step: int) -> Batch:
        """`tokens` and `targets`, both (sequences, context)."""
        return self.ahead(step)

    def batches(self, first: int, steps: int) -> Batch:
        """Those of so many steps."""
        raise NotImplementedError

    def windows(self, first: int, steps: int) -> np.ndarray:
        """The text of so many steps, `first` a multiple of them: int64 (steps × batch_sequences,
        context + 1)."""
        cell = self.cell
        return corpora.batch(
            self.corpus.train,
            seed=cell.seed,
            # several small steps are one large one of the same windows in the same order
            step=first // steps,
            sequences=steps * cell.hyperparameters.batch_sequences,
            context=cell.context,
            unique_tokens=cell.unique_tokens,
        )

    def heldout_windows(self) -> np.ndarray:
        """The text of the evaluation set: int64 (evaluation_sequences, context + 1)."""
        cell = self.cell
        return corpora.heldout(self.corpus.heldout, sequences=cell.evaluation_sequences, context=cell.context)

    def losses(self, predictions: Tensor | Deferred, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
        """Cross-entropy."""
        return cross_entropy(predictions, targets, smoothing=smoothing)

    def predict(self, module: nn.Module, batch: Batch) -> tuple[Any, Tensor]:
        """Logits (sequences × context, vocab), Deferred ones of a Headless module, and their targets."""
        said, targets = module(batch["tokens"]), batch["targets"].flatten()
        if isinstance(said, tuple):
            features, weight, tokens = said
            return Deferred(features=features.flatten(0, 1), weight=weight, tokens=tokens), targets
        return said.flatten(0, 1), targets

    def after(self, module: nn.Module, batch: Batch) -> dict[str, float]:
        """Nothing more."""
        del module, batch
        return {}

    def measures(self, said: Tensor, targets: Tensor) -> dict[str, float]:
        """Accuracy over the targets that count: how often the likeliest token came."""
        counting = targets != IGNORED
        right = said[counting] == targets[counting]
        return {"accuracy": float(right.double().mean())}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Causal(Language):
    """Every position predicts the token after it: inputs are a window without its last, targets without its
    first."""

    resident: Tensor | None = None
    """The training text on the device, int32 (tokens,), from which batches are then gathered there."""
    every_target = True

    @property
    def bytes_heldout(self) -> float:
        """Of all held-out targets."""
        return float(self.corpus.bytes_of(self.heldout_windows()[:, 1:]))

    def training(self, step: int) -> Batch:
        """`tokens` and `targets`, both (sequences, context)."""
        return super().training(step) if self.resident is None else self._gathered(step, self.resident)

    def batches(self, first: int, steps: int) -> Batch:
        """Those of so many steps."""
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
        """The same of the evaluation set."""
        windows = self.heldout_windows()
        return tensors(tokens=windows[:, :-1], targets=windows[:, 1:])


def resident(task: Any, device: torch.device, wanted: bool | None) -> Any:
    """A causal task whose training text lies on the device, where `wanted` says so, or says nothing and the
    device is a GPU of whose memory it takes little; else the task as it is."""
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
    """Some positions are hidden or corrupted, and only those are predicted. Its loss is never compared with
    the causal."""

    bytes_heldout = None

    def batches(self, first: int, steps: int) -> Batch:
        """`tokens`, corrupted, and `targets`, IGNORED wherever nothing was chosen, of so many steps."""
        text = self.windows(first, steps)[:, :-1].reshape(steps, -1, self.cell.context)
        made = self._corrupted(text, seed=self.cell.seed, step=first)
        return {name: tensor.flatten(0, 1) for name, tensor in made.items()}

    def heldout(self) -> Batch:
        """The evaluation set, corrupted in the same way for every run."""
        return self._corrupted(self.heldout_windows()[:, :-1], seed=_HELDOUT, step=0)

    def _corrupted(self, tokens: np.ndarray, *, seed: int, step: int) -> Batch:
        vocab = self.cell.vocab
        seen, targets = corrupt(tokens, seed=seed, step=step, vocab=vocab, mask_token=vocab)
        return tensors(tokens=seen, targets=targets)
