"""Mix several sources in fixed shares."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scaling.config import CorpusConfig, parse
from scaling.config.kinds import UNSET, Kind, Setting
from scaling.corpora.sources import Source, open_source
from scaling.errors import ConfigError, CorpusError


def _parts(name: str, value: Any) -> Any:
    if not isinstance(value, list | tuple) or len(value) < 2:
        raise ConfigError(f"{name} must be a list of at least two corpora, each with a weight; not {value!r}")
    return value


_PARTS = Kind(description="list of at least two corpora", read=_parts)
KEYS = {"parts": Setting(_PARTS, UNSET, "Corpora, each a config with a weight: its share of the bytes.")}
_PART_LESS = ("tokenizer", "heldout_fraction", "unique_tokens", "max_epochs")


def source(config: CorpusConfig, root: Path) -> Source:
    """Return the mixture of several sources.

    The share of a part, in bytes of text, is its weight divided by the sum of the weights.

    No document is repeated, so the part with the least text for its share limits the size of the mixture. A
    hash of its content decides whether a document is included. The split uses another hash, so both sides
    have the same shares.

    Raises ConfigError for weights that are negative or sum to zero, CorpusError for a part without text.
    """
    parts = config.options["parts"]
    weights = [_weight(part) for part in parts]
    if sum(weights) <= 0:
        raise ConfigError("the weights of corpus.parts sum to 0; give at least one of them a weight above 0")
    used = [(part, weight / sum(weights)) for part, weight in zip(parts, weights, strict=True) if weight]
    opened = [(open_source(_of_part(part, config), root), share) for part, share in used]
    for (part, _), (text, _) in zip(used, opened, strict=True):
        if text.documents is None:
            raise ConfigError(f"corpus.parts: {part['source']!r} is not text; a mixture is made of text")
    mixed: list[dict[str, Any]] = []  # filled by `documents`

    def documents() -> Iterator[bytes]:
        mixed.clear()
        sizes = [_sizes(text) for text, _ in opened]
        for (part, _), (_, lengths) in zip(used, sizes, strict=True):
            if not lengths.size:
                raise CorpusError(
                    f"the part {part.get('name', part['source'])!r} of the mixture is empty; give it text"
                )
        total = min(
            int(lengths.sum()) / share for (_, share), (_, lengths) in zip(opened, sizes, strict=True)
        )
        for (part, share), (text, _), (hashes, lengths) in zip(used, opened, sizes, strict=True):
            order = np.argsort(hashes, kind="stable")
            taken = np.cumsum(lengths[order]) <= share * total * (1 + 1e-12)
            cut = hashes[order][max(int(taken.sum()) - 1, 0)]
            entry = {
                "name": part.get("name", part["source"]),
                "share_asked": share,
                "bytes": 0,
                "documents": 0,
            }
            mixed.append(entry)
            for document in _texts(text):
                if _hash(document) <= cut:
                    entry["bytes"] += len(document)
                    entry["documents"] += 1
                    yield document
        total_bytes = sum(entry["bytes"] for entry in mixed)
        for entry in mixed:
            entry["share"] = entry["bytes"] / total_bytes

    return Source(
        origin="mixture of " + "; ".join(f"{share:.3g} {text.origin}" for text, share in opened),
        licence="; ".join(dict.fromkeys(text.licence for text, _ in opened)),
        fingerprint={"parts": [[share, dict(text.fingerprint)] for text, share in opened]},
        documents=documents,
        facts=lambda: {"mixture": mixed},
    )


def _weight(part: Mapping[str, Any]) -> float:
    if not isinstance(part, Mapping) or "source" not in part:
        raise ConfigError(
            f"corpus.parts holds {part!r}; each part is a corpus config with a source and a weight"
        )
    weight = part.get("weight")
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < float("inf"):
        raise ConfigError(
            f"corpus.parts: the weight of {part['source']!r} is {weight!r}; give a number from 0"
        )
    return float(weight)


def _of_part(part: Mapping[str, Any], config: CorpusConfig) -> CorpusConfig:
    """Return the config of a part as if it stood alone."""
    own = {
        key: value for key, value in part.items() if key not in ("weight", *_PART_LESS) and value is not None
    }
    common = {"name": part["source"], "tokenizer": config.tokenizer}
    return parse(
        CorpusConfig, common | {"heldout_fraction": config.heldout_fraction} | own, where="corpus.parts"
    )


def _texts(text: Source) -> Iterator[bytes]:
    assert text.documents is not None
    return (document for document in text.documents() if document.strip())


def _sizes(text: Source) -> tuple[np.ndarray, np.ndarray]:
    """Return the hash and the length in bytes of every document; this takes 16 bytes of memory for each."""
    hashes, lengths = array("Q"), array("Q")
    for document in _texts(text):
        hashes.append(_hash(document))
        lengths.append(len(document))
    return np.array(hashes, dtype=np.uint64), np.array(lengths, dtype=np.uint64)


def _hash(document: bytes) -> int:
    digest = hashlib.blake2b(document, digest_size=8, person=b"mixture").digest()
    return int.from_bytes(digest, "big")
