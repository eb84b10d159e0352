"""Write one token stream to disk."""

from __future__ import annotations

import hashlib
from array import array
from pathlib import Path
from typing import Any

import numpy as np

from scaling.corpora.tokenizers import Tokenizer, dtype

_BATCH_BYTES = 1 << 22


class Stream:
    """A writer of one token stream, from documents or tokens; it counts and hashes the tokens it writes.

    With `keep_lengths`, `lengths` holds the tokens of each document, including its end.
    """

    def __init__(self, path: Path, tokenizer: Tokenizer, *, keep_lengths: bool = False) -> None:
        self.tokens = 0
        self.bytes = 0
        self.documents = 0
        self.size = 0
        self.sha256 = ""
        self.lengths = array("I")
        self._keep_lengths = keep_lengths
        self._tokenizer = tokenizer
        self._dtype = np.dtype(dtype(tokenizer.vocab))
        self._file = path.open("wb")
        self._digest = hashlib.sha256()
        self._waiting: list[bytes] = []
        self._held = 0

    def add(self, document: bytes) -> None:
        """Add one document, which is tokenised in a batch. The separator after it counts as one byte."""
        self._waiting.append(document)
        self._held += len(document)
        if self._held >= _BATCH_BYTES:
            self._flush()

    def write(self, tokens: np.ndarray) -> None:
        """Write tokens unchanged."""
        raw = tokens.astype(self._dtype, copy=False).tobytes()
        self._file.write(raw)
        self._digest.update(raw)
        self.tokens += tokens.size
        self.size += len(raw)

    def close(self) -> None:
        """Write the waiting documents, close the file and finish the hash."""
        self._flush()
        self._file.close()
        self.sha256 = self._digest.hexdigest()

    def note(self) -> dict[str, Any]:
        """Return the size in bytes and the hash, for the manifest."""
        return {"bytes": self.size, "sha256": self.sha256}

    def _flush(self) -> None:
        if not self._waiting:
            return
        end = np.array([self._tokenizer.separator], dtype=self._dtype)
        encoded = self._tokenizer.encode(self._waiting)
        if self._keep_lengths:
            self.lengths.extend(tokens.size + 1 for tokens in encoded)
        self.write(np.concatenate([part for tokens in encoded for part in (tokens.astype(self._dtype), end)]))
        self.bytes += self._held + len(self._waiting)
        self.documents += len(self._waiting)
        self._waiting, self._held = [], 0
