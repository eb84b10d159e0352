"""Count near duplicates among documents, by one-permutation MinHash."""

from __future__ import annotations

from typing import Any

import numpy as np

from scaling.corpora.preparing.overlap import windows

WORDS = 5
BINS = 128
BAND = 8
SIMILAR = 0.8
_FOLLOWED = 1 << 16
_BIN_BITS = BINS.bit_length() - 1


class NearDuplicates:
    """A counter of near duplicates: documents whose sets of 5-word windows have a Jaccard similarity ≥ 0.8.

    The similarity is estimated by MinHash with one permutation and densified bins (Li, Owen and Zhang 2012;
    Shrivastava and Li 2014). Candidates share a band of 8 bins (Leskovec et al., Mining of Massive Datasets,
    chapter 3). Only the first 65,536 documents in hash order, a random sample, are compared, so that memory
    is bounded.
    """

    def __init__(self) -> None:
        # the system allocates a page only when it is first written
        self._signatures = np.empty((_FOLLOWED, BINS), dtype=np.uint32)
        self._held = np.empty(_FOLLOWED, dtype=bool)
        self._documents = 0

    def add(self, words: np.ndarray, side: str) -> None:
        """Add the words of one document; documents with fewer than five words are skipped."""
        if self._documents < len(self._held) and words.size >= WORDS:
            self._signatures[self._documents] = signature(windows(words, WORDS))
            self._held[self._documents] = side == "heldout"
            self._documents += 1

    def measured(self) -> dict[str, Any]:
        """Return the counts for the manifest.

        `documents` are compared, `near_duplicates` have an earlier near duplicate, and `heldout_near_train`
        are held-out documents with a near duplicate in the training text.
        """
        near, crossing = self._find()
        return {
            "words": WORDS,
            "similarity": SIMILAR,
            "documents": self._documents,
            "near_duplicates": near,
            "heldout_near_train": crossing,
        }

    def _find(self) -> tuple[int, int]:
        signs, held = self._signatures[: self._documents], self._held[: self._documents]
        near, crossing = np.zeros(len(signs), dtype=bool), np.zeros(len(signs), dtype=bool)
        for start in range(0, BINS, BAND):
            band = np.ascontiguousarray(signs[:, start : start + BAND]).view(f"V{4 * BAND}").ravel()
            _, group, sizes = np.unique(band, return_inverse=True, return_counts=True)
            order = np.argsort(group, kind="stable")
            edges = np.concatenate([[0], np.cumsum(sizes)])
            for first, last in zip(edges[:-1][sizes > 1], edges[1:][sizes > 1], strict=True):
                members = order[first:last]
                # a large group is compared with its first members only, so that the work stays linear
                for one in members[:32]:
                    alike = members[(signs[members] == signs[one]).mean(axis=1) >= SIMILAR]
                    alike = alike[alike != one]
                    near[alike[alike > one]] = True
                    crossing[one] |= bool(held[one] and (~held[alike]).any())
                    crossing[alike[held[alike]]] |= not held[one]
        return int(near.sum()), int(crossing.sum())


def signature(grams: np.ndarray) -> np.ndarray:
    """Return the smallest hash in each of 128 bins, uint32 (128,).

    An empty bin copies the next filled bin and adds a multiple of the distance to it. Two sets then agree on
    copied bins as often as on filled ones.
    """
    mixed = grams * np.uint64(0xD6E8FEB86659FD93)
    mixed.sort()
    bins = (mixed >> np.uint64(64 - _BIN_BITS)).astype(np.int64)
    first = np.flatnonzero(np.diff(bins, prepend=-1))
    filled, values = bins[first], (mixed[first] >> np.uint64(20)).astype(np.uint32)
    every = np.arange(BINS)
    donor = np.searchsorted(filled, every) % filled.size
    distance = (filled[donor] - every) % BINS
    borrowed: np.ndarray = values[donor] + distance.astype(np.uint32) * np.uint32(0x9E3779B1)
    return borrowed
