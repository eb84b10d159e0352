"""Find the text files of a user's paths. Links are followed; hidden files and dead links are left out."""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from scaling.corpora.sources.opening import COMPRESSED
from scaling.errors import CorpusError, quoted

JSON = (".json", ".jsonl", ".ndjson")
SUFFIXES = (".jsonl", ".md", ".ndjson", ".rst", ".text", ".txt")
"""Ends of the files that a folder is searched for, each also with an end of COMPRESSED."""
_LOG = logging.getLogger("scaling.corpora")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Found:
    """A text file."""

    path: Path
    """Location."""
    name: str
    """Name relative to the folder that was searched."""

    @property
    def suffix(self) -> str:
        """End of the name without that of a compression, in lower case."""
        return _suffix(self.path)

    @property
    def stamp(self) -> list[object]:
        """Name, size and time, which change when the text may have changed."""
        stat = self.path.stat()
        return [self.name, stat.st_size, stat.st_mtime_ns]


def find(paths: Sequence[str]) -> list[Found]:
    """Return the text files of all paths, each file once. Raises CorpusError for a path without text."""
    found: dict[str, Found] = {}
    for path in paths:
        for file in _under(Path(path).expanduser()):
            found.setdefault(os.path.realpath(file.path), file)
    return list(found.values())


def _under(path: Path) -> list[Found]:
    if path.is_file():
        return [Found(path=path, name=path.name)]
    if not path.is_dir():
        if path.exists():
            raise CorpusError(f"{path} is a pipe, socket or device; set corpus.path to a file or a folder")
        raise CorpusError(f"there is no text at {path}; set corpus.path to a file or a folder that exists")
    files, hidden, dead = _searched(path)
    if hidden or dead:
        _LOG.warning("%s: left out %d hidden files and %d dead links or special files", path, hidden, dead)
    if not files:
        raise CorpusError(
            f"the folder {path} holds no text: no file ends in {', '.join(SUFFIXES)}; "
            f"set corpus.path to another folder, or to the file itself"
        )
    return [Found(path=file, name=file.relative_to(path).as_posix()) for file in sorted(files)]


def _searched(folder: Path) -> tuple[list[Path], int, int]:
    """Return the text files below a folder, and the numbers of hidden files and of what is no file."""
    files, hidden, dead = [], 0, 0
    seen = {os.path.realpath(folder)}
    for here, folders, names in os.walk(folder, followlinks=True, onerror=_unreadable):
        kept = []
        for name in sorted(folders):
            real = os.path.realpath(os.path.join(here, name))
            if not name.startswith(".") and real not in seen:
                seen.add(real)
                kept.append(name)
        folders[:] = kept
        for name in names:
            path = Path(here) / name
            if _suffix(path) not in SUFFIXES:
                continue
            if name.startswith("."):
                hidden += 1
            elif path.is_file():
                files.append(path)
            else:
                dead += 1
    return files, hidden, dead


def _suffix(path: Path) -> str:
    name = path.with_suffix("") if path.suffix.lower() in COMPRESSED else path
    return name.suffix.lower()


def _unreadable(error: OSError) -> None:
    raise CorpusError(
        f"the folder {quoted(error.filename)} cannot be read ({error.strerror}); make it readable, or set "
        "corpus.path to another"
    )
