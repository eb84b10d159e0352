"""Define the config of the text that a run reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scaling.config.kinds import FRACTION, PATH, POSITIVE, TEXT, key, rest, whole


@dataclass(frozen=True, kw_only=True)
class CorpusConfig:
    """A corpus, its tokenizer, and limits on its use."""

    name: str = key("???", TEXT)
    """Name of the corpus and of its folder."""
    source: str = key("???", PATH)
    """Source of the documents: sotu, files, hub, mixture, synthetic, regression, or path.py:name."""
    tokenizer: str = key("bytes", PATH)
    """bytes, bpe:SIZE (learned from the training documents), symbols, or the path of a tokenizer.json."""
    heldout_fraction: float = key(0.1, FRACTION)
    """Share of the documents that is held out; the hash of a document decides."""
    unique_tokens: int | None = key(None, whole())
    """Number of distinct training tokens, from the start of the text, repeated as needed. null = all."""
    max_epochs: float | None = key(None, POSITIVE)
    """Maximum number of epochs; a plan with more is refused. null = no maximum, epochs are reported."""
    options: Mapping[str, Any] = rest()
    """Further keys, which depend on the source."""
