"""Open a corpus on disk: two memory-mapped token streams and a manifest that describes them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from scaling import files
from scaling.corpora.tokenizers import Tokenizer, load
from scaling.errors import CorpusError, StorageError
from scaling.files import sha256

FORMAT = 1
MANIFEST = "manifest.json"
STREAMS = {"train": "train.bin", "heldout": "heldout.bin"}
_CHECKED = "checked.json"
_AGAIN = "remove that folder and prepare the corpus again"


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

    Sizes are checked always. Hashes are checked with `verify`, or when a file changed since the last check.
    Raises CorpusError with the name of the file that is missing or damaged.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        files = manifest["files"]
    except FileNotFoundError:
        raise CorpusError(f"there is no corpus in {folder}: {MANIFEST} is missing; {_AGAIN}") from None
    except (ValueError, KeyError, TypeError):
        raise CorpusError(f"{path} is damaged and cannot be read; {_AGAIN}") from None
    if manifest.get("format") != FORMAT:
        raise CorpusError(
            f"{path} has format {manifest.get('format')!r}, this version reads {FORMAT}; {_AGAIN}"
        )
    stamps: dict[str, list[int]] = {}
    for name, entry in files.items():
        try:
            stat = (folder / name).stat()
        except FileNotFoundError:
            raise CorpusError(f"{folder / name} is missing; {_AGAIN}") from None
        if stat.st_size != entry["bytes"]:
            raise CorpusError(
                f"{folder / name} has {stat.st_size:,} bytes and its manifest says {entry['bytes']:,}; "
                f"{_AGAIN}"
            )
        stamps[name] = [stat.st_size, stat.st_mtime_ns]
    if verify or _read_stamps(folder) != stamps:
        for name, entry in files.items():
            digest = sha256(folder / name)
            if digest != entry["sha256"]:
                raise CorpusError(
                    f"{folder / name} is damaged: its SHA-256 begins {digest[:8]}, its manifest says "
                    f"{entry['sha256'][:8]}; {_AGAIN}"
                )
        _write_stamps(folder, stamps)
    return Corpus(folder=folder, manifest=manifest)


def _read_stamps(folder: Path) -> dict[str, list[int]] | None:
    try:
        stamps: dict[str, list[int]] = json.loads((folder / _CHECKED).read_text(encoding="utf-8"))
        return stamps
    except (OSError, ValueError):
        return None


def _write_stamps(folder: Path, stamps: dict[str, list[int]]) -> None:
    """Store the sizes and times of files with correct hashes; a folder that is read-only is left alone."""
    with suppress(StorageError):
        files.write(folder / _CHECKED, json.dumps(stamps), "the checks of a corpus")
