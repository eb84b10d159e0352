"""A small corpus with structure, and configs of cells that train in a fraction of a second."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from scaling import corpora
from scaling.config import Config, CorpusConfig, parse
from scaling.corpora import Corpus
from scaling.training import Cell, RunPaths

os.environ.setdefault("OMP_NUM_THREADS", "1")
WORDS = ["the", "of", "and", "to", "in", "is", "that", "for", "it", "was", "with", "be"]


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """As a slot does."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Forty documents of words in random order, as bytes."""
    root = tmp_path_factory.mktemp("corpus")
    texts = root / "texts"
    texts.mkdir()
    rng = np.random.default_rng(0)
    for number in range(40):
        text = " ".join(rng.choice(WORDS, 400)) + f" number {number}."
        (texts / f"{number:02d}.txt").write_text(text, encoding="utf-8")
    config = {
        "name": "words",
        "source": "files",
        "path": str(texts),
        "tokenizer": "bytes",
        "heldout_fraction": 0.2,
    }
    return corpora.prepare(parse(CorpusConfig, config), root / "corpora")


def config(**changes: Any) -> dict[str, Any]:
    """The config of a run of 40 steps; changes replace whole keys."""
    return {
        "family": {"name": "llama", "size": 0.5},
        "corpus": {},
        "context": 16,
        "budget": {"tokens": 40 * 4 * 16},
        "recipe": {"name": "small_decoder", "batch_sequences": 4},
        "seed": 0,
        "evaluation": {"sequences": 32, "points": 4},
        "device": {"name": "cpu", "dtype": "float32"},
        **changes,
    }


def stated(cell: Cell, **changes: Any) -> Config:
    """The config of a cell of family llama, as its record must state it."""
    family = {"name": cell.family, "size": cell.size}
    return parse(Config, config(**{"family": family, "seed": cell.seed, **changes}))


@pytest.fixture
def cell(corpus: Corpus) -> Callable[..., Cell]:
    """Makes a cell from changes to the config."""
    return lambda **changes: Cell.from_config(parse(Config, config(**changes)), corpus)


@pytest.fixture
def paths(tmp_path: Path) -> Callable[[Cell], RunPaths]:
    """The run's folder under a results folder of the test."""
    return lambda cell: RunPaths.of(tmp_path / "results", cell.run_id)
