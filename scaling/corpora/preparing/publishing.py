"""Build the folder of a corpus atomically, also when several processes build it at once."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from scaling.corpora.corpus import Corpus, open_corpus
from scaling.corpora.manifest import AGAIN, MANIFEST
from scaling.errors import CorpusError, StorageError

_LOG = logging.getLogger("scaling.corpora")
_ELSEWHERE = "make room there, or choose another folder with results=FOLDER or SCALING_RESULTS"
_STALE_SECONDS = 86_400


def publish(folder: Path, build: Callable[[Path], None]) -> Corpus:
    """Open the corpus in `folder`; build it first when it is missing.

    `build` fills a temporary folder beside `folder`, which is then renamed. A damaged folder is moved aside
    with a warning and built again. When two processes build at once, the result of the first to finish is
    kept. Raises StorageError when the folder cannot be written.
    """
    if os.path.lexists(folder):
        try:
            return _opened(folder)
        except CorpusError as error:
            _set_aside(folder, error)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        temporary = Path(tempfile.mkdtemp(prefix=f".building-{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise StorageError(f"{folder.parent} cannot be written ({error.strerror}); {_ELSEWHERE}") from None
    try:
        build(temporary)
        temporary.chmod(
            0o755
        )  # mkdtemp makes private folders, but all users of the parent folder may read a corpus
        try:
            os.rename(temporary, folder)
        except OSError:
            if not (folder / MANIFEST).exists():
                raise
    except OSError as error:
        raise StorageError(f"{folder} could not be written ({error.strerror}); {_ELSEWHERE}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return _opened(folder)


def _opened(folder: Path) -> Corpus:
    """Open a corpus. Raises CorpusError when it is damaged, or is that of another config."""
    corpus = open_corpus(folder)
    name = corpus.manifest.get("folder", folder.name)
    if name != folder.name or not name.startswith(f"{corpus.name}-"):
        raise CorpusError(f"{folder} holds the corpus {name}, named {corpus.name!r}; {AGAIN}")
    return corpus


def _set_aside(folder: Path, error: CorpusError) -> None:
    """Move a damaged corpus into a hidden folder. Raises StorageError."""
    try:
        aside = Path(tempfile.mkdtemp(prefix=f".damaged-{folder.name}-", dir=folder.parent))
        os.replace(folder, aside / folder.name)
    except FileNotFoundError:  # another process moved it
        return
    except OSError as refusal:
        raise StorageError(f"{error}; it cannot be moved ({refusal.strerror}); {_ELSEWHERE}") from None
    _LOG.warning("%s: set aside as %s and built again", error, aside.name)


def _sweep(folder: Path) -> None:
    """Remove temporary folders that a killed process left here more than a day ago."""
    for left in folder.parent.glob(f".building-{folder.name}-*"):
        if left.stat().st_mtime < time.time() - _STALE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
