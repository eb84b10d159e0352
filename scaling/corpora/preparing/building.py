"""Prepare the corpus of a config on disk."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import logging
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from scaling.config import CorpusConfig, plain
from scaling.config.kinds import UNSET
from scaling.corpora import manifest as manifests
from scaling.corpora.corpus import Corpus, open_corpus
from scaling.corpora.manifest import FORMAT, MANIFEST, STREAMS
from scaling.corpora.preparing.duplicates import NearDuplicates
from scaling.corpora.preparing.order import Ordered
from scaling.corpora.preparing.overlap import Overlap, codes
from scaling.corpora.preparing.publishing import publish
from scaling.corpora.preparing.writing import Stream
from scaling.corpora.sources import Source, open_source
from scaling.corpora.tokenizers import FILE, Learned, Symbols, Tokenizer, dtype, identity, make
from scaling.errors import ConfigError, CorpusError, quoted
from scaling.files import sha256

_LOG = logging.getLogger("scaling.corpora")
_PLAN_ONLY = {"unique_tokens", "max_epochs"}
_COUNTS = ("tokens", "bytes", "documents")


def prepare(config: CorpusConfig, root: Path) -> Corpus:
    """Return the corpus of `config`: open it when it is in the folder `root`, else build it there.

    config: `name`, `source`, `tokenizer`, `heldout_fraction` (of documents), and the keys of the source. Any
    number of processes may prepare the same corpus at once. A damaged corpus is moved aside and built again,
    with a warning. Raises ConfigError for invalid keys, CorpusError for text that cannot be used,
    StorageError when `root` cannot be written.
    """
    config = checked(config)
    try:
        source = open_source(config, root)
    except CorpusError as error:
        if corpus := _prepared(config, root):
            _LOG.warning("%s; the prepared %s is used", error, corpus.folder)
            return corpus
        raise
    return publish(folder(config, source, root), lambda temporary: _build(config, source, temporary))


def _prepared(config: CorpusConfig, root: Path) -> Corpus | None:
    """Return a corpus prepared from the same config, for a machine that has the results but not the text."""
    key = _text_only(values(config))
    for manifest in sorted(root.glob(f"{config.name}-*/{MANIFEST}")):
        with suppress(CorpusError):
            corpus = open_corpus(manifest.parent)
            if _text_only(corpus.manifest["config"]) == key:
                return corpus
    return None


def _text_only(config: Mapping[str, Any]) -> str:
    """Return the part of a config that decides the tokens, as JSON."""
    return json.dumps(
        {key: value for key, value in config.items() if key not in _PLAN_ONLY},
        sort_keys=True,
        default=str,
    )


def checked(config: CorpusConfig) -> CorpusConfig:
    """Return the config without options that are null.

    Raises ConfigError when the name or the source is missing, or the name cannot be a folder's name.
    """
    for key in ("name", "source"):
        if getattr(config, key) == UNSET:
            raise ConfigError(f"corpus.{key} is not set; give corpus.{key}=VALUE")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", config.name):
        raise ConfigError(
            f"corpus.name is {quoted(config.name)}; it names a folder: use at most 100 letters, digits, '.', "
            "'_' and '-'"
        )
    options = {key: value for key, value in config.options.items() if value is not None}
    return dataclasses.replace(config, options=options)


def values(config: CorpusConfig) -> dict[str, Any]:
    """Return the keys of a config that are not null, as a manifest holds them."""
    return {key: value for key, value in plain(config).items() if value is not None}


def folder(config: CorpusConfig, source: Source, root: Path) -> Path:
    """Return the folder of the corpus: its name and eight hex digits of everything that changes its files."""
    excluded = _PLAN_ONLY | {"path", "licence"}
    content = {key: value for key, value in values(config).items() if key not in excluded}
    content["tokenizer"] = identity(config.tokenizer)
    text = json.dumps([FORMAT, content, dict(source.fingerprint)], sort_keys=True, default=str)
    return root / f"{config.name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _build(config: CorpusConfig, source: Source, folder: Path) -> None:
    """Write the streams, the tokeniser and the manifest into `folder`."""
    if source.streams is not None:
        tokenizer, streams, counted = _write_symbols(source, folder)
    else:
        tokenizer, streams, counted = _write_text(config, source, folder)
    files = {file: streams[side].note() for side, file in STREAMS.items()}
    write_manifest(config, source, folder, tokenizer, streams, files, counted)


def write_manifest(
    config: CorpusConfig,
    source: Source,
    to: Path,
    tokenizer: Tokenizer,
    streams: Mapping[str, Stream],
    files: dict[str, dict[str, Any]],
    counted: Mapping[str, Any],
) -> None:
    """Write the tokeniser, if it was learnt, and then the manifest, which marks the folder as a corpus."""
    train, held = streams["train"], streams["heldout"]
    for side, stream in streams.items():
        if not stream.tokens:
            raise CorpusError(
                f"no text of corpus {config.name!r} is left for the side {side!r}; give it more text, labels "
                "that repeat, or another corpus.heldout_fraction"
            )
    if isinstance(tokenizer, Learned):
        path = to / FILE
        path.write_text(tokenizer.text, encoding="utf-8")
        files = {**files, FILE: {"bytes": path.stat().st_size, "sha256": sha256(path)}}
    manifest = {
        "format": FORMAT,
        "name": config.name,
        "folder": folder(config, source, to.parent).name,
        "hash": manifests.content_hash(tokenizer.name, tokenizer.vocab, files),
        "source": source.origin,
        "licence": config.options.get("licence", source.licence),
        **source.facts(),
        "tokenizer": tokenizer.name,
        "vocab": tokenizer.vocab,
        "separator": tokenizer.separator,
        "dtype": dtype(tokenizer.vocab),
        "heldout_fraction": config.heldout_fraction,
        **{f"{what}_{side}": getattr(streams[side], what) for what in _COUNTS for side in STREAMS},
        "bytes_per_token": held.bytes / held.tokens,
        "bytes_per_token_train": train.bytes / train.tokens,
        **counted,
        "sha256": {file: entry["sha256"] for file, entry in files.items()},
        "files": files,
        "config": values(config),
        "fingerprint": source.fingerprint,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "versions": {"scaling": metadata.version("scaling"), "numpy": np.__version__},
    }
    manifests.write(to, manifest)


def _write_symbols(source: Source, folder: Path) -> tuple[Tokenizer, dict[str, Stream], dict[str, Any]]:
    """Write the streams of a source of tokens; a symbol counts as one byte."""
    assert source.streams is not None
    tokenizer = Symbols(vocab=source.vocab)
    streams = {side: Stream(folder / file, tokenizer) for side, file in STREAMS.items()}
    for side, parts in source.streams().items():
        for part in parts:
            streams[side].write(part)
        streams[side].close()
        streams[side].bytes = streams[side].tokens
    return tokenizer, streams, {}


def _write_text(
    config: CorpusConfig, source: Source, folder: Path
) -> tuple[Tokenizer, dict[str, Stream], dict[str, Any]]:
    """Write the streams of a source of documents, and return them with counts for the manifest."""
    assert source.documents is not None
    with tempfile.TemporaryDirectory(prefix="sorting-", dir=folder) as sorting:
        ordered = Ordered(source.documents(), Path(sorting))
        if not ordered.documents:
            raise CorpusError(
                f"corpus {config.name!r} is empty: {source.origin} holds no text; give another source"
            )
        if not ordered.distinct:
            raise CorpusError(
                f"corpus {config.name!r} holds one document only, so nothing can be held out; "
                f"give it more, or cut it with corpus.document=paragraph"
            )
        limit = ordered.threshold(config.heldout_fraction)
        texts = (document for key, document in ordered if int.from_bytes(key, "big") >= limit)
        tokenizer = make(config.tokenizer, texts)
        streams = {side: Stream(folder / file, tokenizer) for side, file in STREAMS.items()}
        overlap, near = Overlap(), NearDuplicates()
        previous, duplicates, crossing = (b"", ""), 0, 0
        for key, document in ordered:
            side = "heldout" if int.from_bytes(key, "big") < limit else "train"
            streams[side].add(document)
            if key == previous[0]:
                duplicates += 1
                crossing += side != previous[1]
            else:
                words = codes(document)
                overlap.add(words, side)
                near.add(words, side)
            previous = (key, side)
        for stream in streams.values():
            stream.close()
    counted = {
        "documents_empty": ordered.empty,
        "documents_duplicate": duplicates,
        "overlap": {"documents": crossing, **overlap.measured()},
        "near_duplicates": near.measured(),
    }
    return tokenizer, streams, counted
