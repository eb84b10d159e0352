"""MinHash against the Jaccard similarity that it estimates, and near duplicates found in a corpus."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from scaling import corpora
from scaling.config import CorpusConfig, parse
from scaling.corpora.preparing.duplicates import BINS, NearDuplicates, signature
from scaling.corpora.preparing.overlap import codes, windows

from ..conftest import config, sentences


@pytest.mark.parametrize("size", [60, 300, 5000])
@pytest.mark.parametrize("shared", [0.0, 0.3, 0.8, 1.0])
def test_agreement_estimates_jaccard(size: int, shared: float) -> None:
    """|A ∩ B| / |A ∪ B| known by construction; the mean of 60 estimates within 5 standard errors."""
    both = int(size * shared)
    estimates = []
    for seed in range(60):
        pool = np.random.default_rng(seed).integers(0, 2**64, size=2 * size - both, dtype=np.uint64)
        one, two = pool[:size], np.concatenate([pool[:both], pool[size:]])
        estimates.append((signature(one) == signature(two)).mean())
    truth = both / (2 * size - both)
    # filled-in bins add variance where there are fewer windows than bins
    slack = 5 * np.sqrt(truth * (1 - truth) / min(BINS, size) / 60) + 1e-9
    assert abs(np.mean(estimates) - truth) <= 1.5 * slack + 0.002


def test_windows_are_equal_where_words_are() -> None:
    text = b"The quick, brown fox -- jumps over the lazy dog; and the quick brown Fox jumps again!"
    grams = windows(codes(text), 3)
    words = [code.lower() for code in re.findall(r"\w+", text.decode())]
    listed = [tuple(words[place : place + 3]) for place in range(len(words) - 2)]
    assert len(grams) == len(listed)
    for one, gram in zip(listed, grams, strict=True):
        assert [listed[at] for at in np.flatnonzero(grams == gram)] == [one] * listed.count(one)
    assert windows(codes(b"too short"), 3).size == 0


def test_near_duplicates_are_found_and_strangers_are_not(tmp_path: Path) -> None:
    texts = sentences(60, words=150)
    path = tmp_path / "rows.txt"
    path.write_text("\n".join(texts))
    said = corpora.prepare(parse(CorpusConfig, config(path, document="line")), tmp_path / "root").manifest[
        "near_duplicates"
    ]
    assert (said["documents"], said["near_duplicates"], said["heldout_near_train"]) == (60, 0, 0)
    copies = [text.replace("number", "no.") for text in texts[:30]]
    path.write_text("\n".join([*texts, *copies]))
    said = corpora.prepare(parse(CorpusConfig, config(path, document="line")), tmp_path / "root").manifest[
        "near_duplicates"
    ]
    assert said["near_duplicates"] == 30
    assert said["heldout_near_train"] > 0


def test_a_crowd_of_likes_is_counted_once_each() -> None:
    near = NearDuplicates()
    text = sentences(1, words=200)[0]
    for number in range(100):
        near.add(codes(f"{text} {number}".encode()), "train")
    assert near.measured()["near_duplicates"] == 99
