"""Write files that appear whole or not at all, read them back, and say in one sentence what stands in the
way."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from scaling.errors import StorageError, TableError

_FREE = "free some space"
_MOVE = "choose another folder with {option}"
_PERMISSION = ("permission is denied", _MOVE + ", or change its permissions")
_TAKEN = ("a file stands where a folder should be", "move it away or " + _MOVE)
_WHY = {
    errno.ENOSPC: ("the disk is full", _FREE),
    errno.EDQUOT: ("the disk quota is used up", _FREE),
    errno.EROFS: ("the file system is read-only", _MOVE),
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.ENOTDIR: _TAKEN,
    errno.EEXIST: _TAKEN,
}
"""Why the operating system refuses, and what to do; `{option}` is how another folder is chosen."""
RESULTS = "results=FOLDER or SCALING_RESULTS=FOLDER"
"""How another folder is chosen where no command says otherwise."""


@contextmanager
def storage(path: Path, what: str, *, option: str = RESULTS) -> Iterator[None]:
    """Turn the operating system's refusal to write `what` to `path` into one sentence.

    `option` is what a person types to choose another folder. Raises StorageError.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        # torch.save, whose file ends too soon, raises an error of its own over the disk's
        refusal = error if isinstance(error, OSError) else error.__context__
        if not isinstance(refusal, OSError):
            raise
        reason = (refusal.strerror or str(refusal)).lower()
        why, remedy = _WHY.get(refusal.errno or 0, (reason, "look at the disk"))
        raise StorageError(
            f"{what} cannot be written to {path}: {why}; nothing that was there is lost; "
            f"{remedy.format(option=option)} and type the same command again"
        ) from error


@contextmanager
def atomic(path: Path, what: str, *, durable: bool = True, option: str = RESULTS) -> Iterator[BinaryIO]:
    """Open a binary file that appears at `path` when the block ends, and not at all when it fails.

    It is written beside `path` under a hidden name and then renamed. `durable` also waits until file and
    name are on the disk. Raises StorageError; what was at `path` before stays as it was.
    """
    # process ids repeat between machines that share a folder
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(3).hex()}")
    try:
        with storage(path, what, option=option):
            with temporary.open("wb") as file:
                yield file
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(temporary, path)
            if durable:
                _sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def write(
    path: Path, content: str | bytes, what: str, *, durable: bool = False, option: str = RESULTS
) -> None:
    """Write a file whole or not at all, and its folder where there is none; text as UTF-8.

    Raises StorageError, as `atomic` does.
    """
    with storage(path, what, option=option):
        path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path, what, durable=durable, option=option) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def read_json(path: Path, remedy: str) -> dict[str, Any]:
    """Return the JSON object of a file. Raises TableError, which ends with `remedy`."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TableError(f"{path} cannot be read as JSON ({error}); {remedy}") from None
    if not isinstance(found, dict):
        raise TableError(f"{path} holds a {type(found).__name__} instead of an object; {remedy}")
    return found


def set_aside(path: Path) -> Path:
    """Rename a damaged file to `<name>.damaged`, over an older one, and return where it lies now."""
    aside = path.with_name(f"{path.name}.damaged")
    os.replace(path, aside)
    return aside


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hex, reading it in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
