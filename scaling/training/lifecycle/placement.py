"""Where and on whose behalf a run happens."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from scaling.errors import ConfigError, one_of
from scaling.training.lifecycle.keeping import milestones

SHARINGS = ("ddp", "fsdp")
COMPILED = ("default", "reduce-overhead", "max-autotune", "aot_eager")
"""The modes of `torch.compile`, and its backend that traces and generates no code, to tell the two apart."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Place:
    """Where and on whose behalf a run happens. Nothing here is science."""

    device: str = "cpu"
    """cpu, cuda or cuda:N."""
    micro_batch: int | None = None
    """Sequences held at once; None = the whole batch. Halved when memory runs out."""
    loss_chunk: int | None = None
    """Tokens whose logits are held at once; None = those of the micro-batch."""
    compile: str | None = None
    """A name of COMPILED, a block at a time; None = as the modules are written."""
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
    def from_config(cls, cfg: Mapping[str, Any], *, slot: int | None = None) -> Place:
        """From the keys device, checkpoint and sweep of a resolved config. Raises ConfigError."""
        device, keep = cfg.get("device") or {}, cfg.get("checkpoint") or {}
        peak = (device.get("peaks") or {}).get(device.get("dtype"))
        every = keep.get("every_seconds")
        return cls(
            device=str(device.get("name") or "cpu"),
            micro_batch=device.get("micro_batch"),
            loss_chunk=device.get("loss_chunk"),
            compile=_name(device, "compile", COMPILED),
            resident=device.get("resident"),
            sharing=_name(device, "sharing", SHARINGS) or "ddp",
            peak_flops=None if peak is None else float(peak),
            price_per_hour=device.get("price_per_hour"),
            watts=device.get("watts"),
            deterministic=bool(device.get("deterministic", False)),
            checkpoint_seconds=30.0 if every is None else float(every),
            keep_weights=bool(keep.get("weights", True)),
            keep_best=bool(keep.get("best", False)),
            milestones=milestones(keep.get("milestones")),
            share_trunk=bool(keep.get("share_trunk", True)),
            slot=slot,
            sweep=(cfg.get("sweep") or {}).get("name"),
        )


def _name(device: Mapping[str, Any], key: str, allowed: tuple[str, ...]) -> str | None:
    value = device.get(key)
    if value is not None and value not in allowed:
        raise ConfigError(one_of(f"device.{key}", value, allowed))
    return None if value is None else str(value)
