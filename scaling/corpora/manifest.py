"""Read and check the manifest of a corpus, which describes its files and their hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scaling import files
from scaling.corpora.tokenizers import FILE, dtype
from scaling.errors import CorpusError

FORMAT = 1
MANIFEST = "manifest.json"
STREAMS = {"train": "train.bin", "heldout": "heldout.bin"}
AGAIN = "remove that folder and prepare the corpus again"
_TEXTS = ("name", "hash", "tokenizer", "dtype")
_COUNTS = {
    f"{what}_{side}": least
    for what, least in (("tokens", 1), ("bytes", 0), ("documents", 0))
    for side in STREAMS
}
_RATIOS = {"bytes_per_token": "heldout", "bytes_per_token_train": "train"}


def write(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write a manifest with its own checksum."""
    content = json.loads(json.dumps(manifest, default=str))
    text = json.dumps(content | {"checksum": checksum(content)}, indent=1)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def read(folder: Path) -> dict[str, Any]:
    """Return the manifest of a folder. Raises CorpusError if it is missing, damaged or edited."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(files.content(path))
        if isinstance(manifest, dict) and manifest.get("format") != FORMAT:
            raise CorpusError(
                f"{path} has format {manifest.get('format')!r}, this version reads {FORMAT}; {AGAIN}"
            )
        check(manifest)
    except (FileNotFoundError, NotADirectoryError):
        raise CorpusError(f"there is no corpus in {folder}: {MANIFEST} is missing; {AGAIN}") from None
    except OSError as error:
        raise CorpusError(f"{path} cannot be read ({error.strerror}); {AGAIN}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = f"it lacks {error}" if isinstance(error, KeyError) else str(error).split("\n")[0][:200]
        raise CorpusError(f"{path} is damaged ({why}); {AGAIN}") from None
    return dict(manifest)


def check(manifest: Mapping[str, Any]) -> None:
    """Raise an exception for the first value that is missing, has a wrong type, or contradicts another one.

    Manifests of earlier versions have no checksum.
    """
    if "checksum" in manifest and manifest["checksum"] != checksum(manifest):
        raise ValueError("its checksum is wrong")
    for name in _TEXTS:
        if not isinstance(manifest[name], str):
            raise ValueError(f"{name} is {manifest[name]!r}, not a text")
    for name, least in {"vocab": 1, **_COUNTS}.items():
        if type(manifest[name]) is not int or manifest[name] < least:
            raise ValueError(f"{name} is {manifest[name]!r}, not a whole number from {least}")
    for name, side in _RATIOS.items():
        if manifest[name] != manifest[f"bytes_{side}"] / manifest[f"tokens_{side}"]:
            raise ValueError(f"{name} is {manifest[name]!r}, not the ratio of its counts")
    if not isinstance(manifest["config"], dict):
        raise ValueError("config is not an object")
    if manifest["dtype"] != dtype(manifest["vocab"]):
        raise ValueError(f"dtype is {manifest['dtype']!r} and vocab {manifest['vocab']}")
    separator, kind = manifest["separator"], manifest["tokenizer"]
    token = type(separator) is int and 0 <= separator < manifest["vocab"]
    if separator != {"symbols": None, "bytes": 0}.get(kind, separator) or not (token or kind == "symbols"):
        raise ValueError(f"separator is {separator!r}, not that of the tokenizer {kind}")
    check_files(manifest)


def check_files(manifest: Mapping[str, Any]) -> None:
    """Raise an exception if the files are not those of such a corpus, or their sizes and hashes disagree."""
    files = manifest["files"]
    for name, entry in files.items():
        if Path(name).name != name or type(entry["bytes"]) is not int or not isinstance(entry["sha256"], str):
            raise ValueError(f"{name!r} is not described as a file")
    if missing := sorted(expected(manifest) - set(files)):
        raise ValueError(f"{missing[0]} is not among its files")
    width = np.dtype(manifest["dtype"]).itemsize
    for side, name in STREAMS.items():
        if files[name]["bytes"] != manifest[f"tokens_{side}"] * width:
            raise ValueError(f"tokens_{side} and the size of {name} disagree")
        ends = files.get(f"{side}.ends.bin")
        if ends and ends["bytes"] != manifest[f"documents_{side}"] * 8:
            raise ValueError(f"documents_{side} and the size of {side}.ends.bin disagree")
    if manifest["hash"] != content_hash(str(manifest["tokenizer"]), manifest["vocab"], files):
        raise ValueError("hash is not that of its files")


def expected(manifest: Mapping[str, Any]) -> set[str]:
    """Return the names of the files that a corpus with this manifest has."""
    columns: tuple[str, ...] = ()
    if "labels" in manifest or {"label", "target"} & set(manifest["config"]):
        labels = manifest["labels"]
        if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
            raise ValueError(f"labels is {labels!r}, not a list of texts")
        columns = ("ends", "answers") if labels else ("ends", "answers", "answer_ends")
    names = {*STREAMS.values(), *(f"{side}.{column}.bin" for side in STREAMS for column in columns)}
    return names if manifest["tokenizer"] in ("bytes", "symbols") else names | {FILE}


def content_hash(tokenizer: str, vocab: int, files: Mapping[str, Mapping[str, Any]]) -> str:
    """Return eight hex digits of the hash of a corpus's tokens and answers."""
    others = [
        entry["sha256"] for name, entry in sorted(files.items()) if name not in (FILE, *STREAMS.values())
    ]
    content = [tokenizer, vocab, *(files[name]["sha256"] for name in STREAMS.values()), *others]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:8]


def checksum(manifest: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a manifest's content besides its checksum."""
    content = {key: value for key, value in manifest.items() if key != "checksum"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
