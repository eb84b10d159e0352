"""Define the training objectives: their batches, predictions and losses."""

from __future__ import annotations

from typing import Any

from scaling.errors import ConfigError, one_of
from scaling.training.cell import Cell
from scaling.training.config.text import read_by
from scaling.training.objectives.task import IGNORED, Batch, Task

NAMES = ("causal", "masked", "classification", "seq2seq", "regression")

__all__ = ["IGNORED", "NAMES", "Batch", "Task", "make"]


def make(cell: Cell, corpus: Any) -> Task:
    """Return the task of a cell and its data. Raises ConfigError for an unknown objective."""
    corpus = read_by(cell.objective, corpus)
    if cell.objective in ("causal", "masked"):
        from scaling.training.objectives.language import Causal, Masked

        return (Causal if cell.objective == "causal" else Masked)(cell=cell, corpus=corpus)
    if cell.objective in ("classification", "seq2seq"):
        from scaling.training.objectives import metrics
        from scaling.training.objectives.examples import Classification, Translation

        # a missing library is reported before training, not after it
        needed = {
            "classification": ("sklearn.metrics",),
            "seq2seq": ("sacrebleu", "rouge_score.rouge_scorer"),
        }
        for module in needed[cell.objective]:
            metrics.check(module)
        kind = Classification if cell.objective == "classification" else Translation
        return kind(cell=cell, examples=corpus)
    if cell.objective == "regression":
        from scaling.training.objectives.regression import Regression

        return Regression(cell=cell, numbers=corpus)
    raise ConfigError(one_of("the objective of a family", cell.objective, NAMES))
