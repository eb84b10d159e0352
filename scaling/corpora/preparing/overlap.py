"""Measure how much of the held-out text also occurs in the training text, by windows of 13 words."""

from __future__ import annotations

import re
import zlib
from typing import Any

import numpy as np

WORDS = 13
_WORD = re.compile(rb"[a-z0-9\x80-\xff]+")
_BASE = 0x9E3779B97F4A7C15
_KEEP = 1 << 21


class Overlap:
    """A counter of held-out windows that occur in training documents.

    A window is a 13-gram of lower-case words without punctuation (Brown et al. 2020, arXiv 2005.14165,
    appendix C). Held-out documents are added first. Beyond two million windows only a fixed random share is
    counted, so that memory is bounded.
    """

    def __init__(self) -> None:
        self._held: list[np.ndarray] = []
        self._sorted: np.ndarray | None = None
        self._seen: np.ndarray | None = None
        self._count = 0
        self._shift = 0

    def add(self, words: np.ndarray, side: str) -> None:
        """Add the words (see `codes`) of a document of side `heldout` or `train`.

        Raises ValueError when a held-out document follows a training document.
        """
        if side == "train" and words.size < WORDS:
            return
        grams = windows(words, WORDS)
        if side == "heldout":
            if self._sorted is not None:
                raise ValueError("held-out documents come before training documents")
            self._held.append(self._sample(grams))
            self._count += self._held[-1].size
            while self._count > _KEEP:
                self._shift += 1
                self._held = [self._sample(np.concatenate(self._held))]
                self._count = self._held[0].size
            return
        held, seen = self._index()
        if held.size and grams.size:
            grams = np.sort(self._sample(grams))
            at = np.searchsorted(held, grams)
            at[at == held.size] = 0
            seen[at[held[at] == grams]] = True

    def measured(self) -> dict[str, Any]:
        """Return, for the manifest, the windows counted, those that occur in training, and their share."""
        held, seen = self._index()
        overlapping = int(seen.sum())
        return {
            "words": WORDS,
            "windows": int(held.size),
            "windows_in_train": overlapping,
            "fraction": overlapping / held.size if held.size else 0.0,
            "sampled": 1 / (1 << self._shift),
        }

    def _index(self) -> tuple[np.ndarray, np.ndarray]:
        if self._sorted is None or self._seen is None:
            self._sorted = np.unique(np.concatenate(self._held)) if self._held else np.empty(0, np.uint64)
            self._seen = np.zeros(self._sorted.size, dtype=bool)
            self._held = []
        return self._sorted, self._seen

    def _sample(self, grams: np.ndarray) -> np.ndarray:
        return grams if not self._shift else grams[(grams >> np.uint64(64 - self._shift)) == 0]


def codes(document: bytes) -> np.ndarray:
    """Return a 64-bit code of each word of a document, lower case without punctuation: uint64 (words,)."""
    words = _WORD.findall(document.lower())
    hashes = np.fromiter(map(zlib.crc32, words), dtype=np.uint64, count=len(words))
    return (hashes ^ (hashes << np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)


def windows(words: np.ndarray, length: int) -> np.ndarray:
    """Return the hashes of all windows of `length` words: uint64 (words − length + 1,), or empty.

    The hash is a polynomial modulo 2^64 in Horner's form, with one pass for each word of the window.
    """
    count = words.size - length + 1
    if count < 1:
        return np.empty(0, dtype=np.uint64)
    hashed = words[:count].copy()
    for place in range(1, length):
        hashed *= np.uint64(_BASE)
        hashed += words[place : place + count]
    hashed ^= hashed >> np.uint64(31)
    hashed *= np.uint64(0x94D049BB133111EB)
    hashed ^= hashed >> np.uint64(29)
    return hashed
