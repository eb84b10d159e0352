"""`scaling run` as a person meets it: continued, killed, shared, moved, edited. Losses are compared to the
last bit.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

Bench = Any  # the class in conftest.py


def test_all_cells_have_records_and_a_ledger(bench: Bench) -> None:
    assert bench.first["trained"] == 4
    assert set(bench.first["statuses"].values()) == {"done"}
    assert len(bench.losses()) == 4
    assert not list(bench.folder.glob("results/runs/*/claim.json"))
    litter = {"outputs", "multirun", ".hydra", "tiny"} & {path.name for path in bench.folder.iterdir()}
    assert not litter, "Hydra left litter"


@pytest.mark.slow
def test_one_slot_and_two_give_the_same_bits(bench: Bench) -> None:
    assert bench.run("hydra.launcher.slots=1", "results=one")["trained"] == 4
    assert bench.losses("one") == bench.losses()


@pytest.mark.slow
def test_joblib_gives_the_same_bits(bench: Bench) -> None:
    found = bench.run("hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "results=joblib")
    assert found["trained"] == 4
    assert bench.losses("joblib") == bench.losses()


@pytest.mark.slow
def test_a_joblib_that_lost_a_worker_does_not_end_the_sweep(bench: Bench) -> None:
    results = bench.folder / "broken"
    joblib = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    process = bench.start("run", "tiny", "--json", "results=broken", *joblib)
    assert bench.until(lambda: bool(bench.holders(results)), process)
    os.kill(bench.holders(results)[0], signal.SIGKILL)
    out, said = process.communicate(timeout=240)
    assert process.returncode == 3, said
    found = json.loads(out)
    assert set(found["statuses"].values()) == {"died", "done"}
    assert all("SIGKILL" in reason for reason in found["reasons"].values())
    bench.run("results=broken")
    assert bench.losses("broken") == bench.losses()


def test_again_trains_nothing_even_where_the_folder_was_moved(bench: Bench) -> None:
    shutil.copytree(bench.folder / "results", bench.folder / "moved" / "far")
    _, said = bench.call("run", "tiny", "results=moved/far")
    assert "nothing to train" in said


@pytest.mark.slow
def test_a_truncated_record_is_done_again(bench: Bench) -> None:
    shutil.copytree(bench.folder / "results", bench.folder / "torn")
    record = next(bench.folder.glob("torn/runs/*/record.json"))
    record.write_bytes(record.read_bytes()[:200])
    (bench.folder / "torn" / "tiny" / "ledger.parquet").unlink()
    assert bench.run("results=torn")["trained"] == 1
    assert bench.losses("torn") == bench.losses()
    assert (record.parent / "record.json.damaged").exists()


@pytest.mark.slow
def test_an_edited_sweep_says_what_is_new_and_what_is_orphaned(bench: Bench) -> None:
    shutil.copytree(bench.folder / "results", bench.folder / "edited")
    change = ("results=edited", "sweep.budgets=[2e8]", "sweep.sizes=[0.25,0.75]")
    foreseen = json.loads(bench.call("plan", "tiny", "--json", *change)[0])
    assert len(foreseen["new"]) == 1
    assert len(foreseen["orphans"]) == 3
    _, said = bench.call("run", "tiny", *change)
    assert f"1 new cell ({foreseen['new'][0]}); 3 orphans ({', '.join(foreseen['orphans'])})" in said
    assert set(bench.losses("edited")) == {*foreseen["new"], *bench.losses()} - set(foreseen["orphans"])


@pytest.mark.slow
def test_killed_outright_and_continued_to_the_same_bits(bench: Bench) -> None:
    """SIGKILL to the parent and its workers, several times, at whatever moment it is."""
    results = bench.folder / "killed"
    arguments = ("run", "tiny", "--json", "results=killed", "checkpoint.every_seconds=0.05")
    for wait in (0.0, 0.15):
        process = bench.start(*arguments)
        if bench.until(lambda: bool(list(results.glob("runs/*/checkpoint.pt"))), process):
            time.sleep(wait)
            for victim in (process.pid, *bench.holders(results)):
                os.kill(victim, signal.SIGKILL)
        process.communicate()
    out, _ = bench.call(*arguments)
    assert bench.losses("killed") == bench.losses()
    assert set(json.loads(out)["statuses"].values()) == {"done"}


@pytest.mark.slow
def test_a_worker_that_dies_is_named_and_the_sweep_goes_on(bench: Bench) -> None:
    results = bench.folder / "died"
    process = bench.start(
        "run", "tiny", "--json", "results=died", "hydra.launcher.slots=1", "sweep.budgets=[4e8]"
    )
    assert bench.until(lambda: bool(bench.holders(results)), process)
    victim = bench.holders(results)[0]
    assert victim != process.pid
    os.kill(victim, signal.SIGKILL)
    out, err = process.communicate(timeout=240)
    found = json.loads(out)
    assert process.returncode == 3, err
    assert sorted(found["statuses"].values()) == ["died", "done"]
    assert "SIGKILL" in next(iter(found["reasons"].values()))
    assert bench.run("results=died", "sweep.budgets=[4e8]")["trained"] == 1


@pytest.mark.slow
def test_ctrl_c_leaves_a_checkpoint_and_the_next_call_continues(bench: Bench) -> None:
    results = bench.folder / "stopped"
    process = bench.start("run", "tiny", "results=stopped", "hydra.launcher.slots=1")
    assert bench.until(lambda: bool(bench.holders(results)), process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=240)
    assert process.returncode == 130, said
    assert "the same command continues" in said
    assert "interrupted by Ctrl-C: " in said
    assert "preempted" not in said
    assert said.endswith("continue with: scaling run tiny results=stopped hydra.launcher.slots=1\n")
    counts = json.loads(bench.call("status", "tiny", "--json", "--results=stopped")[0])["counts"]
    assert not counts.keys() & {"preempted", "died", "running"}
    assert not [pid for pid in bench.holders(results) if Path(f"/proc/{pid}").exists()]
    bench.run("results=stopped")
    assert bench.losses("stopped") == bench.losses()


@pytest.mark.slow
def test_two_at_once_share_the_work(bench: Bench) -> None:
    both = [
        bench.start("run", "tiny", "--json", "results=shared", "hydra.launcher.slots=1") for _ in range(2)
    ]
    found = [json.loads(process.communicate(timeout=240)[0]) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum(one["trained"] for one in found) == 4
    assert all(set(one["statuses"].values()) == {"done"} for one in found)
    assert bench.losses("shared") == bench.losses()


@pytest.mark.slow
def test_a_diverged_run_is_a_finding_until_it_is_tried_again(bench: Bench) -> None:
    overrides = ("results=diverged", "sweep.budgets=[2e8]", "recipe.learning_rate=1e5", "recipe.clip=none")
    found = bench.run(*overrides)
    assert set(found["statuses"].values()) == {"diverged"}
    assert all("step" in reason for reason in found["reasons"].values())
    assert bench.run(*overrides)["trained"] == 0
    assert bench.run(*overrides, "--retry", "diverged")["trained"] == 2
    assert len(list(bench.folder.glob("diverged/runs/*/record.diverged.json"))) == 2
    rescue = "sweep.rescue={factor:1e-6,times:1}"
    _, said = bench.call("run", "tiny", *overrides, rescue)
    assert said.count("diverged at a learning rate of 100000; run again at 0.1 as") == 2
    status = json.loads(bench.call("status", "tiny", "--json", "--results=diverged")[0])
    assert status["counts"] == {"diverged": 2, "done": 2}
    assert {cell["rescues"] for cell in status["cells"] if cell["state"] == "done"} == set(found["statuses"])
    assert bench.run(*overrides, rescue)["trained"] == 0
    _, said = bench.call("run", "tiny", *overrides, "--retry", "divergd", code=2)
    assert "did you mean 'diverged'" in said


def test_a_device_that_is_not_there(bench: Bench) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    _, said = bench.call("run", "tiny", "device=cuda", "results=nogpu", code=2)
    assert "needs a GPU" in said


def test_a_results_folder_that_cannot_be_written(bench: Bench) -> None:
    (bench.folder / "file").write_text("not a folder")
    _, said = bench.call("run", "tiny", "results=file/results", code=2)
    assert said.count("\n") == 1
    assert "cannot be written" in said
    (bench.folder / "file").unlink()


def test_status_tells_where_it_stands(bench: Bench) -> None:
    found = json.loads(bench.call("status", "tiny", "--json")[0])
    assert found["counts"] == {"done": 4}
    assert [one["budget_flops"] for one in found["best"]] == [2e8, 4e8]
    assert found["best"][0]["loss"] == min(
        cell["loss"] for cell in found["cells"] if cell["budget_flops"] == 2e8
    )
    assert "4 done" in bench.call("status")[0]


@pytest.mark.slow
def test_diff_names_the_field_that_makes_a_cell_new(bench: Bench) -> None:
    found = json.loads(bench.call("status", "tiny", "--diff", "--json", "recipe.weight_decay=0.2")[0])
    assert len(found["changed"]) == 4
    for pair in found["changed"]:
        assert pair["fields"]["weight_decay"] == [0.1, 0.2]
        assert set(pair["fields"]) == {"recipe.weight_decay", "weight_decay"}
    assert "nothing differs" in bench.call("status", "tiny", "--diff")[0]
