"""Say where and on whose behalf a run happens, and what of it is kept."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from scaling.config import Config
from scaling.config.kinds import numbers
from scaling.errors import ConfigError, one_of
from scaling.training.cell import Cell

UNITS = ("tokens", "flops")
"""What `checkpoint.milestones` counts in."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Placement:
    """Where and on whose behalf a run happens. Nothing here is science."""

    device: str = "cpu"
    """cpu, cuda or cuda:N."""
    micro_batch: int | None = None
    """Sequences held at once; None = the whole batch. Halved when memory runs out."""
    loss_chunk: int | None = None
    """Tokens whose logits are held at once; None = those of the micro-batch."""
    compile: str | None = None
    """A mode of `device.compile`, a block at a time; None = as the modules are written."""
    resident: bool | None = None
    """Whether the training text lies on the device; None = on CUDA where it takes little of the memory."""
    sharing: str = "ddp"
    """How the processes of one run share it: `ddp` holds all weights in each, `fsdp` a part in each."""
    peak_flops: float | None = None
    """FLOP/s of the device in the run's number format, for MFU; None = unknown."""
    price_per_hour: float | None = None
    """Dollars."""
    watts: float | None = None
    """Of the device, for energy."""
    deterministic: bool = False
    """Whether a CUDA device may use only operations that give the same bits every time. A CPU always does."""
    checkpoint_seconds: float = 30.0
    """Between checkpoints."""
    keep_weights: bool = True
    """Whether the weights of a finished run stay."""
    keep_best: bool = False
    """Whether the weights of the lowest held-out loss on the way stay."""
    milestones: Mapping[str, tuple[float, ...]] = dataclasses.field(default_factory=dict)
    """Tokens or FLOPs after which the weights stay: unit → amounts."""
    share_trunk: bool = True
    """Whether wsd runs that can share a trunk leave its checkpoint for each other."""
    slot: int | None = None
    """For the heartbeat."""
    sweep: str | None = None
    """The sweep's name, for the record and the heartbeat."""

    @classmethod
    def from_config(cls, config: Config, *, slot: int | None = None) -> Placement:
        """Return where the run of a config happens. Raises ConfigError."""
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


def milestones(given: Mapping[str, Any] | None) -> dict[str, tuple[float, ...]]:
    """Return the amounts of `checkpoint.milestones` by their unit. Raises ConfigError."""
    for unit in given or {}:
        if unit not in UNITS:
            raise ConfigError(one_of("a key of checkpoint.milestones", unit, UNITS))
    return {
        str(unit): tuple(numbers(f"checkpoint.milestones.{unit}", value)) if value is not None else ()
        for unit, value in (given or {}).items()
    }


def milestone_steps(cell: Cell, wanted: Mapping[str, tuple[float, ...]]) -> tuple[int, ...]:
    """Return the steps after which weights are kept: the first that reaches each amount.

    Amounts beyond the run's end have none. Steps that a trunk took leave nothing here: the run that took them
    kept its own.
    """
    each = {"tokens": float(cell.batch_tokens), "flops": cell.flops / cell.steps}
    # a millionth of a step forgives the last bit of an amount that is a whole number of steps
    steps = {math.ceil(amount / each[unit] - 1e-6) for unit, amounts in wanted.items() for amount in amounts}
    return tuple(sorted(step for step in {max(1, step) for step in steps} if step <= cell.steps))
