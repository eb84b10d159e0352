"""Recognise failures of the machine by the text of an exception: memory, another process, the accelerator.

Every other exception is a crash of the program and is recorded as one.
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
"""Messages of the CUDA runtime (cudaGetErrorString) and the driver (Xid 79) for a lost or broken device. An
illegal address is not among them, because it is an error of the program."""
PEER = ("gloo", "nccl", "connection closed", "connection reset", "timed out waiting", "socket timeout")
"""Parts of messages of torch.distributed when another process has ended or does not answer."""


def out_of_memory(error: BaseException) -> bool:
    """Return whether memory ran out, on an accelerator or in the machine."""
    import torch

    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


def device_lost(error: BaseException) -> bool:
    """Return whether the accelerator is lost or broken."""
    return isinstance(error, RuntimeError) and any(text in str(error).lower() for text in DEVICE)


def peer_lost(error: BaseException) -> bool:
    """Return whether another process of the team has ended or did not answer in time."""
    import torch.distributed as dist

    message = str(error).lower()
    return isinstance(error, dist.DistError) or (
        isinstance(error, RuntimeError) and any(text in message for text in PEER)
    )


def lost(error: BaseException, *, processes: int = 1) -> Preempted | None:
    """Return the exception for a lost device or a lost process of a team; None for any other error."""
    message = (str(error).strip().splitlines() or [""])[0][:200]
    if device_lost(error):
        return DeviceLost(
            f"the accelerator failed ({message}); run again to continue from the last checkpoint, on another "
            f"accelerator (CUDA_VISIBLE_DEVICES) if it fails again"
        )
    if processes > 1 and peer_lost(error):
        slow = "timeout" in message.lower() or "timed out" in message.lower()
        return Preempted(
            f"another process of the {processes} {'did not answer in time' if slow else 'has ended'} "
            f"({message}); run again to continue from the last checkpoint"
        )
    return None
