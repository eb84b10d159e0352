"""A run that is killed continues to the same bit; what cannot be read is set aside; what cannot be written
loses nothing."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from scaling.corpora import Corpus
from scaling.errors import Preempted, StorageError, TableError
from scaling.files import atomic
from scaling.training import Cell, RunPaths, record, tensors
from scaling.training.lifecycle.interrupts import Pause
from scaling.training.lifecycle.run import Placement, run
from scaling.training.recipes.recipe import OPTIMIZERS

SAME = ("loss", "loss_se", "loss_train", "loss_best", "status", "steps_done", "bits_per_byte")


def weights(paths: RunPaths) -> dict[str, torch.Tensor]:
    return torch.load(paths.weights, weights_only=True)["module"]


def assert_same_run(a: RunPaths, b: RunPaths) -> None:
    first, second = record.read(a), record.read(b)
    assert {k: first[k] for k in SAME} == {k: second[k] for k in SAME}
    assert a.curve.read_text() == b.curve.read_text()
    for name, tensor in weights(a).items():
        assert torch.equal(tensor, weights(b)[name]), name


def test_kill_minus_nine_at_random_steps(corpus: Corpus, cell: Callable[..., Cell], tmp_path: Path) -> None:
    # dropout makes the random generator's state matter
    it = cell(family={"name": "llama", "size": 1, "dropout": 0.1}, budget={"tokens": 200 * 64})
    calm, wild = RunPaths.of(tmp_path / "calm", it.run_id), RunPaths.of(tmp_path / "wild", it.run_id)
    run(it, corpus=corpus, paths=calm)
    rng = random.Random(0)
    kills, placement = 0, Placement(checkpoint_seconds=0.05)
    for attempt in range(20):
        child = multiprocessing.get_context("fork").Process(
            target=run, args=(it,), kwargs={"corpus": corpus, "paths": wild, "placement": placement}
        )
        start = written(wild)
        child.start()
        # let each attempt get on by a checkpoint at least, so that the run ends one day
        while child.is_alive() and written(wild) <= start:
            time.sleep(0.001)
        if attempt < 5:
            time.sleep(rng.random() * 0.1)
            child.kill()
        child.join()
        kills += child.exitcode == -signal.SIGKILL
        if child.exitcode == 0:
            break
    assert kills >= 1  # how many strike before the end is the machine's affair
    assert_same_run(calm, wild)


def written(paths: RunPaths) -> float:
    """When the checkpoint was last written; -1 before that."""
    try:
        return paths.checkpoint.stat().st_mtime_ns
    except OSError:
        return -1


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_continues_to_the_same_bit(
    corpus: Corpus, cell: Callable[..., Cell], tmp_path: Path, optimizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if optimizer == "soap":
        pytest.importorskip("pytorch_optimizer")
    it = cell(recipe={"name": "small_decoder", "batch_sequences": 4, "optimizer": optimizer})
    calm, wild = RunPaths.of(tmp_path / "calm", it.run_id), RunPaths.of(tmp_path / "wild", it.run_id)
    run(it, corpus=corpus, paths=calm)
    leave_at(monkeypatch, 23, signal.SIGTERM)
    with pytest.raises(Preempted):
        run(it, corpus=corpus, paths=wild)
    monkeypatch.undo()
    run(it, corpus=corpus, paths=wild)
    assert_same_run(calm, wild)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT])
def test_a_request_to_leave_is_kept_and_continued(
    corpus: Corpus, cell: Callable[..., Cell], tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = cell()
    calm, wild = RunPaths.of(tmp_path / "calm", it.run_id), RunPaths.of(tmp_path / "wild", it.run_id)
    run(it, corpus=corpus, paths=calm)
    before = signal.getsignal(number)
    leave_at(monkeypatch, 17, number)
    with pytest.raises(KeyboardInterrupt if number == signal.SIGINT else Preempted):
        run(it, corpus=corpus, paths=wild)
    assert not wild.record.exists()
    assert signal.getsignal(number) == before
    content = tensors.read(wild.checkpoint, it.run_id)
    assert content is not None
    assert content["state"]["step"] == 17
    monkeypatch.undo()
    got = run(it, corpus=corpus, paths=wild)
    assert got["started"] <= got["ended"]
    assert_same_run(calm, wild)
    assert sorted(p.name for p in wild.folder.iterdir()) == [
        "config.yaml",
        "curve.csv",
        "positions.csv",
        "record.json",
        "weights.pt",
    ]


def leave_at(monkeypatch: pytest.MonkeyPatch, step: int, number: int) -> None:
    heartbeat = Pause.__call__

    def pause(self: Pause) -> None:
        if self.trainer.state.step == step:
            os.kill(os.getpid(), number)
        heartbeat(self)

    monkeypatch.setattr(Pause, "__call__", pause)


@pytest.mark.parametrize("damage", [b"", b"not a checkpoint", None])
def test_a_damaged_checkpoint_is_set_aside_and_the_one_before_is_taken(
    corpus: Corpus,
    cell: Callable[..., Cell],
    tmp_path: Path,
    damage: bytes | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = cell()
    calm, wild = RunPaths.of(tmp_path / "calm", it.run_id), RunPaths.of(tmp_path / "wild", it.run_id)
    run(it, corpus=corpus, paths=calm)
    leave_at(monkeypatch, 17, signal.SIGTERM)
    with pytest.raises(Preempted):
        run(it, corpus=corpus, paths=wild, placement=Placement(checkpoint_seconds=0.0))
    monkeypatch.undo()
    content = wild.checkpoint.read_bytes()
    wild.checkpoint.write_bytes(content[: len(content) // 2] if damage is None else damage)
    before = tensors.read(wild.checkpoint_before, it.run_id)
    assert before is not None
    assert before["state"]["step"] == 16
    run(it, corpus=corpus, paths=wild)
    assert (wild.folder / "checkpoint.pt.damaged").exists()
    assert_same_run(calm, wild)


def test_a_truncated_record_is_set_aside_and_the_run_done_again(
    corpus: Corpus, cell: Callable[..., Cell], paths: Callable[[Cell], RunPaths]
) -> None:
    it = cell()
    first = run(it, corpus=corpus, paths=paths(it))
    where = paths(it).record
    where.write_bytes(where.read_bytes()[:200])
    with pytest.raises(StorageError, match=r"renamed to record.json.damaged"):
        record.read(paths(it))
    assert not where.exists()
    assert run(it, corpus=corpus, paths=paths(it))["loss"] == first["loss"]


def test_a_record_of_another_schema_is_refused_and_kept(
    corpus: Corpus, cell: Callable[..., Cell], paths: Callable[[Cell], RunPaths]
) -> None:
    it = cell()
    run(it, corpus=corpus, paths=paths(it))
    where = paths(it).record
    content = json.loads(where.read_text())
    for change, words in (
        ({"schema": 99}, "schema version 99"),
        ({"extra": 1}, "'extra', which is not a column"),
        ({"params": "many"}, "'many' for 'params', which is int64"),
        ({"status": "fine"}, "status 'fine'"),
        ({"loss": None}, "no value for 'loss'"),
    ):
        where.write_text(json.dumps(content | change))
        with pytest.raises(TableError, match=words):
            record.find(paths(it))
        assert where.exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of half a megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and os.geteuid() == 0
    if (
        not mounted
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder], capture_output=True
        ).returncode
    ):
        pytest.skip("no small tmpfs can be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(path: Path) -> None:
    """Writes until the disk is full."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass


