"""Define the device, the sweep and the saved files of a run."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from scaling.config import CheckpointConfig, Config, DeviceConfig
from scaling.config.lists import numbers
from scaling.errors import ConfigError, one_of
from scaling.training.cell import Cell

_DEVICE, _KEPT = DeviceConfig(), CheckpointConfig()
"""Configs with the default values."""
UNITS = ("tokens", "flops")
"""Units of `checkpoint.milestones`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Placement:
    """The settings of a run that change its result by rounding at most; they are not part of the run id."""

    device: str = _DEVICE.name
    """Name of the device: cpu, cuda or cuda:N."""
    micro_batch: int | None = None
    """Sequences of one forward pass; None = the whole batch. Halved when memory runs out."""
    loss_chunk: int | None = None
    """Tokens whose logits are in memory at once; None = all tokens of the micro-batch."""
    compile: str | None = None
    """Mode of `device.compile`, applied to each block; None = not compiled."""
    resident: bool | None = None
    """Whether the training text is kept on the device; None = on CUDA, if it fits a tenth of the memory."""
    sharing: str = _DEVICE.sharing
    """Weights of a run over several processes: `ddp` keeps all in each, `fsdp` a part in each."""
    peak_flops: float | None = None
    """FLOP/s of the device in the run's number format, for MFU; None = unknown."""
    price_per_hour: float | None = None
    """Price of one process's slot in dollars per hour."""
    watts: float | None = None
    """Power of the device, from which the energy is estimated."""
    deterministic: bool = _DEVICE.deterministic
    """Whether CUDA uses only operations with bitwise reproducible results; a CPU always does."""
    checkpoint_seconds: float = _KEPT.every_seconds
    """Seconds between two checkpoints."""
    keep_weights: bool = _KEPT.weights
    """Whether the weights of a finished run are kept."""
    keep_best: bool = _KEPT.best
    """Whether the weights with the lowest held-out loss during training are kept."""
    milestones: Mapping[str, tuple[float, ...]] = dataclasses.field(default_factory=dict)
    """Tokens or FLOPs after which weights are kept: unit → amounts."""
    share_trunk: bool = _KEPT.share_trunk
    """Whether wsd runs that share a trunk also share its checkpoint."""
    slot: int | None = None
    """Number of the slot, for the heartbeat."""
    sweep: str | None = None
    """Name of the sweep, for the record and the heartbeat."""

    @classmethod
    def from_config(cls, config: Config, *, slot: int | None = None) -> Placement:
        """Return the placement of a config's run. Raises ConfigError."""
        device, keep = config.device, config.checkpoint
        peak = device.peaks.get(device.dtype)
        return cls(
            device=device.name,
            micro_batch=device.micro_batch,
            loss_chunk=device.loss_chunk,
            compile=device.compile,
            resident=device.resident,
            sharing=device.sharing,
            peak_flops=None if peak is None else float(peak),
            price_per_hour=device.price_per_hour,
            watts=device.watts,
            deterministic=device.deterministic,
            checkpoint_seconds=keep.every_seconds,
            keep_weights=keep.weights,
            keep_best=keep.best,
            milestones=milestones(keep.milestones),
            share_trunk=keep.share_trunk,
            slot=slot,
            sweep=config.sweep.name,
        )


def milestones(config: Mapping[str, Any] | None) -> dict[str, tuple[float, ...]]:
    """Return the amounts of `checkpoint.milestones` by their unit. Raises ConfigError."""
    for unit in config or {}:
        if unit not in UNITS:
            raise ConfigError(one_of("a key of checkpoint.milestones", unit, UNITS))
    return {
        str(unit): tuple(numbers(f"checkpoint.milestones.{unit}", value)) if value is not None else ()
        for unit, value in (config or {}).items()
    }


def milestone_steps(cell: Cell, wanted: Mapping[str, tuple[float, ...]]) -> tuple[int, ...]:
    """Return the steps after which weights are kept: the first step that reaches each amount.

    Amounts beyond the end of the run have no step.
    """
    each = {"tokens": float(cell.batch_tokens), "flops": cell.flops / cell.steps}
    # 1e-6 of a step absorbs rounding errors of an amount that is a whole number of steps
    steps = {math.ceil(amount / each[unit] - 1e-6) for unit, amounts in wanted.items() for amount in amounts}
    return tuple(sorted(step for step in {max(1, step) for step in steps} if step <= cell.steps))
