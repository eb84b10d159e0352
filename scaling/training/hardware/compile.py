"""`torch.compile`, a block at a time: the blocks of a run share what is compiled once, and runs share it on
disk.

A machine that cannot compile trains all the same: it says so once, and the record does too.
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path

import torch
from torch import nn

from scaling.errors import ConfigError

CACHE = "TORCHINDUCTOR_CACHE_DIR"


class CannotCompile(Exception):
    """Compilation failed in a process of the team; all of them know."""


def compile_blocks(module: nn.Module, mode: str) -> None:
    """Replaces every block's call by a compiled one, which is made when it is first needed. Names of weights
    stay. Raises ConfigError for a module without blocks."""
    blocks = list(getattr(module, "blocks", ()))
    if not blocks:
        raise ConfigError(
            f"device.compile is {mode!r} and {type(module).__name__} has no blocks; set device.compile=null, "
            f"or take a family of our own decoder, such as llama"
        )
    # what a warm process compiled for another shape counts against the limit of variants
    torch.compiler.reset()
    for block in blocks:
        if mode == "aot_eager":
            block.compile(backend=mode)
        else:
            block.compile(mode=mode)


def keep_in(folder: Path) -> None:
    """Keep compiled code in `folder` for other runs, unless the user's environment names another place.

    torch writes its own default there when its compiler is imported; that is no choice of the user.
    """
    from torch._inductor.runtime.cache_dir_utils import default_cache_dir  # a second and a half

    if os.environ.get(CACHE) in (None, os.path.abspath(default_cache_dir())):
        os.environ[CACHE] = str(folder.resolve())


def failed(error: BaseException) -> bool:
    """Whether an exception comes out of the compiler, not out of what it compiled."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, CannotCompile) or type(seen).__module__.startswith(
            ("torch._dynamo", "torch._inductor", "torch._functorch")
        ):
            return True
        seen = seen.__cause__
    return False


@lru_cache(maxsize=1)
def say(mode: str) -> None:
    """Once a process."""
    sys.stderr.write(
        f"scaling: device.compile={mode} failed here, and runs go on without; device.compile=null keeps it "
        f"from being tried\n"
    )
