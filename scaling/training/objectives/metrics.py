"""Compute accuracy, F1, BLEU and ROUGE with scikit-learn, sacrebleu and rouge-score.

Install them with `pip install 'scaling[metrics]'`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from scaling.errors import ConfigError

_PACKAGES = {"sklearn.metrics": "scikit-learn", "rouge_score.rouge_scorer": "rouge-score"}


def classification(predicted: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """Return accuracy, and the means over classes (`macro`) of precision, recall and F1, each in 0 … 1.

    Args:
        predicted: predicted class of each example, int (examples,).
        true: true class of each example, int (examples,).

    A class that is never predicted has precision 0.
    """
    measure = _library("sklearn.metrics")
    precision, recall, f1, _ = measure.precision_recall_fscore_support(
        true, predicted, average="macro", zero_division=0
    )
    return {
        "accuracy": float(measure.accuracy_score(true, predicted)),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
    }


def bleu(written: Sequence[str], true: Sequence[str]) -> dict[str, float]:
    """Return corpus BLEU in 0 … 100 with one reference and sacrebleu's tokenisation (arXiv:1804.08771)."""
    return {"bleu": float(_library("sacrebleu").corpus_bleu(list(written), [list(true)]).score)}


def rouge(written: Sequence[str], true: Sequence[str]) -> dict[str, float]:
    """Return the mean F-measures of ROUGE-1, ROUGE-2 and ROUGE-L in 0 … 1, without stemming."""
    names = ("rouge1", "rouge2", "rougeL")
    scorer = _library("rouge_score.rouge_scorer").RougeScorer(list(names), use_stemmer=False)
    scores = [scorer.score(reference, text) for text, reference in zip(written, true, strict=True)]
    return {name: float(np.mean([score[name].fmeasure for score in scores])) for name in names}


def perplexity(loss: float) -> float:
    """Return exp(loss in nats per token). It is comparable only between runs with the same tokenizer."""
    return math.exp(loss)


def check(module: str) -> None:
    """Raise ConfigError when the library of a measure is not installed."""
    _library(module)


def _library(module: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError:
        raise ConfigError(
            f"this measure needs the package {_PACKAGES.get(module, module)}; type: pip install "
            "'scaling[metrics]'"
        ) from None
