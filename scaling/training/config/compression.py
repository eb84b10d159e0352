"""What of a network is rounded or pruned while it trains: a cell's switch, and the pruning schedule. No
torch."""

from __future__ import annotations

import dataclasses
from typing import Any

from scaling.config import CompressionConfig
from scaling.errors import ConfigError

SCOPES = ("global", "layer")
"""Whether magnitudes are compared over all matrices of the blocks, or inside each."""
FEWEST_BITS, MOST_BITS = 2, 16


@dataclasses.dataclass(frozen=True, kw_only=True)
class Compression:
    """Rounding and pruning of the blocks' matrices; embedding, head, norms and biases stay as they are."""

    bits: int | None = None
    """Bits of a weight in the forward pass; gradients go straight through (arXiv:1308.3432)."""
    sparsity: float | None = None
    """Share of entries that are zero at the end."""
    scope: str | None = None
    """One of SCOPES."""
    begin: float | None = None
    """Share of the steps after which pruning begins."""
    end: float | None = None
    """Share of the steps after which `sparsity` is reached; equal to `begin`: all at once."""

    def as_dict(self) -> dict[str, Any]:
        """What decides the numbers."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value is not None}

    def sparsity_at(self, step: int, steps: int) -> float:
        """Share of zeros after so many of the steps: cubic from 0 (arXiv:1710.01878, equation 1)."""
        if self.sparsity is None or self.begin is None or self.end is None:
            return 0.0
        first, last = self.begin * steps, self.end * steps
        if step < first:
            return 0.0
        if step >= last:
            return self.sparsity
        return self.sparsity * (1 - (1 - (step - first) / (last - first)) ** 3)


def from_config(config: CompressionConfig, start: Any) -> Compression | None:
    """The `compression` part of a config, or None where nothing is compressed. Raises ConfigError."""
    bits, sparsity = config.bits, config.sparsity
    if bits is None and sparsity is None:
        return None
    if start is not None and start.adaptation.kind in ("lora", "adapters"):
        raise ConfigError(
            f"compression and start.adaptation={start.adaptation.kind} would both replace the same matrices; "
            "set one of them"
        )
    if sparsity is None:
        return Compression(bits=bits)
    if config.end < config.begin:
        raise ConfigError(
            f"compression.end={config.end:g} lies before compression.begin={config.begin:g}; swap them"
        )
    return Compression(
        bits=bits,
        sparsity=check_sparsity(sparsity, "compression.sparsity"),
        scope=config.scope,
        begin=config.begin,
        end=config.end,
    )


def check_bits(value: Any, name: str) -> int:
    """Bits of a weight. Raises ConfigError."""
    try:
        if (
            isinstance(value, bool)
            or int(value) != float(value)
            or not FEWEST_BITS <= int(value) <= MOST_BITS
        ):
            raise ValueError
    except (TypeError, ValueError):
        raise ConfigError(
            f"{name} is {value!r}; it must be a whole number between {FEWEST_BITS} and {MOST_BITS}"
        ) from None
    return int(value)


def check_sparsity(value: Any, name: str) -> float:
    """A share of zeros. Raises ConfigError."""
    found = _share(value, name)
    if found >= 1:
        raise ConfigError(f"{name} is {found:g}, which leaves no weight; set it below 1")
    return found


def _share(value: Any, name: str) -> float:
    try:
        number = float(value)
        if isinstance(value, bool) or not 0 <= number <= 1:
            raise ValueError
    except (TypeError, ValueError):
        raise ConfigError(f"{name} is {value!r}; it must lie between 0 and 1; set {name}=NUMBER") from None
    return number
