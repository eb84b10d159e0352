"""Prepare text as tokens on disk, and return batches as a pure function of (seed, step)."""

from __future__ import annotations

from scaling.corpora.batches import Supply, batch, check, heldout, window_numbers, windows
from scaling.corpora.corpus import Corpus, open_corpus
from scaling.corpora.examples import Examples, prepare_examples
from scaling.corpora.listing import available, prepared
from scaling.corpora.preparing.building import prepare

__all__ = [
    "Corpus",
    "Examples",
    "Supply",
    "available",
    "batch",
    "check",
    "heldout",
    "open_corpus",
    "prepare",
    "prepare_examples",
    "prepared",
    "window_numbers",
    "windows",
]
