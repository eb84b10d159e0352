"""List the seats of this machine: one core, one GPU or a share of a GPU for each process of a run."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
from pathlib import Path

from scaling.errors import ConfigError, LaunchError

THREAD_LIMITS = tuple(f"{library}_NUM_THREADS" for library in ("OMP", "MKL", "OPENBLAS", "NUMEXPR"))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Seat:
    """The cores and the GPU of one slot."""

    slot: int
    """Number of the slot, from 0."""
    cores: tuple[int, ...]
    """Cores that the process is pinned to; empty if the system cannot pin processes."""
    gpu: str | None = None
    """Value of CUDA_VISIBLE_DEVICES; None on a CPU."""

    def environment(self) -> dict[str, str]:
        """Return the environment of the slot's process, with thread limits, which must precede imports."""
        environment = {**os.environ, **dict.fromkeys(THREAD_LIMITS, "1"), "PYTHONUNBUFFERED": "1"}
        if self.gpu is not None:
            environment["CUDA_VISIBLE_DEVICES"] = self.gpu
        return environment


def seats(*, device: str, slots: int | None, per_gpu: int, processes: int = 1) -> list[Seat]:
    """Return `slots` seats of this machine, by default one per core, or `per_gpu` per GPU.

    If a run has several `processes`, each seat has that number of cores or GPUs. Raises ConfigError for a
    number of seats that is not possible, LaunchError if the GPUs do not suffice.
    """
    for name, value in (("hydra.launcher.slots", slots), ("hydra.launcher.per_gpu", per_gpu)):
        if value is not None and value < 1:
            raise ConfigError(f"{name} is {value}; allowed are whole numbers from 1")
    cores = available_cores()

    def pinned(slot: int) -> tuple[int, ...]:
        if not _can_pin():
            return ()
        return tuple(sorted({cores[(slot * processes + i) % len(cores)] for i in range(processes)}))

    if device != "cuda":
        count = slots or max(1, min(len(cores), _quota() or len(cores)) // processes)
        return [Seat(slot=i, cores=pinned(i)) for i in range(count)]
    cards = _gpus()
    if processes > len(cards):
        raise LaunchError(
            f"device.processes is {processes}, but this machine has {len(cards)} GPU(s); set it to "
            f"at most that number"
        )
    each = [",".join(cards[i : i + processes]) for i in range(0, len(cards) - processes + 1, processes)]
    shares = [card for _ in range(per_gpu) for card in each]
    count = slots or len(shares)
    if count > len(shares):
        raise ConfigError(
            f"hydra.launcher.slots is {count}, but {len(cards)} GPU(s) with "
            f"hydra.launcher.per_gpu={per_gpu} have {len(shares)} seats; lower slots or raise per_gpu"
        )
    return [Seat(slot=i, cores=pinned(i), gpu=shares[i]) for i in range(count)]


def available_cores() -> list[int]:
    """Return the cores that this process may use."""
    if _can_pin():
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _can_pin() -> bool:
    return hasattr(os, "sched_setaffinity")


def _quota() -> int | None:
    """Return the number of whole cores in the container's CPU limit, or None without a limit."""
    try:
        limit, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return None if limit == "max" else max(1, int(limit) // int(period))
    except (OSError, ValueError):
        return None


def _gpus() -> list[str]:
    """Return the names of the GPUs for CUDA_VISIBLE_DEVICES. Raises LaunchError for none or several types."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    kinds: dict[str, str] = {}
    if shutil.which("nvidia-smi"):
        asked = subprocess.run(
            ["nvidia-smi", "--query-gpu=index,name", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            check=False,
        )
        rows = [line.split(",", 1) for line in asked.stdout.splitlines() if "," in line]
        kinds = {row[0].strip(): row[1].strip() for row in rows} if asked.returncode == 0 else {}
    found = list(kinds) if visible is None else [c.strip() for c in visible.split(",") if c.strip()]
    if not found:
        raise LaunchError(
            "device=cuda needs a GPU, but nvidia-smi lists none on this machine; use device=cpu"
        )
    types = sorted({kinds[card] for card in found if card in kinds})
    if len(types) > 1:
        raise LaunchError(
            f"this machine has GPUs of several types ({', '.join(types)}), which differ in speed and memory; "
            f"select those of one type, such as CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES="
            f"{','.join(card for card in found if kinds.get(card) == types[0])}"
        )
    return found
