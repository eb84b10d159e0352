"""Define the switches of the LSTM."""

from __future__ import annotations

from dataclasses import dataclass

from scaling.config.kinds import FLAG, PARTS, check, key, whole
from scaling.families.decoder.switches import DROPOUT


@dataclass(frozen=True, kw_only=True)
class LSTMSwitches:
    """The architecture of an LSTM, apart from its size."""

    tied: bool = key(False, FLAG)
    """Whether the head is the embedding transposed (arXiv:1608.05859)."""
    dropout: float = key(0.0, DROPOUT)
    """Probability of dropout on the embedding, between layers and before the head (arXiv:1409.2329)."""
    truncate: int | None = key(None, whole())
    """Most tokens that gradients flow back through (truncated back-propagation through time); None = the
    whole context. The state is carried through the whole sequence either way; it starts at zero."""
    depth: int | None = key(None, PARTS)
    """Number of layers; None follows the dial."""
    width: int | None = key(None, PARTS)
    """Features of the state; None follows the dial."""

    def __post_init__(self) -> None:
        """Raise ConfigError for a value that no LSTM can have."""
        check(self, "family")
