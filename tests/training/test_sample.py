"""Sampling against the definitions of temperature, top-k and top-p."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import TopKLogitsWarper, TopPLogitsWarper

from scaling.corpora import Corpus
from scaling.errors import ConfigError, StorageError
from scaling.training import Cell, RunPaths
from scaling.training.lifecycle.run import Placement, run
from scaling.training.sample import load, restrict, sample, text


class Fixed(nn.Module):
    """Always the same next-token distribution."""

    def __init__(self, probabilities: list[float]) -> None:
        super().__init__()
        self.logits = torch.tensor(probabilities).log()

    def forward(self, tokens: Tensor) -> Tensor:
        return self.logits.expand(*tokens.shape, -1)


MODEL = Fixed([0.5, 0.25, 0.15, 0.1])


def frequencies(count: int = 4000, **settings: float) -> np.ndarray:
    drawn = Counter(sample(MODEL, np.array([0]), tokens=count, context=4, **settings))
    return np.array([drawn[i] / count for i in range(4)])


def test_frequencies_are_the_probabilities() -> None:
    np.testing.assert_allclose(frequencies(), [0.5, 0.25, 0.15, 0.1], atol=0.03)
    squared = np.array([0.5, 0.25, 0.15, 0.1]) ** 2
    np.testing.assert_allclose(frequencies(temperature=0.5), squared / squared.sum(), atol=0.03)
    np.testing.assert_allclose(frequencies(top_k=2), [2 / 3, 1 / 3, 0, 0], atol=0.03)
    np.testing.assert_allclose(frequencies(top_p=0.8), [5 / 9, 2.5 / 9, 1.5 / 9, 0], atol=0.03)
    np.testing.assert_allclose(frequencies(100, temperature=0), [1, 0, 0, 0])


def test_restrictions_are_those_of_transformers() -> None:
    torch.manual_seed(0)
    for _ in range(20):
        logits = torch.randn(50) * 3
        theirs = TopKLogitsWarper(7)(None, logits[None])[0]
        torch.testing.assert_close(restrict(logits, top_k=7, top_p=None), theirs)
        theirs = TopPLogitsWarper(0.9)(None, logits[None])[0]
        torch.testing.assert_close(restrict(logits, top_k=None, top_p=0.9), theirs)


def test_a_seed_is_a_text() -> None:
    def draw(seed: int) -> list[int]:
        return list(sample(MODEL, np.array([0]), tokens=50, context=4, seed=seed))

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


@pytest.mark.parametrize("settings", [{"temperature": -1}, {"top_k": 0}, {"top_p": 0}, {"top_p": 1.5}])
def test_bad_settings_are_a_sentence(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        next(sample(MODEL, np.array([0]), tokens=1, context=4, **settings))


def test_a_finished_run_writes(corpus: Corpus, cell: Callable[..., Cell], tmp_path: Path) -> None:
    it = cell(budget={"tokens": 300 * 64})
    paths = RunPaths.of(tmp_path, it.run_id)
    run(it, corpus=corpus, paths=paths)
    module = it.architecture.build(it.shape, seed=0)
    module.load_state_dict(torch.load(paths.weights, weights_only=True)["module"])
    written = text(module, corpus, "the ", tokens=60, context=16, temperature=0.5)
    assert written.startswith("the ")
    assert written == text(module, corpus, "the ", tokens=60, context=16, temperature=0.5)
    words = written.split()[1:-1]
    known = {"the", "of", "and", "to", "in", "is", "that", "for", "it", "was", "with", "be"}
    assert sum(word in known for word in words) > len(words) / 2, written


def test_a_run_without_weights_is_a_sentence(
    corpus: Corpus, cell: Callable[..., Cell], tmp_path: Path
) -> None:
    it = cell()
    paths = RunPaths.of(tmp_path, it.run_id)
    with pytest.raises(StorageError, match=r"has no record\.json"):
        load(paths)
    run(it, corpus=corpus, paths=paths, placement=Placement(keep_weights=False))
    with pytest.raises(StorageError, match=r"has no weights\.pt"):
        load(paths)
