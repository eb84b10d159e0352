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


NAMES = ("files", "hub", "mixture", "sotu", "synthetic")
"""Every `source` that a corpus config can name, beside `path.py:name` of one's own."""
COMMON = {"licence", "label", "target", "group"}
"""Options that every corpus may have."""


def open_source(config: CorpusConfig, root: Path) -> Source:
    """Return the source that a corpus names; `root` is where it may keep what it downloads.

    Raises ConfigError for an unknown source or key, CorpusError for text that is not there.
    """
    name = config.source
    own = ".py:" in name
    if not own and name not in NAMES:
        raise ConfigError(one_of("corpus.source", name, NAMES) + "; or path.py:name of your own")
    module = import_module(f"scaling.corpora.sources.{'user' if own else name}")
    for key in () if own else config.options:
        if key not in COMMON | module.KEYS:
            raise ConfigError(one_of(f"a key of corpus {name!r}", key, sorted(COMMON | module.KEYS)))
    source: Source = module.source(config, root)
    return source
