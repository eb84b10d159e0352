"""Define the switches of the LSTM."""

from __future__ import annotations

from dataclasses import dataclass

from scaling.errors import ConfigError
from scaling.families.shape import positive_integer


@dataclass(frozen=True, kw_only=True)
class LSTMSwitches:
    """The architecture of an LSTM, apart from its size."""

    tied: bool = False
    """Whether the head is the embedding transposed (arXiv:1608.05859)."""
    dropout: float = 0.0
    """Probability of dropout on the embedding, between layers and before the head (arXiv:1409.2329)."""
    truncate: int | None = None
    """Most tokens that gradients flow back through (truncated back-propagation through time); None = the
    whole context. The state is carried through the whole sequence either way; it starts at zero."""
    depth: int | None = None
    """Number of layers; None follows the dial."""
    width: int | None = None
    """Features of the state; None follows the dial."""

    def __post_init__(self) -> None:
        """Raise ConfigError for a value that no LSTM can have."""
        if not isinstance(self.tied, bool):
            raise ConfigError(f"family.tied must be true or false; not {self.tied!r}")
        if (
            isinstance(self.dropout, bool)
            or not isinstance(self.dropout, int | float)
            or not 0 <= self.dropout < 1
        ):
            raise ConfigError(f"family.dropout must be a number from 0 to below 1; not {self.dropout!r}")
        for name in ("truncate", "depth", "width"):
            value = getattr(self, name)
            if value is not None:
                positive_integer(f"family.{name}", value)
