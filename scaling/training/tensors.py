"""Write and read files of tensors: checkpoints, trunks and weights. No damaged file is loaded.

`torch.save` writes a zip file with a CRC-32 of every entry, which `torch.load` does not check. Checking it
takes about 0.6 s per GB, less than `torch.load` itself.
"""

from __future__ import annotations

import errno
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from scaling import files
from scaling.errors import StorageError
from scaling.training.hardware import failures

FORMAT = 1


class Damaged(StorageError):
    """A file of tensors, or a checkpoint's shards, whose content is not what a run wrote."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(path, why)
        self.path = path
        """Path of the file."""
        self.why = why
        """What is wrong with it."""

    def __str__(self) -> str:
        return f"{self.path} is damaged ({self.why})"


def save(content: dict[str, Any], path: Path, what: str) -> None:
    """Write a file of tensors whole or not at all. Raises StorageError."""
    with files.atomic(path, what) as file:
        torch.save(content, file)


def read(path: Path, run_id: str) -> dict[str, Any]:
    """Return the content of a file that `save` wrote for a run, or for a trunk.

    Raises:
        FileNotFoundError: when there is no file.
        Damaged: when the content is not what was written, or belongs to another run.
        StorageError: when the disk cannot be read.
    """
    try:
        check(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ValueError(f"it does not have format {FORMAT}")
        if content["run_id"] != run_id:
            raise ValueError(f"it belongs to {content['run_id']}, not to {run_id}")
    except FileNotFoundError:
        raise
    except Exception as error:
        # zipfile raises EINVAL if a damaged header names a place before the start of the file
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            reason = error.strerror or error
            raise StorageError(
                f"{path} cannot be read: {reason}; repair the disk or remove the file"
            ) from error
        if failures.out_of_memory(error):
            raise
        raise Damaged(path, reason_of(error)) from error
    return content


def check(path: Path) -> None:
    """Compare every entry of a zip file with its CRC-32. Raises an exception for the first difference."""
    files.check_kind(path)
    with zipfile.ZipFile(path) as file:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in file.infolist()):
            raise ValueError("it has compressed entries")
        if (entry := file.testzip()) is not None:
            raise ValueError(f"the checksum of its entry {entry} is wrong")


def set_aside(error: Damaged) -> str:
    """Rename the damaged file of an error, and return a clause that says so. Raises StorageError."""
    try:
        aside = files.set_aside(error.path)
    except FileNotFoundError:
        return f"{error}; another process renamed it"
    except OSError as refusal:
        raise StorageError(
            f"{error}; it cannot be renamed ({refusal.strerror}); remove it, or change its permissions"
        ) from error
    return f"{error}; it was renamed to {aside.name}"


def weights(path: Path, run_id: str) -> dict[str, Tensor]:
    """Return the weights of a run by name. A damaged file is renamed.

    Raises:
        FileNotFoundError: when there is no file.
        StorageError: when the file is damaged or cannot be read.
    """
    try:
        found = read(path, run_id).get("module")
        if not isinstance(found, dict) or not all(isinstance(one, Tensor) for one in found.values()):
            raise Damaged(path, "it holds no weights")
    except Damaged as error:
        raise refused(error) from None
    return found


def refused(error: Damaged) -> StorageError:
    """Rename a damaged file of weights, and return the error for the user."""
    try:
        clause = set_aside(error)
    except StorageError:  # a folder that is read-only
        clause = str(error)
    return StorageError(
        f"{clause}; train the run again in another folder, with results=FOLDER, to replace it"
    )


def reason_of(error: Exception) -> str:
    """Return why a file is damaged, as one line without a full stop."""
    return " ".join(str(error).split())[:200].rstrip(" .:") or type(error).__name__
