"""What an exception says about the machine, read from its words: memory, another process, the accelerator.

Everything else is a crash of the program's, and is recorded as one.
"""

from __future__ import annotations

from scaling.errors import DeviceLost, Preempted

DEVICE = (
    "uncorrectable ecc error",
    "uncorrectable nvlink error",
    "hardware stack error",
    "gpu is lost",
    "fallen off the bus",
    "no cuda-capable device is detected",
    "cuda-capable device(s) is/are busy or unavailable",
    "the launch timed out and was terminated",
    "invalid access of peer gpu memory over nvlink or a hardware error",
    "system not yet initialized",
)
"""Of the CUDA runtime (cudaGetErrorString) and of the driver (Xid 79), when a device is lost or broken. An
illegal address is not among them: that is what a wrong program does."""
PEER = ("gloo", "nccl", "connection closed", "connection reset", "timed out waiting", "socket timeout")
"""Of torch.distributed's backends and store, when another process is gone or silent."""


def out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on an accelerator or in the machine."""
    import torch

    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


def device_lost(error: BaseException) -> bool:
    """Whether the accelerator is lost or broken."""
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in DEVICE)


def peer_lost(error: BaseException) -> bool:
    """Whether another process of the team is gone, or did not answer in time."""
    import torch.distributed as dist

    words = str(error).lower()
    return isinstance(error, dist.DistError) or (
        isinstance(error, RuntimeError) and any(one in words for one in PEER)
    )


def away(error: BaseException, *, processes: int = 1) -> Preempted | None:
    """The failure that a lost device or a lost process of the team is, with what to do; None for another."""
    said = (str(error).strip().splitlines() or [""])[0][:200]
    if device_lost(error):
        return DeviceLost(
            f"the accelerator failed ({said}); run again to continue from the last checkpoint, on another "
            f"one (CUDA_VISIBLE_DEVICES) when it fails again"
        )
    if processes > 1 and peer_lost(error):
        slow = "timeout" in said.lower() or "timed out" in said.lower()
        return Preempted(
            f"another process of the {processes} {'did not answer in time' if slow else 'is gone'} ({said}); "
            f"run again to continue from the last checkpoint"
        )
    return None
