"""The machine: nothing here is science but the number format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scaling.config.kinds import FLAG, FLOPS, POSITIVE, TEXT, choice, key, mapping, whole
from scaling.errors import ConfigError, one_of

DTYPES = ("float32", "tf32", "bfloat16", "float16")
"""float32 throughout; float32 whose products keep ten bits of mantissa, which only CUDA has; autocast."""
COMPILED = ("default", "reduce-overhead", "max-autotune", "aot_eager")
"""The modes of `torch.compile`, and its backend that traces and generates no code, to tell the two apart."""
SHARINGS = ("ddp", "fsdp")
"""How the processes of one run share it."""


@dataclass(frozen=True, kw_only=True)
class DeviceConfig:
    """One device of one slot, and how a run uses it."""

    name: str = key("cpu", TEXT)
    """cpu, cuda or cuda:NUMBER."""
    dtype: str = key("float32", choice(*DTYPES))
    """Number format of the forward pass. It changes the loss, so it makes another run; tf32 only on CUDA."""
    micro_batch: int | None = key(None, whole())
    """Sequences held at once. null = the whole batch, halved when memory runs out."""
    loss_chunk: int | None = key(None, whole())
    """Tokens whose logits are held at once. null = those of the micro-batch."""
    compile: str | None = key(None, choice(*COMPILED))
    """Mode of torch.compile, a block at a time; reduce-overhead uses CUDA graphs. null = not compiled."""
    resident: bool | None = key(None, FLAG)
    """Whether the training text lies on the device. null = on CUDA where it takes a tenth of it at most."""
    processes: int = key(1, whole())
    """Of one run, each on a device of its own, all in one slot, task or job."""
    sharing: str = key("ddp", choice(*SHARINGS))
    """A run over several processes: ddp holds all weights in each, fsdp a part in each (FSDP2)."""
    deterministic: bool = key(False, FLAG)
    """Whether CUDA may use only operations that give the same bits every time; a CPU always does."""
    peaks: Mapping[str, Any] = key(dict.fromkeys(DTYPES), mapping("{bfloat16: 1e15}"))
    """Dense FLOP/s of one slot by number format, for MFU. null = unknown."""
    memory_bytes: float | None = key(None, POSITIVE)
    """Memory of one device, for plans on paper."""
    link_bytes: float | None = key(None, POSITIVE)
    """Bytes a second to its neighbours, both ways together, for plans on paper."""
    price_per_hour: float | None = key(None, POSITIVE)
    """Dollars of one slot."""
    watts: float | None = key(None, POSITIVE)
    """Of one slot, for energy where the device does not count it itself."""
    assumed_flops: float | None = key(None, FLOPS)
    """FLOP/s of one slot, where `scaling bench` has not measured. null = plans predict no time."""

    def __post_init__(self) -> None:
        for dtype in self.peaks:
            if dtype not in DTYPES:
                raise ConfigError(one_of("a number format of device.peaks", dtype, DTYPES))
