"""Claims: one holder, dead ones replaced at once here, silent ones elsewhere after a stated time."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from scaling.errors import StorageError
from scaling.sweeping import lease


def _race(path: str, gate: Event, over: Event, won: multiprocessing.queues.Queue) -> None:
    gate.wait()
    claim = lease.take(Path(path))
    won.put(claim is not None)
    over.wait()


def _winners(path: Path, count: int = 6) -> int:
    context = multiprocessing.get_context("fork")
    gate, over, won = context.Event(), context.Event(), context.Queue()
    racers = [context.Process(target=_race, args=(str(path), gate, over, won)) for _ in range(count)]
    for racer in racers:
        racer.start()
    gate.set()
    wins = sum(won.get(timeout=240) for _ in racers)
    over.set()
    for racer in racers:
        racer.join()
    return wins


def _until(true: Callable[[], bool], seconds: float = 240) -> None:
    """Waits until something is true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def test_one_of_many_wins(tmp_path: Path) -> None:
    assert _winners(tmp_path / "run" / "claim.json") == 1


def test_a_held_claim_is_refused_and_a_released_one_free(tmp_path: Path) -> None:
    path = tmp_path / "claim.json"
    claim = lease.take(path)
    assert claim is not None
    assert lease.take(path) is None
    claim.release()
    assert not path.exists()
    with lease.take(path) as again:  # type: ignore[union-attr]
        assert again is not None
    assert os.listdir(tmp_path) == []


def test_a_dead_process_loses_its_claim_at_once(tmp_path: Path) -> None:
    path = tmp_path / "claim.json"
    code = (
        "import os, sys; from pathlib import Path; from scaling.sweeping import lease\n"
        "lease.take(Path(sys.argv[1])); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert path.exists()
    assert _winners(path) == 1


def _foreign(path: Path, *, age: float) -> None:
    path.write_text(json.dumps({"nonce": "theirs", "machine": "another", "pid": 1, "host": "far"}))
    os.utime(path, (time.time() - age, time.time() - age))


def test_a_fresh_claim_of_another_machine_stands(tmp_path: Path) -> None:
    _foreign(tmp_path / "claim.json", age=lease.STALE_SECONDS / 2)
    assert lease.take(tmp_path / "claim.json") is None


@pytest.mark.parametrize("age", [2 * lease.STALE_SECONDS, -86400])
def test_a_silent_claim_of_another_machine_goes_to_one(
    tmp_path: Path, age: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not touched for long, or touched last before its file system's clock was put back by a day."""
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 0.1)
    _foreign(tmp_path / "claim.json", age=age)
    assert _winners(tmp_path / "claim.json") == 1


@pytest.mark.parametrize("jump", [-86400, 86400])
def test_a_clock_of_the_file_system_that_jumps_costs_no_living_holder_its_claim(
    tmp_path: Path, jump: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last touch lies a day away, by the new clock, until the holder touches its claim again."""
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 0.2)
    path = tmp_path / "claim.json"
    monkeypatch.setattr(lease, "_machine", lambda: "another")
    with lease.take(path):  # type: ignore[union-attr]
        monkeypatch.setattr(lease, "_machine", lambda: "this one")
        os.utime(path, (time.time() + jump, time.time() + jump))
        assert lease.stale(path, lease.read(path))
        assert lease.take(path) is None


def test_the_clock_of_this_machine_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that jumps an hour ahead does not make living claims stale: ages come from the file system."""
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 3600)
    _foreign(tmp_path / "claim.json", age=-3600 + 1)  # touched a second ago
    os.utime(tmp_path / "claim.json")
    assert not lease.stale(tmp_path / "claim.json", lease.read(tmp_path / "claim.json"))


def test_the_holder_learns_that_it_was_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 0.05)
    path, lost = tmp_path / "claim.json", []
    claim = lease.take(path, lost=lambda: lost.append(True))
    assert claim is not None
    _foreign(path, age=0)
    _until(lambda: bool(lost))
    assert lost == [True]
    claim.release()
    assert path.exists()


def test_a_heartbeat_keeps_it_fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 0.05)
    path = tmp_path / "claim.json"
    with lease.take(path):  # type: ignore[union-attr]
        os.utime(path, (1, 1))
        _until(lambda: path.stat().st_mtime > 1)
        assert lease.age_seconds(path) < 3600


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(StorageError, match="cannot be written"):
        lease.take(tmp_path / "run" / "claim.json")
