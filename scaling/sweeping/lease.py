"""Who trains a cell: a claim is a small file, made by an atomic link, kept fresh by its holder, taken over
when it is stale.

No lock is held and no clock of another machine is trusted, so processes, launchers and machines may share a
folder, network file systems included. A claim must appear only where none is, so it is linked or made with
`x`; the one writer of `scaling.files` would replace another's. The worst that can happen is that a cell is
trained twice to the same bits: records are written whole.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scaling.errors import StorageError

HEARTBEAT_SECONDS = 5.0
"""How often a holder touches its claim."""
STALE_SECONDS = 60.0
"""A claim from another machine that was not touched for so long, by the file system's own clock, is taken
over; after WATCHED more heartbeats in which it still was not, for that clock may have jumped.
"""
WATCHED = 2
"""Heartbeats for which a claim that looks stale is watched before it is taken over."""


class Claim:
    """A cell that this process holds, until `release`."""

    def __init__(self, path: Path, nonce: str, lost: Callable[[], None] | None) -> None:
        self.path, self.nonce, self._lost = path, nonce, lost
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="claim", daemon=True)
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
        """Gives the cell back; a claim that somebody took over is left alone."""
        self._stop.set()
        self._thread.join(timeout=HEARTBEAT_SECONDS)
        if (read(self.path) or {}).get("nonce") == self.nonce:
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> Claim:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def take(path: Path, *, lost: Callable[[], None] | None = None) -> Claim | None:
    """Claims the cell whose claim file is `path`; None when a living holder has it.

    `lost` is called, in a thread, when another process has taken the claim over. Raises StorageError when the
    folder cannot be written.
    """
    nonce = uuid.uuid4().hex
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{nonce}")
        fresh.write_text(json.dumps(_me(nonce)), encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"{path.parent} cannot be written ({error.strerror}); make it writable, or choose another folder "
            f"with results=FOLDER"
        ) from error
    try:
        if _link(fresh, path):
            return Claim(path, nonce, lost)
        found = read(path)
        if not stale(path, found) or not _silent(path, found):
            return None
        return Claim(path, nonce, lost) if _take_over(path, found, fresh) else None
    finally:
        fresh.unlink(missing_ok=True)


def read(path: Path) -> dict[str, Any] | None:
    """What a claim file says; None when there is none or it cannot be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def stale(path: Path, found: dict[str, Any] | None) -> bool:
    """Whether the holder seems to be gone: at once for a dead process of this machine, else after
    `STALE_SECONDS` without a touch. A touch that lies as far in the future is no touch: that clock was put
    back.
    """
    if found is not None and found.get("machine") == _machine():
        return _started(int(found.get("pid", -1))) != found.get("process_started")
    return abs(age_seconds(path)) > STALE_SECONDS


def _silent(path: Path, found: dict[str, Any] | None) -> bool:
    """Whether a stale claim stays untouched while we watch. A clock that jumps makes every claim look old, or
    from the future, until its holder touches it again; a dead process of this machine needs no watching.
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
    """Seconds since a file was touched, by the clock of its own file system; infinite when it is gone."""
    probe = path.with_name(f".{path.name}.clock-{uuid.uuid4().hex[:8]}")
    try:
        probe.touch()
        return probe.stat().st_mtime - path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
    except OSError:  # a folder that can be read and not written
        return time.time() - path.stat().st_mtime
    finally:
        probe.unlink(missing_ok=True)


def _take_over(path: Path, found: dict[str, Any] | None, fresh: Path) -> bool:
    """Replaces a stale claim. Of several that try, the one that makes the marker for this very claim wins."""
    old = (found or {}).get("nonce", "unreadable")
    marker = path.with_name(f".{path.name}.over-{old}")
    if not _link(fresh, marker):
        if age_seconds(marker) > STALE_SECONDS:  # its maker died between the two steps
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
    """Makes `target` with the content of `source`, whole and only if it is not there."""
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
    """One boot of one machine, and one space of process ids in it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return f"{socket.gethostname()}/{uuid.getnode()}"


def _started(pid: int) -> str | None:
    """When a process of this machine started, so that a reused id is not taken for it; None when it is
    gone.
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
