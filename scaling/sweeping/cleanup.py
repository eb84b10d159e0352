"""Find and remove checkpoints and weights that are no longer needed, never records, curves or configs."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable
from pathlib import Path

from scaling.errors import ConfigError, one_of
from scaling.sweeping import lease
from scaling.training.paths import RunPaths
from scaling.training.record import CONTINUED

KINDS = {
    "checkpoints": "checkpoints of finished runs, and temporary files of ended processes",
    "weights": "final weights of finished runs",
    "milestones": "weights kept during training, and those of the lowest held-out loss",
    "trunks": "checkpoints that branches share; a longer branch would train its trunk again",
    "damaged": "damaged records and checkpoints that were renamed",
    "unfinished": "checkpoints of runs that failed or have no record; these would start again from step 0",
}
"""Each kind of file that `clean` can remove, with its description."""
_SAFE = ("checkpoints", "damaged")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rubbish:
    """One file that can be removed."""

    path: Path
    """Path of the file."""
    kind: str
    """Kind of the file, a key of KINDS."""
    size_bytes: int
    """Size of the file in bytes."""


def rubbish(results: Path, kinds: Iterable[str] = _SAFE) -> list[Rubbish]:
    """Return the files of these kinds under `results`, except of runs that a live process leases.

    Raises ConfigError for an unknown kind.
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
        return "checkpoints" if _ended(paths) else "unfinished"
    return None


def _ended(paths: RunPaths) -> bool:
    """Return whether a run has a record and nothing to continue: `sweep.retry` continues a failed run."""
    try:
        return json.loads(paths.record.read_bytes()).get("status") not in CONTINUED
    except (OSError, ValueError, AttributeError):
        return False


def remove(files: Iterable[Rubbish]) -> int:
    """Remove files and return the number of bytes freed."""
    freed = 0
    for one in files:
        try:
            os.unlink(one.path)
        except FileNotFoundError:
            continue
        freed += one.size_bytes
    return freed
