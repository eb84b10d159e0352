"""Define a source of text and open one by its name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from scaling.config import CorpusConfig
from scaling.config.kinds import TEXT, UNSET, Setting
from scaling.errors import ConfigError, one_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """A source of documents; its description is known before any document is read."""

    origin: str
    """Origin of the text, as a phrase for readers."""
    licence: str
    """Licence of the text."""
    fingerprint: Mapping[str, Any]
    """Values that change when the text may have changed: version, revision, file sizes and times. Part of the
    name of the folder."""
    documents: Callable[[], Iterable[bytes]] | None = None
    """Function that yields the documents as UTF-8; may be called more than once."""
    rows: Callable[[], Iterable[Mapping[str, Any]]] | None = None
    """Function that yields rows with named fields, for sources with labels or pairs."""
    streams: Callable[[], Mapping[str, Iterable[np.ndarray]]] | None = None
    """Function that returns `train` and `heldout` in pieces, for a source of tokens instead of documents."""
    vocab: int = 0
    """Number of token ids, for a source of tokens."""
    facts: Callable[[], Mapping[str, Any]] = dict
    """Function that returns more entries of the manifest, such as a citation, a true entropy or shares. It is
    called after the text has been written."""


NAMES = ("files", "hub", "mixture", "sotu", "synthetic")
"""Sources of text, besides `path.py:name` of a user. Regression is in scaling.training.config."""
COMMON = {
    "licence": Setting(TEXT, None, "Licence of the text, for the manifest. null = as the source says."),
    "label": Setting(TEXT, None, "For classification: field of the label."),
    "target": Setting(TEXT, None, "For translation: field of the target text."),
    "group": Setting(TEXT, None, "Field whose values are never split between both sides. null = the text."),
}
"""Options that every corpus may have."""


def keys(name: str) -> dict[str, Setting]:
    """Return the options of a source that is one of NAMES."""
    return {**import_module(f"scaling.corpora.sources.{name}").KEYS, **COMMON}


def open_source(config: CorpusConfig, root: Path) -> Source:
    """Return the source of a corpus config; downloads are stored in the folder `root`.

    Raises ConfigError for an unknown source or key, CorpusError for missing text.
    """
    name = config.source
    own = ".py:" in name
    if not own and name not in NAMES:
        raise ConfigError(one_of("corpus.source", name, NAMES) + "; or path.py:name of your own")
    module = import_module(f"scaling.corpora.sources.{'user' if own else name}")
    if not own:
        known = keys(name)
        options = {
            key: setting.default for key, setting in known.items() if setting.default not in (None, UNSET)
        }
        for key, value in config.options.items():
            if key not in known:
                every = [
                    *known,
                    *(field.name for field in dataclasses.fields(config) if field.metadata.get("kind")),
                ]
                raise ConfigError(one_of(f"a key of corpus {name!r}", key, every))
            if value is not None:
                options[key] = known[key].kind.read(f"corpus.{key}", value)
        for key, setting in known.items():
            if setting.default == UNSET and key not in options:
                allowed = setting.kind.description
                raise ConfigError(f"corpus {name!r} needs corpus.{key} ({allowed}); type corpus.{key}=VALUE")
        config = dataclasses.replace(config, options=options)
    source: Source = module.source(config, root)
    return source
