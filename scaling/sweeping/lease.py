"""Lease cells to processes, so that each cell is trained once.

A lease is a small file. It is created by an atomic link, touched regularly by its holder, and taken over by
another process when it is stale. There are no locks, and clocks of different machines are not compared, so
processes, launchers and machines can share a folder, also on a network file system. A lease file must never
replace another one, so it is linked or opened with `x`; `scaling.files.write` would replace the file. In the
worst case a cell is trained twice with the same result, since records are written atomically.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from scaling import files
from scaling.errors import StorageError
from scaling.files import parse_json, storage, temporary
from scaling.tables.schema import Column, fault

HEARTBEAT_SECONDS = 5.0
"""Seconds between two touches of a lease by its holder."""
STALE_SECONDS = 60.0
"""Seconds without a touch, by the clock of the file system, after which a lease of another machine is stale.

It is taken over only after WATCHED further heartbeats without a touch, since that clock may have jumped.
"""
WATCHED = 2
"""Number of heartbeats for which a stale lease is watched before it is taken over."""


_COLUMNS = {
    "nonce": Column(dtype="string", unit="", meaning="of this lease alone"),
    "machine": Column(dtype="string", unit="", meaning="boot of the machine and namespace of its processes"),
    "host": Column(dtype="string", unit="", meaning="name of the machine", required=False),
    "pid": Column(dtype="int64", unit="", meaning="process of the holder", required=False),
    "process_started": Column(dtype="string", unit="", meaning="start of that process", required=False),
    "time": Column(dtype="float64", unit="s", meaning="when it was taken", required=False),
}
"""Values of a lease file."""
_LONGEST = 64
"""Largest number of characters of a nonce."""


class Lease:
    """A lease of this process on one cell, held until `release`."""

    def __init__(self, path: Path, nonce: str, lost: Callable[[], None] | None) -> None:
        self.path, self.nonce, self._lost = path, nonce, lost
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)
        self._thread.start()

    def _beat(self) -> None:
        while not self._stop.wait(HEARTBEAT_SECONDS):
            try:
                if (read(self.path) or {}).get("nonce") != self.nonce:
                    if self._lost and not self._stop.is_set():
                        self._lost()
                    return
                os.utime(self.path)
            except OSError:
                continue

    def release(self) -> None:
        """Remove the lease file, unless another process has taken the lease over."""
        self._stop.set()
        self._thread.join(timeout=HEARTBEAT_SECONDS)
        if (read(self.path) or {}).get("nonce") == self.nonce:
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def take(path: Path, *, lost: Callable[[], None] | None = None) -> Lease | None:
    """Take the lease whose file is `path`; return None if a live process holds it.

    `lost` is called in a thread if another process takes the lease over. Raises StorageError if the folder
    cannot be written.
    """
    nonce = uuid.uuid4().hex
    fresh = temporary(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(json.dumps(_me(nonce)), encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"{path.parent} cannot be written ({error.strerror}); make it writable, or choose another folder "
            f"with results=FOLDER"
        ) from error
    try:
        if _link(fresh, path):
            return Lease(path, nonce, lost)
        files.check_free(path)
        found = read(path)
        if not stale(path, found) or not _silent(path, found):
            return None
        with storage(path, "the lease"):
            return Lease(path, nonce, lost) if _take_over(path, found, fresh) else None
    finally:
        fresh.unlink(missing_ok=True)


def read(path: Path) -> dict[str, Any] | None:
    """Return the content of a lease file, or None if it is missing or damaged."""
    try:
        found = parse_json(files.content(path))
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or fault(found, _COLUMNS):
        return None
    # the nonce becomes part of a file's name
    return found if found["nonce"].isalnum() and len(found["nonce"]) <= _LONGEST else None


def stale(path: Path, found: dict[str, Any] | None) -> bool:
    """Return whether the holder seems to have ended.

    A process of this machine is looked up. A lease of another machine is stale after `STALE_SECONDS` without
    a touch, or if its last touch is that far in the future, because the clock was set back.
    """
    if found is not None and found.get("machine") == _machine():
        started = _started(found.get("pid") or -1)
        return started is None or started != found.get("process_started")
    return abs(age_seconds(path)) > STALE_SECONDS


def _silent(path: Path, found: dict[str, Any] | None) -> bool:
    """Return whether a stale lease stays untouched for WATCHED heartbeats.

    After a jump of the clock every lease looks stale until its holder touches it again. A lease of an ended
    process of this machine is not watched.
    """
    if found is not None and found.get("machine") == _machine():
        return True
    before = _touched(path)
    time.sleep(WATCHED * HEARTBEAT_SECONDS)
    return _touched(path) == before


def _touched(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None


def age_seconds(path: Path) -> float:
    """Return the seconds since a file was touched, by its file system's clock; infinite if it is missing."""
    probe = temporary(path)
    try:
        probe.touch()
        return probe.stat().st_mtime - path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
    except OSError:  # the folder is read-only
        with suppress(OSError):
            return time.time() - path.stat().st_mtime
        return float("inf")
    finally:
        with suppress(OSError):  # a read-only file system refuses even where there is nothing to remove
            probe.unlink()


def _take_over(path: Path, found: dict[str, Any] | None, fresh: Path) -> bool:
    """Replace a stale lease. Among several processes, the one that creates its marker succeeds."""
    old = (found or {}).get("nonce", "unreadable")
    marker = temporary(path, f"over-{old}")
    if not _link(fresh, marker):
        if age_seconds(marker) > STALE_SECONDS:  # its process ended between the two steps
            marker.unlink(missing_ok=True)
        return False
    try:
        now = read(path)
        if (now or {}).get("nonce", "unreadable") != old or (
            now is None and path.exists() and found is not None
        ):
            return False
        os.replace(marker, path)
        return True
    finally:
        marker.unlink(missing_ok=True)


def _link(source: Path, target: Path) -> bool:
    """Create `target` with the content of `source`, unless it exists. Return whether it was created."""
    try:
        os.link(source, target)
        return True
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        try:
            with target.open("x", encoding="utf-8") as file:
                file.write(source.read_text(encoding="utf-8"))
            return True
        except FileExistsError:
            return False


def _me(nonce: str) -> dict[str, Any]:
    return {
        "nonce": nonce,
        "machine": _machine(),
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "process_started": _started(os.getpid()),
        "time": time.time(),
    }


def _machine() -> str:
    """Return an identifier of this boot of this machine and of its namespace of process ids."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return f"{socket.gethostname()}/{uuid.getnode()}"


def _started(pid: int) -> str | None:
    """Return the start time of a process of this machine, or None if it has ended.

    The start time tells a process from a later one with the same id.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] in "ZX" else fields[19]
    except OSError:
        if Path("/proc/self").exists():
            return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return "unknown"
