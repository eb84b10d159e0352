"""Store downloaded text in shards, so that an interrupted download can continue."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from scaling import files
from scaling.errors import CorpusError

_SHARD_BYTES = 1 << 26
_LENGTH = struct.Struct("<Q")
Rows = Callable[[int, Any], Iterator[tuple[bytes, Callable[[], Any]]]]


class Shards:
    """A folder of shards of documents.

    Each shard has a note with its size, its SHA-256 and the state of the stream after it.
    """

    def __init__(self, folder: Path, *, shard_bytes: int = _SHARD_BYTES) -> None:
        self.folder = folder
        self._shard_bytes = shard_bytes

    @property
    def complete(self) -> bool:
        """Whether the stream was read to its end."""
        return (self.folder / "complete").exists()

    def notes(self) -> list[dict[str, Any]]:
        """Return the notes of the shards, up to the first missing one."""
        notes: list[dict[str, Any]] = []
        while (note := self.folder / f"{len(notes):05d}.json").exists():
            notes.append(json.loads(note.read_text(encoding="utf-8")))
        return notes

    def fetch(self, rows: Rows) -> None:
        """Fetch the missing documents and store them in shards.

        `rows(skip, state)` yields (document, function that returns the state after it) from document `skip`.
        """
        if self.complete:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        notes = self.notes()
        number = len(notes)
        waiting: list[bytes] = []
        held = 0
        state: Callable[[], Any] = dict
        for document, state in rows(
            sum(note["documents"] for note in notes), notes[-1]["state"] if notes else None
        ):
            waiting.append(document)
            held += len(document)
            if held >= self._shard_bytes:
                self._write(number, waiting, state())
                number, waiting, held = number + 1, [], 0
        if waiting:
            self._write(number, waiting, state())
        (self.folder / "complete").touch()

    def documents(self) -> Iterator[bytes]:
        """Yield all documents, shard by shard.

        Raises CorpusError for a missing shard, or one whose hash differs from its note.
        """
        for number, note in enumerate(self.notes()):
            path = self.folder / f"{number:05d}.bin"
            if not path.exists() or files.sha256(path) != note["sha256"]:
                raise CorpusError(
                    f"the shard {path} is missing or damaged; remove {self.folder} and fetch the text again"
                )
            with path.open("rb") as file:
                while head := file.read(_LENGTH.size):
                    yield file.read(_LENGTH.unpack(head)[0])

    def _write(self, number: int, documents: list[bytes], state: Any) -> None:
        """Write the shard and then its note, both atomically; a note means that the shard is complete."""
        digest = hashlib.sha256()
        with files.atomic(self.folder / f"{number:05d}.bin", "a shard of text", durable=False) as file:
            for document in documents:
                for part in (_LENGTH.pack(len(document)), document):
                    file.write(part)
                    digest.update(part)
        note = {
            "documents": len(documents),
            "bytes": sum(map(len, documents)),
            "sha256": digest.hexdigest(),
            "state": state,
        }
        files.write(self.folder / f"{number:05d}.json", json.dumps(note), "the note of a shard")
