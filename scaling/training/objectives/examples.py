"""Tasks over texts with an answer: a class, or another text."""

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
"""Held-out examples that are written for BLEU."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Answered:
    """Texts of a corpus with answers, by the cell's seed and the step."""

    cell: Cell
    examples: Any

    bytes_heldout = None

    @cached_property
    def ahead(self) -> Ahead:
        """Training batches."""
        cell = self.cell
        return Ahead(self.batches, sequences=cell.hyperparameters.batch_sequences, tokens=cell.context)

    def training(self, step: int) -> Batch:
        """The examples of one step, every example once an epoch."""
        return self.ahead(step)

    def batches(self, first: int, steps: int) -> Batch:
        """Those of so many steps, `first` a multiple of them: one large step of the same examples."""
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
        """The first examples that were held out, in the order of their hashes, which is a fixed shuffle."""
        cell = self.cell
        batches = self.examples.all("heldout", examples=cell.evaluation_sequences, context=cell.context)
        return self.tensors(next(iter(batches)))

    def losses(self, predictions: Tensor, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
        """Cross-entropy."""
        return cross_entropy(predictions, targets, smoothing=smoothing)

    def tensors(self, arrays: dict[str, np.ndarray]) -> Batch:
        """What the module takes, and `targets`."""
        raise NotImplementedError

    def after(self, module: nn.Module, batch: Batch) -> dict[str, float]:
        """Nothing more."""
        del module, batch
        return {}


class Classification(_Answered):
    """A text's class from all of the text."""

    def tensors(self, arrays: dict[str, np.ndarray]) -> Batch:
        """`tokens` (examples, context), `lengths` (examples,), `targets` (examples,)."""
        return tensors(tokens=arrays["tokens"], lengths=arrays["lengths"], targets=arrays["labels"])

    def predict(self, module: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Logits (examples, classes) and the classes."""
        return module(batch["tokens"], batch["lengths"]), batch["targets"]

    def measures(self, said: Tensor, targets: Tensor) -> dict[str, float]:
        """Accuracy, precision, recall and F1."""
        return metrics.classification(said.numpy(), targets.numpy())


class Translation(_Answered):
    """Another text from a text, each token from the ones before it and from all of the source."""

    def tensors(self, arrays: dict[str, np.ndarray]) -> Batch:
        """`tokens` and `padding` of the source (examples, context), `answers` and `targets` (examples,
        context).

        Both sides end with the separator. Padding is IGNORED in `targets`; in `answers`, which the module
        shifts and reads, it stands behind all that counts.
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
        """Logits (examples × context, vocab) and the tokens of the answers."""
        inputs = module.shift(batch["answers"])  # type: ignore[operator]
        return module(batch["tokens"], inputs, batch["padding"]).flatten(0, 1), batch["targets"].flatten()

    def measures(self, said: Tensor, targets: Tensor) -> dict[str, float]:
        """Accuracy of each token given the true ones before it."""
        counting = targets != IGNORED
        return {"accuracy": float((said[counting] == targets[counting]).double().mean())}

    def after(self, module: nn.Module, batch: Batch) -> dict[str, float]:
        """BLEU and ROUGE-L of the first WRITTEN held-out examples, written greedily."""
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
        said = [_text(texts, row, end) for row in written.cpu().numpy()]
        true = [_text(texts, row, end) for row in batch["answers"][:WRITTEN].cpu().numpy()]
        return metrics.bleu(said, true) | {"rouge_l": metrics.rouge(said, true)["rougeL"]}


def _text(texts: Any, tokens: np.ndarray, end: int) -> str:
    """The text before the first separator."""
    ends = np.flatnonzero(tokens == end)
    return str(texts.tokenizer.decode(tokens[: ends[0]] if len(ends) else tokens))
