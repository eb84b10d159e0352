"""Open a corpus on disk: two memory-mapped token streams and a manifest that describes them."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from scaling import files
from scaling.corpora import manifest
from scaling.corpora.manifest import AGAIN, STREAMS
from scaling.corpora.tokenizers import Tokenizer, load
from scaling.errors import CorpusError, StorageError
from scaling.files import sha256

_CHECKED = "checked.json"
_TICK_NS = 2_000_000_000
"""Time after a change in which a file system may give another change the same time."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Corpus:
    """A text as tokens, split by document into `train` and `heldout`."""

    folder: Path
    """Folder with `train.bin`, `heldout.bin`, `manifest.json` and, for tokens other than bytes,
    `tokenizer.json`."""
    manifest: Mapping[str, Any]
    """Source, licence, tokenizer, vocab, tokens, bytes, documents, overlap, SHA-256 of each file."""

    @property
    def name(self) -> str:
        """Name in the config."""
        return str(self.manifest["name"])

    @property
    def vocab(self) -> int:
        """Number of token ids."""
        return int(self.manifest["vocab"])

    @property
    def bytes_per_token(self) -> float:
        """Bytes of held-out text per token; the end of a document counts as one byte.

        Bits per byte = loss / ln 2 / bytes per token.
        """
        return float(self.manifest["bytes_per_token"])

    @property
    def hash(self) -> str:
        """Eight hex digits of the hash of the tokens; equal hashes mean equal tokens, whatever the source."""
        return str(self.manifest["hash"])

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Tokeniser of the corpus, with `encode`, `decode` and `byte_lengths`."""
        return load(str(self.manifest["tokenizer"]), self.vocab, self.folder)

    def bytes_of(self, targets: np.ndarray) -> float:
        """Return the bytes of text that the tokens `targets` (any shape) encode.

        Bits per byte = summed loss / ln 2 / bytes. The result is exact for bytes and byte-level tokenisers;
        others use the held-out mean per token.
        """
        lengths = self.tokenizer.byte_lengths
        return targets.size * self.bytes_per_token if lengths is None else float(lengths[targets].sum())

    @cached_property
    def train(self) -> np.ndarray:
        """Training stream, memory-mapped and read-only: uint8, uint16 or uint32 (tokens_train,)."""
        return self._map("train")

    @cached_property
    def heldout(self) -> np.ndarray:
        """Held-out stream, memory-mapped and read-only: uint8, uint16 or uint32 (tokens_heldout,)."""
        return self._map("heldout")

    def _map(self, stream: str) -> np.ndarray:
        return np.memmap(self.folder / STREAMS[stream], dtype=self.manifest["dtype"], mode="r")


def open_corpus(folder: Path, *, verify: bool = False) -> Corpus:
    """Open a prepared corpus and check its files.

    Manifest and sizes are checked always. Hashes, which take a second per GB, are checked with `verify`, or
    when a file changed since the last check: its size, its inode, or the time of its change.
    Raises CorpusError with the name of the file that is missing or damaged.
    """
    described = manifest.read(folder)
    stamps: dict[str, list[int]] = {}
    now = time.time_ns()
    try:
        for name, entry in described["files"].items():
            stat = (folder / name).stat()
            if stat.st_size != entry["bytes"]:
                raise CorpusError(
                    f"{folder / name} has {stat.st_size:,} bytes and its manifest says {entry['bytes']:,}; "
                    f"{AGAIN}"
                )
            stamps[name] = [stat.st_size, stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns]
        if verify or _read_stamps(folder) != stamps:
            for name, entry in described["files"].items():
                digest = sha256(folder / name)
                if digest != entry["sha256"]:
                    raise CorpusError(
                        f"{folder / name} is damaged: its SHA-256 begins {digest[:8]}, its manifest says "
                        f"{entry['sha256'][:8]}; {AGAIN}"
                    )
            if all(max(times) < now - _TICK_NS for _, _, *times in stamps.values()):
                _write_stamps(folder, stamps)
    except FileNotFoundError as error:
        raise CorpusError(f"{error.filename} is missing; {AGAIN}") from None
    except OSError as error:
        raise CorpusError(f"{error.filename or folder} cannot be read ({error.strerror}); {AGAIN}") from None
    return Corpus(folder=folder, manifest=described)


def _read_stamps(folder: Path) -> dict[str, list[int]] | None:
    try:
        stamps: dict[str, list[int]] = json.loads(files.content(folder / _CHECKED))
        return stamps
    except (OSError, ValueError):
        return None


def _write_stamps(folder: Path, stamps: dict[str, list[int]]) -> None:
    """Store the stamps of files with correct hashes; a folder that is read-only is left alone."""
    with suppress(StorageError):
        files.write(folder / _CHECKED, json.dumps(stamps), "the checks of a corpus")
