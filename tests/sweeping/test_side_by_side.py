"""Cells side by side in a slot, through `scaling run`: each has its own outcome."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest

from scaling.training import RunPaths

Bench = Any  # the class in conftest.py
PACKED = ("device.pack=2", "hydra.launcher.slots=1")


@pytest.mark.slow
def test_one_member_that_fails_leaves_the_others_and_is_done_again(bench: Bench) -> None:
    """A file lies where its folder should, so that it can be neither claimed nor written."""
    results = bench.folder / "packed"
    broken = RunPaths.of(results, next(iter(bench.losses()))).folder
    broken.parent.mkdir(parents=True)
    broken.write_text("in the way")
    out, said = bench.call("run", "tiny", "--json", f"results={results}", *PACKED, code=3)
    assert "4 cells in 2 packs of one shape, or alone" in said
    found = json.loads(out)
    assert sorted(found["statuses"].values()) == ["done", "done", "done", "failed"]
    assert set(found["reasons"]) == {broken.name}
    broken.unlink()
    assert bench.run(f"results={results}", *PACKED)["trained"] == 1
    assert bench.losses("packed") == bench.losses()
    assert not list(results.glob("runs/*/claim.json"))
    status = json.loads(bench.call("status", "tiny", "--json", f"--results={results}")[0])
    assert status["counts"] == {"done": 4}


@pytest.mark.slow
def test_a_pack_killed_outright_goes_on(bench: Bench) -> None:
    results = bench.folder / "packed-killed"
    arguments = (
        "run",
        "tiny",
        "--json",
        f"results={results}",
        "checkpoint.every_seconds=0.2",
        "sweep.sizes=[0.5]",
        *PACKED,
    )
    process = bench.start(*arguments)
    assert bench.until(lambda: len(list(results.glob("runs/*/checkpoint.pt"))) == 2, process)
    victims = set(bench.holders(results))
    assert len(victims) == 1, "one process holds both claims"
    os.kill(victims.pop(), signal.SIGKILL)
    out, said = process.communicate(timeout=240)
    found = json.loads(out)
    assert process.returncode == 3, said
    assert sorted(found["statuses"].values()) == ["died", "died"]
    assert all("SIGKILL" in reason for reason in found["reasons"].values())
    assert json.loads(bench.call(*arguments)[0])["trained"] == 2
    losses = bench.losses("packed-killed")
    assert losses == {run_id: bench.losses()[run_id] for run_id in losses}


@pytest.mark.slow
def test_ctrl_c_leaves_a_checkpoint_of_every_member(bench: Bench) -> None:
    results = bench.folder / "packed-stopped"
    process = bench.start("run", "tiny", f"results={results}", *PACKED)
    assert bench.until(lambda: len(list(results.glob("runs/*/progress.json"))) == 2, process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=240)
    assert process.returncode == 130, said
    assert len(list(results.glob("runs/*/checkpoint.pt"))) == 2
    assert not list(results.glob("runs/*/claim.json"))


def test_a_launcher_that_cannot_pack_says_so(bench: Bench) -> None:
    _, said = bench.call("run", "tiny", "results=no", "device.pack=2", "hydra/launcher=joblib", code=2)
    assert "use hydra/launcher=slots" in said
