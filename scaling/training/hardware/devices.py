"""Find the device of a run by its name and set its numerical mode."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from scaling.errors import ConfigError, LaunchError
from scaling.training.hardware.team import SOLO, Team


def find_device(name: str, team: Team = SOLO) -> torch.device:
    """Return the device of a name; in a team on `cuda`, that of this process. Raises LaunchError."""
    try:
        device = torch.device(name)
    except RuntimeError:
        raise LaunchError(
            f"device.name is {name!r}; it must be cpu, cuda or cuda:NUMBER; set device.name"
        ) from None
    if device.type not in ("cpu", "cuda"):
        raise LaunchError(f"device.name is {name!r}; it must be cpu, cuda or cuda:NUMBER; set device.name")
    if device.type == "cuda" and team.size > 1:
        device = torch.device("cuda", team.local_rank)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        seen = torch.cuda.device_count()
        raise LaunchError(
            f"device.name is {name!r} and torch sees {f'{seen} CUDA devices' if seen else 'no CUDA device'}; "
            f"{'name another, or ' if seen else ''}type device=cpu to train on the processor, with the "
            f"same run id"
            + ("" if torch.version.cuda or seen else " (this torch was built for the CPU alone)")
        )
    return device


@contextmanager
def deterministic(wanted: bool) -> Iterator[None]:
    """Use only bitwise reproducible operations if `wanted`; torch raises RuntimeError for any other."""
    before = torch.are_deterministic_algorithms_enabled()
    if wanted:
        # cuBLAS reads this when it starts; without it the order of its sums varies
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


@contextmanager
def products(dtype: str, device: torch.device) -> Iterator[None]:
    """Use TensorFloat-32 for float32 matrix products on CUDA if and only if `dtype` is tf32.

    Raises ConfigError for tf32 on another device.
    """
    if device.type != "cuda":
        if dtype == "tf32":
            raise ConfigError(
                "device.dtype=tf32 is for CUDA devices; set device.dtype=float32, which gives another run id"
            )
        yield
        return
    matrices, others = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("high" if dtype == "tf32" else "highest")
    torch.backends.cudnn.allow_tf32 = dtype == "tf32"
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(matrices)
        torch.backends.cudnn.allow_tf32 = others
