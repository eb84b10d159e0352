"""Define the objectives for texts with an answer: a class or another text."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import Any

import numpy as np
from torch import Tensor, nn

from scaling.training.cell import Cell
from scaling.training.objectives import metrics
from scaling.training.objectives.ahead import Ahead
from scaling.training.objectives.task import IGNORED, Batch, cross_entropy, tensors

WRITTEN = 64
"""Number of held-out examples for which text is generated, to measure BLEU and ROUGE."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Answered:
    """An objective whose batches are examples of texts with answers."""

    cell: Cell
    examples: Any

    bytes_heldout = None

    @cached_property
    def ahead(self) -> Ahead:
        """Cache of training batches."""
        cell = self.cell
        return Ahead(self.batches, sequences=cell.hyperparameters.batch_sequences, tokens=cell.context)

    def training(self, step: int) -> Batch:
        """Return the batch of a step; an epoch has every example once."""
        return self.ahead(step)

    def batches(self, first: int, steps: int) -> Batch:
        """Return the batches of `steps` steps as one batch; `first` is a multiple of `steps`."""
        cell = self.cell
        return self.tensors(
            self.examples.batch(
                "train",
                seed=cell.seed,
                step=first // steps,
                examples=steps * cell.hyperparameters.batch_sequences,
                context=cell.context,
                limit=None if cell.unique_tokens is None else cell.unique_tokens // cell.context,
            )
        )

    def heldout(self) -> Batch:
        """Return the first held-out examples in the order of their hashes, which is a fixed random order."""
        cell = self.cell
        batches = self.examples.all("heldout", examples=cell.evaluation_sequences, context=cell.context)
        return self.tensors(next(iter(batches)))

    def losses(self, predictions: Tensor, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
        """Return the cross-entropy of every target in nats."""
        return cross_entropy(predictions, targets, smoothing=smoothing)

    def tensors(self, arrays: dict[str, np.ndarray]) -> Batch:
        """Return the module's inputs and `targets`."""
        raise NotImplementedError

    def after(self, module: nn.Module, batch: Batch) -> dict[str, float]:
        """Return no further measures."""
        del module, batch
        return {}


class Classification(_Answered):
    """The objective that predicts the class of a text."""

    def tensors(self, arrays: dict[str, np.ndarray]) -> Batch:
        """Return `tokens` (examples, context), `lengths` (examples,) and `targets` (examples,)."""
        return tensors(tokens=arrays["tokens"], lengths=arrays["lengths"], targets=arrays["labels"])

    def predict(self, module: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return logits (examples, classes) and the true classes (examples,)."""
        return module(batch["tokens"], batch["lengths"]), batch["targets"]

    def measures(self, predicted: Tensor, targets: Tensor) -> dict[str, float]:
        """Return accuracy, precision, recall and F1."""
        return metrics.classification(predicted.numpy(), targets.numpy())


class Translation(_Answered):
    """The objective that predicts an answer's tokens from the source text and the answer's earlier tokens."""

    def tensors(self, arrays: dict[str, np.ndarray]) -> Batch:
        """Return `tokens` and `padding` of the source, `answers` and `targets`, each (examples, context).

        Source and answer end with the separator. Padding follows the answer; in `targets` it is IGNORED.
        """
        answers, lengths = arrays["answers"][:, 1:], arrays["answer_lengths"][:, None] - 1
        places = np.arange(answers.shape[1])
        return tensors(
            tokens=arrays["tokens"],
            padding=np.arange(arrays["tokens"].shape[1]) >= arrays["lengths"][:, None],
            answers=answers,
            targets=np.where(places < lengths, answers, IGNORED),
        )

    def predict(self, module: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return logits (examples × context, vocab) and the answers' tokens (examples × context,)."""
        inputs = module.shift(batch["answers"])  # type: ignore[operator]
        return module(batch["tokens"], inputs, batch["padding"]).flatten(0, 1), batch["targets"].flatten()

    def measures(self, predicted: Tensor, targets: Tensor) -> dict[str, float]:
        """Return the accuracy of a token, given the true tokens before it."""
        counting = targets != IGNORED
        return {"accuracy": float((predicted[counting] == targets[counting]).double().mean())}

    def after(self, module: nn.Module, batch: Batch) -> dict[str, float]:
        """Return BLEU and ROUGE-L of greedy answers to the first WRITTEN held-out examples."""
        from scaling.families.encoders.decoding import greedy

        was, texts = module.training, self.examples.texts
        end = int(texts.manifest["separator"])
        module.eval()
        written = greedy(
            module,  # type: ignore[arg-type]
            batch["tokens"][:WRITTEN],
            length=self.cell.context,
            end=end,
            padding=batch["padding"][:WRITTEN],
        )
        module.train(was)
        answers = [_text(texts, row, end) for row in written.cpu().numpy()]
        true = [_text(texts, row, end) for row in batch["answers"][:WRITTEN].cpu().numpy()]
        return metrics.bleu(answers, true) | {"rouge_l": metrics.rouge(answers, true)["rougeL"]}


def _text(texts: Any, tokens: np.ndarray, end: int) -> str:
    """Return the text before the first separator."""
    ends = np.flatnonzero(tokens == end)
    return str(texts.tokenizer.decode(tokens[: ends[0]] if len(ends) else tokens))
