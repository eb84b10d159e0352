"""A synthetic language on disk: its manifest carries the truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scaling import corpora
from scaling.config import CorpusConfig, parse
from scaling.corpora import synthetic
from scaling.errors import ConfigError

ASKED = {
    "name": "toy",
    "source": "synthetic",
    "language": "markov",
    "seed": 0,
    "tokens": 50_000,
    "parameters": {"symbols": 8, "order": 1, "exponent": 1.0},
    "tokenizer": "symbols",
    "heldout_fraction": 0.1,
}


def test_streams_are_independent_samples_and_the_truth_is_written(tmp_path: Path) -> None:
    corpus = corpora.prepare(parse(CorpusConfig, ASKED), tmp_path)
    assert (corpus.train.size, corpus.heldout.size) == (45_000, 5_000)
    assert not np.array_equal(corpus.train[:5000], corpus.heldout)
    assert corpus.vocab == 8
    truth = corpus.manifest["truth"]
    assert truth["entropy_rate_lower"] <= truth["entropy_rate"] <= truth["entropy_rate_upper"]
    assert truth["floor_by_context"]["64"] == pytest.approx(truth["entropy_rate"])
    assert corpora.prepare(parse(CorpusConfig, ASKED), tmp_path).folder == corpus.folder
    assert corpora.prepare(parse(CorpusConfig, ASKED | {"seed": 1}), tmp_path).hash != corpus.hash
    assert corpora.batch(corpus.train, seed=0, step=0, sequences=2, context=16).max() < 8


def test_the_language_is_found_again_from_the_manifest(tmp_path: Path) -> None:
    corpus = corpora.prepare(parse(CorpusConfig, ASKED), tmp_path)
    windows = corpora.heldout(corpus.heldout, sequences=300, context=16)
    losses = synthetic.of(corpus.manifest).ideal_loss(windows)
    error = losses.std() / np.sqrt(300)
    assert abs(losses.mean() - corpus.manifest["truth"]["entropy_rate"]) < 4 * error
    with pytest.raises(ConfigError, match="is no synthetic language"):
        synthetic.of({"name": "sotu", "config": {}})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"tokenizer": "bytes"}, "a synthetic language consists of symbols"),
        ({"tokens": 1}, r"corpus\.tokens is 1"),
        ({"seed": -1}, r"corpus\.seed is -1"),
        ({"language": None}, "needs corpus.language"),
    ],
)
def test_refusals(tmp_path: Path, changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        corpora.prepare(parse(CorpusConfig, {**ASKED, **changes}), tmp_path)


def test_opening_again_computes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = corpora.prepare(parse(CorpusConfig, ASKED), tmp_path)
    monkeypatch.setattr(synthetic, "truth", lambda _: pytest.fail("worked out again"))
    assert corpora.prepare(parse(CorpusConfig, ASKED), tmp_path).hash == first.hash
