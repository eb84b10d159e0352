"""Define the rounding and pruning of a cell, and the pruning schedule. Needs no torch."""

from __future__ import annotations

import dataclasses
from typing import Any

from scaling.config import CompressionConfig
from scaling.errors import ConfigError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Compression:
    """Rounding and pruning of the blocks' matrices; embedding, head, norms and biases are not changed."""

    bits: int | None = None
    """Bits of a weight in the forward pass, with straight-through gradients (arXiv:1308.3432)."""
    sparsity: float | None = None
    """Share of the weights that are zero at the end."""
    scope: str | None = None
    """`global` or `layer`: where magnitudes are compared."""
    begin: float | None = None
    """Share of the steps after which pruning begins."""
    end: float | None = None
    """Share of the steps after which pruning is complete; equal to `begin` = one step of pruning."""

    def as_dict(self) -> dict[str, Any]:
        """Return the settings that are not None; they decide the result of a run."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value is not None}

    def sparsity_at(self, step: int, steps: int) -> float:
        """Return the share of zeros after a step: cubic from 0 (arXiv:1710.01878, equation 1)."""
        if self.sparsity is None or self.begin is None or self.end is None:
            return 0.0
        first, last = self.begin * steps, self.end * steps
        if step < first:
            return 0.0
        if step >= last:
            return self.sparsity
        return self.sparsity * (1 - (1 - (step - first) / (last - first)) ** 3)


def from_config(config: CompressionConfig, start: Any) -> Compression | None:
    """Return the compression of a config; None if nothing is compressed. Raises ConfigError."""
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
        sparsity=sparsity,
        scope=config.scope,
        begin=config.begin,
        end=config.end,
    )
