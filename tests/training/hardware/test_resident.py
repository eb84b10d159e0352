"""Text on the device gives the batches of text on disk, and energy is what the device counts."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from scaling.corpora import Corpus
from scaling.training import Cell, RunPaths, objectives
from scaling.training.hardware.energy import Meter
from scaling.training.hardware.team import SOLO
from scaling.training.lifecycle.finish import energy
from scaling.training.lifecycle.run import Placement, run
from scaling.training.loop import State
from scaling.training.objectives.language import resident
from scaling.training.objectives.task import counted, how_many

CPU = torch.device("cpu")


def test_resident_text_gives_the_same_batches(cell: Callable[..., Cell], corpus: Corpus) -> None:
    """Over the end of an epoch too."""
    it = cell(corpus={"unique_tokens": 160})
    disk = objectives.make(it, corpus)
    assert resident(disk, CPU, None) is disk, "a CPU reads from the disk's cache"
    device = resident(disk, CPU, True)
    for step in range(6):
        one, other = disk.training(step), device.training(step)
        assert all(torch.equal(one[name], other[name]) for name in one)
        assert how_many(device, other) == int(counted(one["targets"]).sum())


def test_a_run_on_resident_text_ends_at_the_same_bits(
    cell: Callable[..., Cell], corpus: Corpus, tmp_path: Path
) -> None:
    it = cell()
    found = [
        run(
            it,
            corpus=corpus,
            paths=RunPaths.of(tmp_path / str(on), it.run_id),
            placement=Placement(resident=on),
        )
        for on in (False, True)
    ]
    assert found[0]["loss"] == found[1]["loss"]


@pytest.mark.parametrize("processes", [1, 2])
def test_energy_is_counted_by_the_device_where_it_is_ours_alone(
    monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    count = iter([5_000_000, 5_400_000, 9_000_000, 11_000_000])  # millijoules since the driver was loaded
    nvml = types.SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=lambda uuid: uuid,
        nvmlDeviceGetTotalEnergyConsumption=lambda handle: next(count),
        nvmlDeviceGetComputeRunningProcesses=lambda handle: [None] * processes,
    )
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: types.SimpleNamespace(uuid="1-2"))
    meter, state = Meter(torch.device("cuda:0")), State()
    for _ in range(2):
        state.spend(meter.read())
    told = energy(state, Placement(watts=400), seconds=36.0, team=SOLO)
    if processes == 1:
        assert told == {"kwh": pytest.approx(4000 / 3.6e6), "kwh_by": "nvml"}
    else:
        assert told == {"kwh": pytest.approx(400 * 36 / 3.6e6), "kwh_by": "watts"}
    assert Meter(CPU).read() is None
    assert energy(State(), Placement(), seconds=1.0, team=SOLO) == {"kwh": None, "kwh_by": None}
