"""Cells of several processes through `scaling run`, and the seats that they get."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from scaling.errors import LaunchError
from scaling.sweeping.slots import seats
from scaling.training import RunPaths, record
from scaling.training.lifecycle import interrupts

Bench = Any  # the class in conftest.py


@pytest.mark.slow
def test_a_cell_in_two_processes_through_a_slot(bench: Bench) -> None:
    one = ("results=two", "hydra.launcher.slots=1", "sweep.budgets=[2e8]", "sweep.sizes=[0.5]")
    found = bench.run(*one, "device.processes=2")
    assert found["trained"] == 1
    ((run_id, loss),) = bench.losses("two").items()
    assert loss == pytest.approx(bench.losses()[run_id], rel=1e-4)
    assert record.read(RunPaths.of(bench.folder / "two", run_id))["device"].endswith(" x 2")
    assert bench.run(*one)["trained"] == 0, "the same run, in however many processes"


def test_two_signals_at_once_are_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 0.0
    monkeypatch.setattr(interrupts.time, "monotonic", lambda: moment)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite started in the background ignores it
    with interrupts.signals() as request:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
        assert request.signal == signal.SIGINT
        moment = 2.0
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def shown(folder: Path, *gpus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An nvidia-smi that names these."""
    tool = folder / "nvidia-smi"
    lines = "\n".join(f"{i}, {name}" for i, name in enumerate(gpus))
    tool.write_text(f"#!/bin/sh\ncat <<END\n{lines}\nEND\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_a_slot_holds_a_gpu_for_every_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown(tmp_path, "H100", "H100", "H100", monkeypatch=monkeypatch)
    alone = seats.seats(device="cuda", slots=None, per_gpu=1)
    assert [seat.gpu for seat in alone] == ["0", "1", "2"]
    pairs = seats.seats(device="cuda", slots=None, per_gpu=2, processes=2)
    assert [seat.gpu for seat in pairs] == ["0,1", "0,1"]
    with pytest.raises(LaunchError, match="set it to at most that number"):
        seats.seats(device="cuda", slots=None, per_gpu=1, processes=4)


def test_gpus_of_several_types_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown(tmp_path, "H100", "L4", "H100", monkeypatch=monkeypatch)
    with pytest.raises(LaunchError, match=r"several types \(H100, L4\).*CUDA_VISIBLE_DEVICES=0,2"):
        seats.seats(device="cuda", slots=None, per_gpu=1)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,2")
    assert len(seats.seats(device="cuda", slots=None, per_gpu=1)) == 2