@pytest.mark.parametrize("left", [0, 8192])
def test_a_full_disk_is_a_sentence_and_nothing_is_lost(
    corpus: Corpus,
    cell: Callable[..., Cell],
    small_disk: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    left: int,
) -> None:
    it = cell()
    calm, wild = RunPaths.of(tmp_path / "calm", it.run_id), RunPaths.of(small_disk, it.run_id)
    run(it, corpus=corpus, paths=calm)
    leave_at(monkeypatch, 9, signal.SIGTERM)
    with pytest.raises(Preempted):
        run(it, corpus=corpus, paths=wild)
    monkeypatch.undo()
    kept = wild.checkpoint.read_bytes()
    filler = small_disk / "filler"
    fill(filler)
    os.truncate(filler, filler.stat().st_size - left)
    with pytest.raises(StorageError) as caught:
        run(it, corpus=corpus, paths=wild, placement=Placement(checkpoint_seconds=0.0))
    assert "the disk is full" in str(caught.value)
    assert wild.checkpoint.read_bytes() == kept
    filler.unlink()
    run(it, corpus=corpus, paths=wild)
    assert_same_run(calm, wild)


def test_weights_larger_than_the_disk(small_disk: Path) -> None:
    """torch.save leaves an error of its own over the disk's, once a weight's bytes do not fit."""

    def write() -> None:
        with atomic(small_disk / "weights", "the checkpoint") as file:
            torch.save({"weights": torch.zeros(1 << 18)}, file)

    with pytest.raises(StorageError, match="the disk is full"):
        write()
    assert not list(small_disk.iterdir())


@pytest.mark.parametrize("what", ["checkpoint", "record"])
def test_a_disk_that_fills_in_the_middle(
    corpus: Corpus, cell: Callable[..., Cell], tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = cell()
    calm, wild = RunPaths.of(tmp_path / "calm", it.run_id), RunPaths.of(tmp_path / "wild", it.run_id)
    run(it, corpus=corpus, paths=calm)
    real, calls = os.fsync, [0]

    def full(handle: int) -> None:
        name = os.readlink(f"/proc/self/fd/{handle}")
        if f".{what}." in name:
            calls[0] += 1
            if what == "record" or calls[0] > 3:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        StorageError, match="the disk is full; nothing that was there is lost; free some space"
    ):
        run(it, corpus=corpus, paths=wild, placement=Placement(checkpoint_seconds=0.0))
    assert not wild.record.exists()
    assert tensors.read(wild.checkpoint, it.run_id) is not None
    assert not [p for p in wild.folder.iterdir() if p.name.startswith(".")], (
        "half-written files are cleaned up"
    )
    monkeypatch.undo()
    run(it, corpus=corpus, paths=wild)
    assert_same_run(calm, wild)


def test_a_folder_that_cannot_be_made_is_a_sentence(
    corpus: Corpus, cell: Callable[..., Cell], tmp_path: Path
) -> None:
    it = cell()
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="a file stands where a folder should be"):
        run(it, corpus=corpus, paths=RunPaths.of(tmp_path / "file", it.run_id))


def test_whole_leaves_the_old_file_when_the_writer_fails(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("old")

    def write() -> None:
        with atomic(path, "it") as file:
            file.write(b"new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
