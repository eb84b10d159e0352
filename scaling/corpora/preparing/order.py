"""Sort documents by the hash of their content with an external merge sort, in bounded memory.

Hash order is a fixed shuffle. It does not depend on the names or the order of files. Exact duplicates become
neighbours, and the documents below a threshold are a random held-out sample.
"""

from __future__ import annotations

import hashlib
import heapq
import struct
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from pathlib import Path

KEY_BYTES = 16
_HEAD = struct.Struct(f"<{KEY_BYTES}sQ")
_RUN_BYTES = 1 << 24
_MERGE = 128
Keyed = tuple[bytes, bytes]


def key(document: bytes) -> bytes:
    """Return the BLAKE2b hash of a document, 16 bytes."""
    return hashlib.blake2b(document, digest_size=KEY_BYTES).digest()


class Ordered:
    """The documents of a stream, sorted by the hash of their content; can be read more than once.

    At most `run_bytes` of text are held in memory; the rest is in sorted files under `folder`.
    """

    def __init__(
        self,
        documents: Iterable[bytes],
        folder: Path,
        *,
        run_bytes: int = _RUN_BYTES,
        key: Callable[[bytes], bytes] = key,
    ) -> None:
        self.documents = 0
        self.bytes = 0
        self.empty = 0
        self._folder = folder
        self._runs: list[Path] = []
        self._tail: list[Keyed] = []
        self._written = 0
        self.smallest, self.largest = b"\xff" * KEY_BYTES, b"\0" * KEY_BYTES
        held = 0
        for document in documents:
            if not document.strip():
                self.empty += 1
                continue
            digest = key(document)
            self.smallest, self.largest = min(self.smallest, digest), max(self.largest, digest)
            self._tail.append((digest, document))
            self.documents += 1
            self.bytes += len(document)
            held += len(document)
            if held >= run_bytes:
                self._spill()
                held = 0
        self._tail.sort()
        while len(self._runs) > _MERGE:
            first, self._runs = self._runs[:_MERGE], self._runs[_MERGE:]
            self._write(heapq.merge(*map(_read, first), key=itemgetter(0)))
            for path in first:
                path.unlink()

    def __iter__(self) -> Iterator[Keyed]:
        """Yield (key, document), smallest key first."""
        return heapq.merge(*map(_read, self._runs), iter(self._tail), key=itemgetter(0))

    def threshold(self, fraction: float) -> int:
        """Return the number below which a key is held out: `fraction` of the range of keys.

        At least one document is on each side.
        """
        low, high = int.from_bytes(self.smallest, "big") + 1, int.from_bytes(self.largest, "big")
        return min(max(int(fraction * float(1 << 64)) << 64, low), high)

    @property
    def distinct(self) -> bool:
        """Whether there are two different documents, so that a split exists."""
        return self.documents > 1 and self.smallest != self.largest

    def _spill(self) -> None:
        self._tail.sort()
        self._write(self._tail)
        self._tail = []

    def _write(self, items: Iterable[Keyed]) -> None:
        path = self._folder / f"run-{self._written:06d}"
        self._written += 1
        with path.open("wb") as file:
            for digest, document in items:
                file.write(_HEAD.pack(digest, len(document)))
                file.write(document)
        self._runs.append(path)


def _read(path: Path) -> Iterator[Keyed]:
    with path.open("rb") as file:
        while head := file.read(_HEAD.size):
            digest, length = _HEAD.unpack(head)
            yield digest, file.read(length)
