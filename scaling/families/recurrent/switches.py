"""Choose what an LSTM is made of, beside its size."""

from __future__ import annotations

from dataclasses import dataclass

from scaling.errors import ConfigError
from scaling.families.shape import whole


@dataclass(frozen=True, kw_only=True)
class LSTMSwitches:
    """What may be chosen beside the size."""

    tied: bool = False
    """Whether the head is the embedding transposed (arXiv:1608.05859)."""
    dropout: float = 0.0
    """Probability of dropping what passes between layers and into the head (arXiv:1409.2329)."""
    truncate: int | None = None
    """Gradients flow back through so many tokens at most (truncated back-propagation through time); None =
    through the whole context. The state flows on either way, and starts at zero with every sequence."""
    depth: int | None = None
    """Layers; None follows the dial."""
    width: int | None = None
    """Features of the state; None follows the dial."""

    def __post_init__(self) -> None:
        """Refuses what no LSTM has (ConfigError)."""
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
                whole(f"family.{name}", value)
