"""What fails while a run is concluded costs what it would have given, and not the loss."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from scaling.corpora import Corpus
from scaling.sweeping import cleanup
from scaling.training import Cell, RunPaths, record, tensors
from scaling.training.checkpoints import checkpoint
from scaling.training.hardware.energy import Meter
from scaling.training.lifecycle import finish, provenance
from scaling.training.lifecycle.interrupts import Pause
from scaling.training.lifecycle.run import Placement, run
from scaling.training.loop import State, Trainer
from scaling.training.objectives.language import Causal

EXTRAS = {
    "the provenance": (provenance, "columns", {"git_commit": None, "host": "unknown"}),
    "the name of the device": (provenance, "device", {"device": "unknown"}),
    "the energy": (finish, "energy", {"kwh": None, "kwh_by": None}),
    "the price": (finish, "price", {"price": None}),
    "the curve": (finish, "write_curve", {}),
    "the loss by position": (finish, "write_positions", {}),
    "the weights": (checkpoint, "save_weights", {}),
    "the measures": (Causal, "measures", {"accuracy": None}),
    "further measures": (Causal, "after", {}),
}


@pytest.mark.parametrize("what", EXTRAS)
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "no space"), RuntimeError("broken"), KeyError("it")])
def test_the_record_has_the_loss_and_the_rest(
    corpus: Corpus,
    cell: Callable[..., Cell],
    tmp_path: Path,
    what: str,
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise error

    it, placement = cell(), Placement(price_per_hour=1.0, watts=10.0)
    calm, wild = RunPaths.of(tmp_path / "calm", it.run_id), RunPaths.of(tmp_path / "wild", it.run_id)
    whole = run(it, corpus=corpus, paths=calm, placement=placement)
    place, name, lost = EXTRAS[what]
    monkeypatch.setattr(place, name, fails)
    got = run(it, corpus=corpus, paths=wild, placement=placement)
    assert got == record.read(wild)
    assert {key: got[key] for key in lost} == lost
    changed = {*lost, "started", "ended", "seconds", "tokens_per_second", "price", "kwh", "config"}
    if what == "the provenance":
        changed |= {"git_dirty", "versions"}
    assert {key for key in whole if whole[key] != got[key]} <= changed
    said = capfd.readouterr().err.strip().splitlines()
    assert all(line.startswith(f"scaling: {what}: {type(error).__name__}: ") for line in said), said
    assert 1 <= len(said) <= 2


def test_a_disk_that_fills_with_the_weights_keeps_the_loss(
    corpus: Corpus,
    cell: Callable[..., Cell],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    it = cell()
    calm, wild = RunPaths.of(tmp_path / "calm", it.run_id), RunPaths.of(tmp_path / "wild", it.run_id)
    run(it, corpus=corpus, paths=calm)
    real = os.fsync

    def full(handle: int) -> None:
        if ".weights." in os.readlink(f"/proc/self/fd/{handle}"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    got = run(it, corpus=corpus, paths=wild)
    assert got["loss"] == record.read(calm)["loss"]
    assert not list(wild.folder.glob("*weights*"))
    assert wild.curve.read_text() == calm.curve.read_text()
    assert "the disk is full" in capfd.readouterr().err


def test_measures_that_are_no_numbers_are_left_out(
    corpus: Corpus, cell: Callable[..., Cell], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Causal, "measures", lambda *_: {"accuracy": float("nan"), "f1": float("inf")})
    it = cell()
    got = run(it, corpus=corpus, paths=RunPaths.of(tmp_path, it.run_id))
    assert (got["status"], got["accuracy"], got["f1"]) == ("done", None, None)


def test_part_of_an_energy_is_no_energy() -> None:
    meter, state = Meter(torch.device("cpu")), State(joules=5.0)
    meter.handle = object()  # no such handle, as after the driver's restart
    state.spend(meter.read())
    assert finish.energy(state, Placement(), 1.0, finish.SOLO) == {"kwh": None, "kwh_by": None}


@pytest.mark.parametrize("status", ["failed", "out_of_memory"])
def test_a_run_that_failed_goes_on_from_its_checkpoint(
    corpus: Corpus, cell: Callable[..., Cell], tmp_path: Path, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = cell(device={"dtype": "float32"})
    calm, wild = RunPaths.of(tmp_path / "calm", it.run_id), RunPaths.of(tmp_path / "wild", it.run_id)
    run(it, corpus=corpus, paths=calm)
    pause, gradients = Pause.__call__, Trainer.gradients
    error = RuntimeError("crash") if status == "failed" else MemoryError()

    def crash(self: Trainer, step: int) -> torch.Tensor:
        if step == 23:
            raise error
        return gradients(self, step)

    monkeypatch.setattr(Trainer, "gradients", crash)
    placement = Placement(checkpoint_seconds=0.0, micro_batch=4)
    assert run(it, corpus=corpus, paths=wild, placement=placement)["status"] == status
    assert tensors.read(wild.checkpoint, it.run_id)["state"]["step"] == 23
    assert cleanup.rubbish(tmp_path / "wild") == []
    # what `scaling run --retry` does
    os.replace(wild.record, wild.record.with_name(f"record.{status}.json"))
    monkeypatch.undo()
    steps: list[int] = []

    def count(self: Trainer, step: int) -> torch.Tensor:
        steps.append(step)
        return gradients(self, step)

    monkeypatch.setattr(Trainer, "gradients", count)
    monkeypatch.setattr(Pause, "__call__", pause)
    got = run(it, corpus=corpus, paths=wild, placement=placement)
    assert steps == list(range(23, 40))
    whole = record.read(calm)
    assert {key: got[key] for key in ("status", "loss", "loss_se", "loss_train")} == {
        key: whole[key] for key in ("status", "loss", "loss_se", "loss_train")
    }
    assert wild.curve.read_text() == calm.curve.read_text()
    assert not wild.checkpoint.exists()
