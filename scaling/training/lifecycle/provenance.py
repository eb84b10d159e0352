"""Collect the provenance of a record: code, packages, machine."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import socket
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

PACKAGES = ("scaling", "torch", "numpy", "transformers", "tokenizers", "hydra-core")
UNKNOWN = {"git_commit": None, "git_dirty": None, "versions": "{}", "host": "unknown"}
"""Columns of a machine that does not tell them."""


def columns() -> dict[str, Any]:
    """Return the columns git_commit, git_dirty, versions and host."""
    commit, dirty = _git()
    return {"git_commit": commit, "git_dirty": dirty, "versions": _versions(), "host": host()}


@lru_cache(maxsize=1)
def host() -> str:
    """Return this machine's host name."""
    return socket.gethostname()


def device(device: Any) -> str:
    """Return the model name of a processor or accelerator."""
    if device.type == "cuda":
        import torch

        return str(torch.cuda.get_device_name(device))
    return processor()


@lru_cache(maxsize=1)
def processor() -> str:
    """Return the model name of this machine's processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


@lru_cache(maxsize=1)
def _versions() -> str:
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return json.dumps(versions, sort_keys=True)


@lru_cache(maxsize=1)
def _git() -> tuple[str | None, bool | None]:
    """Return commit and dirtiness of this package's git checkout; None outside one."""
    folder = Path(__file__).parent

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10, check=True
        )
        return done.stdout.strip()

    try:
        if not git("ls-files", Path(__file__).name):
            return None, None
        return git("rev-parse", "HEAD"), bool(git("status", "--porcelain", "--", str(folder.parent)))
    except (OSError, ValueError, subprocess.SubprocessError):
        return None, None
