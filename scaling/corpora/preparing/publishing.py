"""Building a folder once, whole, and by a rename, whoever else is building it."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from scaling.corpora.corpus import MANIFEST, Corpus, open_corpus
from scaling.errors import CorpusError, StorageError

_LOG = logging.getLogger("scaling.corpora")
_ELSEWHERE = "make room there, or choose another folder with results=FOLDER or SCALING_RESULTS"
_STALE_SECONDS = 86_400


def publish(folder: Path, build: Callable[[Path], None]) -> Corpus:
    """Opens `folder`; where it is missing, `build` fills a temporary folder beside it, which then takes its
    name.

    A damaged folder is set aside with a warning and built again. When two build at once, the first to finish
    wins and the other one's work is thrown away. Raises StorageError when the disk refuses.
    """
    if folder.exists():
        try:
            return open_corpus(folder)
        except CorpusError as error:
            aside = Path(tempfile.mkdtemp(prefix=f".damaged-{folder.name}-", dir=folder.parent))
            _LOG.warning("%s: set aside as %s and built again", error, aside.name)
            os.replace(folder, aside)
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
        )  # mkdtemp makes private folders; a corpus is for everybody who may enter its parent
        try:
            os.rename(temporary, folder)
        except OSError:
            if not (folder / MANIFEST).exists():
                raise
    except OSError as error:
        raise StorageError(f"{folder} could not be written ({error.strerror}); {_ELSEWHERE}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return open_corpus(folder)


def _sweep(folder: Path) -> None:
    """Removes what a killed process left of this folder a day ago or earlier."""
    for left in folder.parent.glob(f".building-{folder.name}-*"):
        if left.stat().st_mtime < time.time() - _STALE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
