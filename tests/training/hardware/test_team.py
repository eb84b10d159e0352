"""One run shared by 1, 2 and 4 processes: the same losses, one set of files, checkpoints for any number."""

from __future__ import annotations

import csv
import math
import multiprocessing
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed.checkpoint.state_dict
import torch.distributed.fsdp

from scaling.corpora import Corpus
from scaling.errors import ConfigError, Preempted, ScalingError
from scaling.training import Cell, RunPaths, record, tensors
from scaling.training.hardware import sharding
from scaling.training.hardware import team as teams
from scaling.training.hardware.team import Team
from scaling.training.lifecycle.interrupts import Pause
from scaling.training.lifecycle.run import Placement, run
from scaling.training.loop import Trainer

SMALL = {"family": {"name": "llama", "size": 0.5}, "budget": {"tokens": 50 * 4 * 16}}


def together(
    processes: int, cell: Cell, corpus: Corpus, paths: RunPaths, placement: Placement | None = None
) -> list[Any]:
    """Runs a cell in so many processes, as torchrun would start them; what each got or raised, in order."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    fork = multiprocessing.get_context("fork")
    answers = [fork.Pipe(duplex=False) for _ in range(processes)]

    def work(rank: int) -> None:
        os.environ |= {
            "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(processes),
            "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
        }  # fmt: skip
        got: Any
        try:
            with teams.joined() as team:
                got = run(cell, corpus=corpus, paths=paths, placement=placement, team=team)
        except ScalingError as error:
            got = error
        answers[rank][1].send(got)
        os._exit(0)

    started = [fork.Process(target=work, args=(rank,)) for rank in range(processes)]
    for process in started:
        process.start()
    for _, sender in answers:
        sender.close()
    got = []
    for receiver, _ in answers:
        try:
            got.append(receiver.recv() if receiver.poll(120) else "silent")
        except EOFError:
            got.append("killed")
    for process in started:
        process.kill()
        process.join()
    return got


def losses(paths: RunPaths) -> list[float]:
    """The training loss of every step, then the held-out loss."""
    with paths.curve.open() as file:
        return [float(row["loss_train"]) for row in csv.DictReader(file)] + [record.read(paths)["loss"]]


@pytest.mark.slow
@pytest.mark.parametrize("sharing", ["ddp", "fsdp"])
def test_losses_do_not_depend_on_the_number_of_processes(
    corpus: Corpus, cell: Callable[..., Cell], tmp_path: Path, sharing: str
) -> None:
    """Within 1e-6 of themselves, float32's last digits, over 50 steps with a row each. One sequence at once,
    so that gradients accumulate as well."""
    it, found = cell(**SMALL), {}
    for processes in (1, 2, 4):
        paths = RunPaths.of(tmp_path / str(processes), it.run_id)
        got = together(processes, it, corpus, paths, Placement(micro_batch=1, sharing=sharing))
        assert [one["status"] for one in got] == ["done"] * processes
        assert len({one["loss"] for one in got}) == 1
        found[processes] = losses(paths)
        files = sorted(path.name for path in paths.folder.iterdir())
        assert files == ["config.yaml", "curve.csv", "positions.csv", "record.json", "weights.pt"]
    assert len(found[1]) == 51
    for processes in (2, 4):
        assert found[processes] == pytest.approx(found[1], rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("sharing", "processes"), [("ddp", 2), ("fsdp", 2)])
def test_compiled_blocks_can_be_shared(
    corpus: Corpus, cell: Callable[..., Cell], tmp_path: Path, sharing: str, processes: int
) -> None:
    """Blocks are compiled before their weights are cut, and the losses stay those of one plain process."""
    it = cell(**SMALL)
    plain, shared = RunPaths.of(tmp_path / "plain", it.run_id), RunPaths.of(tmp_path / "shared", it.run_id)
    run(it, corpus=corpus, paths=plain)
    placement = Placement(sharing=sharing, compile="aot_eager", loss_chunk=24)
    got = together(processes, it, corpus, shared, placement)
    assert [(one["status"], one["compiled"]) for one in got] == [("done", "aot_eager")] * processes
    assert losses(shared) == pytest.approx(losses(plain), rel=1e-6)


@pytest.mark.parametrize(
    "family",
    [
        {"name": "llama", "size": 0.5, "experts": 4, "experts_per_token": 2},
        {"name": "bert", "size": 0.5},
        {"name": "lstm", "size": 0.5},
    ],
    ids=["experts", "bert", "lstm"],
)
def test_every_kind_of_family_can_be_shared(
    corpus: Corpus, cell: Callable[..., Cell], tmp_path: Path, family: dict[str, Any]
) -> None:
    """Experts that no token of a part chose, losses of a module's own, masks that differ in their number."""
    it, found = cell(family=family, budget={"tokens": 20 * 4 * 16}), {}
    for processes in (1, 2):
        paths = RunPaths.of(tmp_path / str(processes), it.run_id)
        got = together(processes, it, corpus, paths, Placement(micro_batch=2))
        assert [getattr(one, "get", str)("status") for one in got] == ["done"] * processes, got
        found[processes] = losses(paths)
    assert found[2] == pytest.approx(found[1], rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((2, "ddp"), (1, "ddp")),
        ((1, "ddp"), (2, "fsdp")),
        ((2, "fsdp"), (1, "ddp")),
        ((2, "fsdp"), (4, "fsdp")),
    ],
)
def test_a_checkpoint_goes_on_with_another_number_of_processes(
    corpus: Corpus,
    cell: Callable[..., Cell],
    tmp_path: Path,
    before: tuple[int, str],
    after: tuple[int, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The request to leave comes to one process, and all leave after the same step."""
    it = cell(**SMALL)
    calm, moved = RunPaths.of(tmp_path / "calm", it.run_id), RunPaths.of(tmp_path / "moved", it.run_id)
    run(it, corpus=corpus, paths=calm)
    pause = Pause.__call__

    def leave(self: Pause) -> None:
        if self.trainer.state.step == 23 and self.trainer.team.rank == before[0] - 1:
            self.request.signal = signal.SIGTERM
        pause(self)

    monkeypatch.setattr(Pause, "__call__", leave)
    got = together(before[0], it, corpus, moved, Placement(sharing=before[1]))
    assert [type(one) for one in got] == [Preempted] * before[0]
    monkeypatch.undo()
    content = tensors.read(moved.checkpoint, it.run_id)
    assert content is not None
    assert content["state"]["step"] == 23
    assert (moved.folder / "parts-23").is_dir() == (before == (2, "fsdp"))
    got = together(after[0], it, corpus, moved, Placement(sharing=after[1]))
    assert [one["status"] for one in got] == ["done"] * after[0], got
    assert not moved.all_parts()
    assert losses(moved) == pytest.approx(losses(calm), rel=1e-6)


def test_memory_that_runs_out_in_one_process_halves_the_micro_batch_of_all(
    corpus: Corpus, cell: Callable[..., Cell], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gradients = Trainer.gradients

    def scarce(self: Trainer, step: int) -> torch.Tensor:
        if self.micro_batch > 1 and self.team.rank == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return gradients(self, step)

    monkeypatch.setattr(Trainer, "gradients", scarce)
    it = cell(**SMALL)
    got = together(2, it, corpus, RunPaths.of(tmp_path, it.run_id))
    assert [(one["status"], one["micro_batch"]) for one in got] == [("done", 1)] * 2


def test_a_lost_process_is_a_preemption_of_the_others(
    corpus: Corpus, cell: Callable[..., Cell], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = Pause.__call__

    def die(self: Pause) -> None:
        if self.trainer.state.step == 23 and self.trainer.team.rank == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        pause(self)

    monkeypatch.setattr(Pause, "__call__", die)
    it = cell(**SMALL)
    paths = RunPaths.of(tmp_path, it.run_id)
    got = together(2, it, corpus, paths, Placement(checkpoint_seconds=0.0))
    assert isinstance(got[0], Preempted)
    assert "run again to continue" in str(got[0])
    assert not paths.record.exists()
    monkeypatch.undo()
    assert run(it, corpus=corpus, paths=paths)["status"] == "done"


class Bomb:
    """An object whose pickle makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "damage"), [("*.distcp", "cut"), ("__1_0.distcp", "flip"), (".metadata", "bomb")]
)
def test_parts_that_are_damaged_are_set_aside_and_the_checkpoint_before_is_taken(
    corpus: Corpus,
    cell: Callable[..., Cell],
    tmp_path: Path,
    file: str,
    damage: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = cell(**SMALL)
    calm, moved = RunPaths.of(tmp_path / "calm", it.run_id), RunPaths.of(tmp_path / "moved", it.run_id)
    run(it, corpus=corpus, paths=calm)
    pause = Pause.__call__

    def leave(self: Pause) -> None:
        self.saved = 0.0 if self.trainer.state.step == 12 else math.inf
        self.request.signal = signal.SIGTERM if self.trainer.state.step == 23 else None
        pause(self)

    monkeypatch.setattr(Pause, "__call__", leave)
    together(2, it, corpus, moved, Placement(sharing="fsdp"))
    monkeypatch.undo()
    assert [path.name for path in moved.all_parts()] == ["parts-12", "parts-23"]
    for path in moved.checkpoint_parts(23).glob(file):
        raw = bytearray(path.read_bytes())
        raw[len(raw) // 2] ^= 1
        bomb = pickle.dumps(Bomb(tmp_path / "exploded"))
        path.write_bytes({"cut": raw[:100], "flip": raw, "bomb": bomb}[damage])
    if damage == "bomb":  # a checkpoint of an earlier version names no digests
        content = tensors.read(moved.checkpoint, it.run_id) | {"parts": True}
        tensors.save(content, moved.checkpoint, "it")
    got = together(2, it, corpus, moved, Placement(sharing="fsdp", loss_chunk=24))
    assert [one["status"] for one in got] == ["done"] * 2, got
    assert (moved.folder / "checkpoint.pt.damaged").exists()
    assert not (tmp_path / "exploded").exists()
    assert losses(moved) == pytest.approx(losses(calm), rel=1e-6)


def test_weights_that_cannot_be_cut(cell: Callable[..., Cell]) -> None:
    sharding.check(cell())
    with pytest.raises(ConfigError, match=r"recipe\.optimizer=muon works on whole matrices"):
        sharding.check(
            cell(recipe={"name": "fixed", "peak": 0.01, "batch_sequences": 4, "optimizer": "muon"})
        )
    with pytest.raises(ConfigError, match=r"device\.dtype=float16"):
        sharding.check(cell(device={"dtype": "float16"}))


def test_a_team_that_cannot_share_the_batch() -> None:
    with pytest.raises(ConfigError, match=r"^3 processes cannot share a batch of 4 sequences evenly"):
        Team(size=3).sequences(4)
    assert Team(size=2).sequences(4) == 2


@pytest.mark.slow
def test_torchrun_starts_one_run(tmp_path: Path) -> None:
    """As a person types it: two processes, one line, one record."""
    words = "family=llama family.size=0.5 budget.tokens=12800 context=16 recipe.batch_sequences=16"
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
        *("-m", "scaling.train", *words.split(), "evaluation.sequences=32"),
    ]
    done = subprocess.run(
        command,
        env={**os.environ, "SCALING_RESULTS": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.strip().splitlines()) == 1
    assert " done " in done.stdout
    (folder,) = (tmp_path / "runs").iterdir()
    assert record.read(RunPaths(folder=folder))["device"].endswith(" x 2")


def test_nobody_waits_where_there_is_no_team() -> None:
    with teams.joined() as team:
        assert team is teams.SOLO
        assert team.largest(3, 4) == [3, 4]
        assert team.share(lambda: 5) == 5
