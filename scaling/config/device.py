"""Define the config of the device. Of its keys only `dtype` is part of the run id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scaling.config.kinds import DEVICE, FLAG, POSITIVE, choice, key, mapping, whole
from scaling.errors import ConfigError, one_of

DTYPES = ("float32", "tf32", "bfloat16", "float16")
"""float32; float32 with TensorFloat-32 matrix products (CUDA only); autocast to bfloat16 or float16."""
COMPILED = ("default", "reduce-overhead", "max-autotune", "aot_eager")
"""Modes of `torch.compile`, and the backend `aot_eager`, which traces but generates no code."""
SHARINGS = ("ddp", "fsdp")
"""Ways to distribute one run over several processes."""


@dataclass(frozen=True, kw_only=True)
class DeviceConfig:
    """A device and how a run uses it."""

    name: str = key("cpu", DEVICE)
    """cpu, cuda or cuda:NUMBER."""
    dtype: str = key("float32", choice(*DTYPES))
    """Number format of the forward pass; tf32 only on CUDA. It changes the loss, and so the run id."""
    micro_batch: int | None = key(None, whole())
    """Sequences of one forward pass. null = the whole batch. Halved when memory runs out."""
    loss_chunk: int | None = key(None, whole())
    """Tokens whose logits are in memory at once. null = all tokens of the micro-batch."""
    compile: str | None = key(None, choice(*COMPILED))
    """Mode of torch.compile, applied to each block; reduce-overhead uses CUDA graphs. null = not compiled."""
    resident: bool | None = key(None, FLAG)
    """Whether the training text is kept on the device. null = on CUDA, if it fits a tenth of the memory."""
    processes: int = key(1, whole(1, 65_536, why="each takes a device"))
    """Number of processes of one run, each on its own device, in one slot, task or job."""
    sharing: str = key("ddp", choice(*SHARINGS))
    """Weights of a run over several processes: ddp keeps all in each process, fsdp a part in each (FSDP2)."""
    deterministic: bool = key(False, FLAG)
    """Whether CUDA uses only operations with bitwise reproducible results; a CPU always does."""
    peaks: Mapping[str, Any] = key(dict.fromkeys(DTYPES), mapping("{bfloat16: 1e15}"))
    """Dense FLOP/s of one slot by number format, for MFU. null = unknown."""
    memory_bytes: float | None = key(None, POSITIVE)
    """Memory of one device in bytes, for plans of other machines."""
    link_bytes: float | None = key(None, POSITIVE)
    """Bandwidth between devices in bytes per second, both directions added, for plans of other machines."""
    price_per_hour: float | None = key(None, POSITIVE)
    """Price of one slot in dollars per hour."""
    watts: float | None = key(None, POSITIVE)
    """Power of one slot in watts, used where the device does not measure its energy."""
    assumed_flops: float | None = key(None, POSITIVE)
    """FLOP/s of one slot, used where `scaling bench` has no measurement. null = plans predict no time."""

    def __post_init__(self) -> None:
        for dtype in self.peaks:
            if dtype not in DTYPES:
                raise ConfigError(one_of("a number format of device.peaks", dtype, DTYPES))
