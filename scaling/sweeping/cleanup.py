"""What may be thrown away: checkpoints and weights, never a record, a curve or a config."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from pathlib import Path

from scaling.errors import ConfigError, one_of
from scaling.sweeping import lease
from scaling.training.paths import RunPaths

KINDS = {
    "checkpoints": "of runs that have a record, and temporary files of processes that are gone",
    "weights": "final weights of finished runs",
    "milestones": "weights that were kept on the way, and those of the best held-out loss",
    "trunks": "checkpoints that branches share; a longer branch would pay its trunk again",
    "damaged": "records and checkpoints that were set aside",
    "unfinished": "checkpoints of runs without a record: they would start again from step 0",
}
"""What `clean` can remove, and what that costs."""
_SAFE = ("checkpoints", "damaged")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rubbish:
    """One file that may go."""

    path: Path
    """Where it lies."""
    kind: str
    """One of KINDS."""
    size_bytes: int
    """What it frees."""


def rubbish(results: Path, kinds: Iterable[str] = _SAFE) -> list[Rubbish]:
    """Files of these kinds under `results`; runs that a living process holds are left alone. Raises
    ConfigError.
    """
    wanted = list(kinds)
    for kind in wanted:
        if kind not in KINDS:
            raise ConfigError(one_of("a kind of file to clean", kind, KINDS))
    found = []
    for folder in sorted((results / "runs").glob("*")):
        paths = RunPaths(folder=folder)
        claim = lease.read(paths.claim)
        if not folder.is_dir() or (claim is not None and not lease.stale(paths.claim, claim)):
            continue
        parts = [path for one in paths.all_parts() for path in one.iterdir()]
        for path in sorted([*folder.iterdir(), *parts]):
            what = _kind(path, paths)
            if what in wanted:
                found.append(Rubbish(path=path, kind=str(what), size_bytes=path.stat().st_size))
    if "trunks" in wanted:
        for path in sorted((results / "trunks").rglob("*.pt")):
            found.append(Rubbish(path=path, kind="trunks", size_bytes=path.stat().st_size))
    return found


def _kind(path: Path, paths: RunPaths) -> str | None:
    if path == paths.weights:
        return "weights"
    if path.match("weights.*.pt"):
        return "milestones"
    if path.name.endswith(".damaged"):
        return "damaged"
    whole = path in (paths.checkpoint, paths.checkpoint_before)
    if whole or path.parent != paths.folder or (path.name.startswith(".") and path.is_file()):
        return "checkpoints" if paths.record.exists() else "unfinished"
    return None


def remove(found: Iterable[Rubbish]) -> int:
    """Removes files; returns the bytes that were freed."""
    freed = 0
    for one in found:
        try:
            os.unlink(one.path)
        except FileNotFoundError:
            continue
        freed += one.size_bytes
    return freed
