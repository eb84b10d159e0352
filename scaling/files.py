"""Write files that appear whole or not at all, read them back, and say in one sentence what stands in the
way."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import re
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from scaling.errors import StorageError, TableError

_FREE = "free some space"
_MOVE = "choose another folder with {option}"
_PERMISSION = ("permission is denied", _MOVE + ", or change its permissions")
_TAKEN = ("a file stands where a folder should be", "move it away or " + _MOVE)
_FOLDER = "a folder stands where a file should be"
_WHY = {
    errno.ENOSPC: ("the disk is full", _FREE),
    errno.EDQUOT: ("the disk quota is used up", _FREE),
    errno.EROFS: ("the file system is read-only", _MOVE),
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.ENOTDIR: _TAKEN,
    errno.EEXIST: _TAKEN,
    errno.EISDIR: (_FOLDER, _TAKEN[1]),
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
    except Exception as error:
        # torch.save, whose file ends too soon, raises an error of its own over the disk's
        refusal = error.__context__ if isinstance(error, RuntimeError) else error
        if number := re.search(r"\(os error (\d+)\)", str(error)):  # of tokenizers and safetensors, in Rust
            refusal = OSError(int(number[1]), os.strerror(int(number[1])))
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
    hidden = temporary(path)
    try:
        with storage(path, what, option=option):
            with hidden.open("wb") as file:
                yield file
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(hidden, path)
            if durable:
                _sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            hidden.unlink()
        raise


_TEMPORARY = re.compile(r"\.(.+?)\.(?:new|over-\w+|\d+\.[0-9a-f]{6})(?:\.\d+\.[0-9a-f]{6})?")
"""Every hidden name of `temporary`, and that of the file from which `atomic` renames to it."""


def temporary(path: Path, word: str | None = None) -> Path:
    """Return a hidden name beside `path`, for a file that is renamed to it or removed again.

    The name is another one at each call, or always the same one for a `word`: `new` or `over-...`.
    """
    # process ids repeat between machines that share a folder
    return path.with_name(f".{path.name}.{word or f'{os.getpid()}.{os.urandom(3).hex()}'}")


def meant_for(name: str) -> str | None:
    """Return the name of the file beside which a name of `temporary` stands; None for any other name."""
    found = _TEMPORARY.fullmatch(name)
    return None if found is None else found[1].removeprefix(".")


def write(
    path: Path, content: str | bytes, what: str, *, durable: bool = False, option: str = RESULTS
) -> None:
    """Write a file whole or not at all, and its folder where there is none; text as UTF-8.

    Raises StorageError, as `atomic` does.
    """
    with storage(path, what, option=option):
        path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path, what, durable=durable, option=option) as file:
        file.write(content.encode(errors="backslashreplace") if isinstance(content, str) else content)


def check_kind(path: Path) -> None:
    """Raise OSError for a pipe, a socket or a device, whose content might never end, or for no file."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "it is a pipe, a socket or a device", str(path))


def content(path: Path) -> bytes:
    """Return the bytes of a file. Raises OSError, also for what `check_kind` refuses."""
    check_kind(path)
    return path.read_bytes()


def check_free(path: Path) -> None:
    """Raise StorageError if something that is no file stands where one will be written."""
    if path.exists() and not path.is_file():
        raise StorageError(
            f"{path} is {'a folder' if path.is_dir() else 'a pipe, a socket or a device'} where a file "
            "should be; move it away and type the same command again"
        )


def read_json(path: Path, remedy: str) -> dict[str, Any]:
    """Return the JSON object of a file. Raises TableError, which ends with `remedy`."""
    try:
        found = parse_json(content(path))
    except OSError as error:
        reason, rights = (error.strerror or str(error)).lower(), isinstance(error, PermissionError)
        raise TableError(
            f"{path} cannot be read ({reason}); {'change its permissions' if rights else remedy}"
        ) from None
    except ValueError as error:
        raise TableError(f"{path} cannot be read as JSON ({error}); {remedy}") from None
    if not isinstance(found, dict):
        raise TableError(f"{path} holds a {type(found).__name__} instead of an object; {remedy}")
    return found


def parse_json(text: bytes) -> Any:
    """Return the value of JSON as this package writes it: finite numbers, and each key once.

    Raises ValueError, with the reason in words, for everything else, also for text that is not UTF-8.
    """
    try:
        return json.loads(
            text.decode("utf-8-sig"),
            parse_constant=_number,
            parse_float=_number,
            parse_int=_whole,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {text[error.start]:#04x} is not UTF-8") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{_shortened(text)} is no finite number")
    return value


def _whole(text: str) -> int:
    _number(text)
    return int(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {_shortened(twice)!r} stands twice")
    return found


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}..."


def set_aside(path: Path) -> Path:
    """Rename a damaged file to `<name>.damaged`, over an older one, and return where it lies now.

    Raises StorageError if the folder cannot be written.
    """
    aside = path.with_name(f"{path.name}.damaged")
    with storage(aside, f"{path.name}, which is damaged,"):
        os.replace(path, aside)
    return aside


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hex, reading it in pieces."""
    check_kind(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
