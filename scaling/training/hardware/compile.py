"""Compile the blocks of a module with `torch.compile`.

The blocks of a run share compiled code, and runs share it on disk. If compilation fails, the run trains
without it; a message and the record say so.
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
    """Compilation failed in a process of the team. All processes raise this."""


def compile_blocks(module: nn.Module, mode: str) -> None:
    """Compile the forward pass of every block; this takes place at its first call.

    The names of weights do not change. Raises ConfigError for a module without blocks.
    """
    blocks = list(getattr(module, "blocks", ()))
    if not blocks:
        raise ConfigError(
            f"device.compile is {mode!r} and {type(module).__name__} has no blocks; set device.compile=null, "
            f"or take a family of our own decoder, such as llama"
        )
    # code that this process compiled for other shapes counts towards the limit of recompilations
    torch.compiler.reset()
    for block in blocks:
        if mode == "aot_eager":
            block.compile(backend=mode)
        else:
            block.compile(mode=mode)


def keep_in(folder: Path) -> None:
    """Store compiled code in `folder` for other runs, unless the user set TORCHINDUCTOR_CACHE_DIR.

    torch sets the variable to its own default when its compiler is imported; this does not count as set.
    """
    from torch._inductor.runtime.cache_dir_utils import default_cache_dir  # takes 1.5 s

    if os.environ.get(CACHE) in (None, os.path.abspath(default_cache_dir())):
        os.environ[CACHE] = str(folder.resolve())


def failed(error: BaseException) -> bool:
    """Return whether an exception comes from the compiler, not from the compiled code."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, CannotCompile) or type(seen).__module__.startswith(
            ("torch._dynamo", "torch._inductor", "torch._functorch")
        ):
            return True
        seen = seen.__cause__
    return False


@lru_cache(maxsize=1)
def warn(mode: str) -> None:
    """Print once per process that compilation failed."""
    sys.stderr.write(
        f"scaling: device.compile={mode} failed, so runs train without it; set device.compile=null to "
        f"skip the attempt\n"
    )
