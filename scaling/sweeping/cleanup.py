"""Find and remove checkpoints and weights that are no longer needed, never records, curves or configs.

Only files that this package writes are found, by their names, and no link is followed.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from scaling.errors import ConfigError, StorageError, one_of
from scaling.files import content, meant_for
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
_MILESTONE = re.compile(r"weights\.(best|step-\d+)\.pt")
_PART = re.compile(r"__\d+_\d+\.distcp|\.metadata(\.tmp)?")
_TRUNK = re.compile(r"[0-9a-f]{16}/step-\d+\.pt")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rubbish:
    """One file that can be removed."""

    path: Path
    """Path of the file."""
    kind: str
    """Kind of the file, a key of KINDS."""
    size_bytes: int
    """Size of the file in bytes."""


@dataclasses.dataclass(kw_only=True)
class Found:
    """What `clean` found in a folder of results."""

    files: list[Rubbish] = dataclasses.field(default_factory=list)
    """Files that can be removed, in order of their paths."""
    left: list[str] = dataclasses.field(default_factory=list)
    """Paths that are left alone, each with the reason: links, and folders that cannot be read."""

    def entries(self, folder: Path) -> Iterator[os.DirEntry[str]]:
        """Yield the files and folders in a folder, sorted by name; note links and do not yield them."""
        if folder.is_symlink():
            self.left.append(f"{folder}: a link")
            return
        try:
            with os.scandir(folder) as entries:
                ordered = sorted(entries, key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            self.left.append(f"{folder}: {(error.strerror or str(error)).lower()}")
            return
        for entry in ordered:
            if entry.is_symlink():
                self.left.append(f"{entry.path}: a link")
            else:
                yield entry


def rubbish(results: Path, kinds: Iterable[str] = _SAFE) -> list[Rubbish]:
    """Return the files of these kinds under `results`, as `search` finds them."""
    return search(results, kinds).files


def search(results: Path, kinds: Iterable[str] = _SAFE) -> Found:
    """Find the files of these kinds under `results`, except of runs that a live process leases.

    Raises ConfigError for an unknown kind.
    """
    wanted = list(kinds)
    for kind in wanted:
        if kind not in KINDS:
            raise ConfigError(one_of("a kind of file to clean", kind, KINDS))
    found = Found()

    def add(entry: os.DirEntry[str], kind: str | None) -> None:
        if kind in wanted and entry.is_file(follow_symlinks=False):
            size = entry.stat(follow_symlinks=False).st_size
            found.files.append(Rubbish(path=Path(entry.path), kind=str(kind), size_bytes=size))

    for run in found.entries(results / "runs"):
        if not run.is_dir(follow_symlinks=False):
            continue
        paths = RunPaths(folder=Path(run.path))
        if os.path.lexists(paths.claim) and not lease.stale(paths.claim, lease.read(paths.claim)):
            continue
        of_checkpoint = "checkpoints" if _ended(paths) else "unfinished"
        parts = {path.name for path in paths.all_parts()}
        for entry in found.entries(paths.folder):
            if entry.name in parts:
                for part in found.entries(Path(entry.path)):
                    add(part, of_checkpoint if _PART.fullmatch(part.name) else None)
            else:
                add(entry, _kind(entry.name, paths, of_checkpoint))
    for trunk in found.entries(results / "trunks") if "trunks" in wanted else ():
        for entry in found.entries(Path(trunk.path)):
            name = f"{trunk.name}/{meant_for(entry.name) or entry.name}"
            add(entry, "trunks" if _TRUNK.fullmatch(name) else None)
    return found


def _kind(name: str, paths: RunPaths, of_checkpoint: str) -> str | None:
    """Return the kind of a file in the folder of a run; None for one that stays or is not ours."""
    if name == paths.weights.name:
        return "weights"
    if _MILESTONE.fullmatch(name):
        return "milestones"
    if name.removesuffix(".damaged") in paths.renamed and name.endswith(".damaged"):
        return "damaged"
    if name in (paths.checkpoint.name, paths.checkpoint_before.name):
        return of_checkpoint
    stands_for = meant_for(name)
    ours = stands_for in paths.names or _MILESTONE.fullmatch(stands_for or "")
    return of_checkpoint if ours else None


def _ended(paths: RunPaths) -> bool:
    """Return whether a run has a record and nothing to continue: `sweep.retry` continues a failed run."""
    try:
        return json.loads(content(paths.record)).get("status") not in CONTINUED
    except (OSError, ValueError, AttributeError):
        return False


def remove(files: Iterable[Rubbish]) -> int:
    """Remove files and return the number of bytes freed.

    Raises StorageError after all others are removed if files cannot be.
    """
    freed, kept = 0, []
    for one in files:
        try:
            os.unlink(one.path)
        except FileNotFoundError:
            continue
        except OSError as error:
            kept.append(f"{one.path} cannot be removed ({(error.strerror or str(error)).lower()})")
            continue
        freed += one.size_bytes
    if kept:
        others = f", and {len(kept) - 1} more" if len(kept) > 1 else ""
        raise StorageError(f"{kept[0]}{others}; all other files were removed; change the permissions")
    return freed
