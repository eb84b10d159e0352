"""The same cells on a real SLURM: one node on this machine, array jobs through submitit."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from scaling.training import RunPaths, record
from tests.sweeping import slurm

Bench = Any  # the class in conftest.py
pytestmark = [
    pytest.mark.slow,
    pytest.mark.slurm,
    pytest.mark.skipif(bool(slurm.missing()), reason=str(slurm.missing())),
]
LAUNCHER = (
    "hydra/launcher=submitit_slurm",
    "hydra.launcher.partition=main",
    "hydra.launcher.cpus_per_task=1",
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with slurm.cluster(tmp_path_factory.mktemp("slurm") / "cluster") as environment:
        yield environment


def queue(environment: dict[str, str]) -> list[str]:
    said = subprocess.run(
        ["squeue", "--noheader", "--array", "--format=%i %T"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return said.stdout.split("\n")[:-1]


def test_slurm_gives_the_same_bits(bench: Bench, cluster: dict[str, str]) -> None:
    found = bench.run(*LAUNCHER, "results=slurm", environment=cluster)
    assert found["trained"] == 4
    assert bench.losses("slurm") == bench.losses()


def test_a_cell_of_two_processes_in_one_job_of_two_cores(bench: Bench, cluster: dict[str, str]) -> None:
    one = ("results=slurm2", "sweep.budgets=[2e8]", "sweep.sizes=[0.5]", "device.processes=2")
    found = bench.run(*LAUNCHER[:2], *one, environment=cluster)
    assert found["trained"] == 1
    ((run_id, loss),) = bench.losses("slurm2").items()
    assert loss == pytest.approx(bench.losses()[run_id], rel=1e-4)
    assert record.read(RunPaths.of(bench.folder / "slurm2", run_id))["device"].endswith(" x 2")
    asked = next((bench.folder / "slurm2").glob("tiny/.submitit/*/*.sh")).read_text()
    assert "--cpus-per-task=2" in asked


LONG = ("sweep.budgets=[4e9]", "sweep.sizes=[0.5]")


@pytest.fixture(scope="module")
def undisturbed(bench: Bench) -> dict[str, float]:
    bench.run("results=undisturbed", *LONG)
    return bench.losses("undisturbed")


def at_work(bench: Bench, cluster: dict[str, str], results: str, *more: str) -> tuple[Any, str]:
    """The command at the login shell and its job, once it trains."""
    process = bench.start(
        "run", "tiny", "--json", *LAUNCHER, f"results={results}", *LONG, *more, environment=cluster
    )
    deadline = time.monotonic() + 240
    while not list((bench.folder / results).glob("runs/*/progress.json")):
        assert time.monotonic() < deadline, process.poll()
        time.sleep(0.1)
    return process, next(one.split()[0] for one in queue(cluster) if one.endswith("RUNNING"))


def test_warned_before_its_time_is_up_it_goes_back_into_the_queue_by_itself(
    bench: Bench, cluster: dict[str, str], undisturbed: dict[str, float]
) -> None:
    """SLURM's warning in the middle of a run; the login shell is gone; the queue finishes the sweep. submitit
    takes jobs as short as this one for ones that met their time limit.
    """
    results = bench.folder / "warned"
    process, job = at_work(bench, cluster, "warned", "hydra.launcher.timeout_min=9")
    process.kill()  # nobody waits at the login shell any more
    process.communicate()
    subprocess.run(["scancel", "--signal=USR2", job], env=cluster, check=True)
    (run,) = results.glob("runs/*")
    deadline = time.monotonic() + 240
    while not (run / "record.json").exists():
        assert time.monotonic() < deadline, queue(cluster)
        time.sleep(0.5)
    logs = "".join(path.read_text() for path in results.glob("tiny/.submitit/**/*.out"))
    logs += "".join(path.read_text() for path in results.glob("tiny/.submitit/**/*.err"))
    assert "this job is timed-out" in logs
    assert "Requeued job" in logs
    status = json.loads(bench.call("status", "tiny", "--json", "--results=warned")[0])
    assert status["counts"] == {"done": 1}
    assert bench.run("results=warned", *LONG)["trained"] == 0
    assert bench.losses("warned") == undisturbed


def test_requeued_by_slurm_itself_it_goes_on_and_the_login_shell_waits(
    bench: Bench, cluster: dict[str, str], undisturbed: dict[str, float]
) -> None:
    """`scontrol requeue`, which is what a preemption does: SIGTERM, and a start from the checkpoint."""
    process, job = at_work(bench, cluster, "requeued")
    subprocess.run(["scontrol", "requeue", job], env=cluster, check=True)
    out, said = process.communicate(timeout=240)
    assert process.returncode == 0, said
    assert json.loads(out)["trained"] == 1
    assert bench.losses("requeued") == undisturbed


def test_a_job_without_a_result_is_a_cell_that_died_and_the_others_go_on(
    bench: Bench, cluster: dict[str, str], undisturbed: dict[str, float]
) -> None:
    """No accounting is kept here, so that `sacct` never says what became of a job."""
    process, job = at_work(bench, cluster, "cancelled", "seed=0,1")
    subprocess.run(["scancel", job], env=cluster, check=True)
    out, said = process.communicate(timeout=240)
    assert process.returncode == 3, said
    found = json.loads(out)
    assert sorted(found["statuses"].values()) == ["died", "done"]
    (reason,) = found["reasons"].values()
    assert f"job {job} ended without a result (CANCELLED)" in reason
    assert bench.run("results=cancelled", *LONG)["failed"] == []
    assert bench.losses("cancelled") == undisturbed


def test_a_slurm_that_rejects_the_job_is_quoted(bench: Bench, cluster: dict[str, str]) -> None:
    arguments = ("run", "tiny", *LAUNCHER, "hydra.launcher.partition=nosuch", "results=rejected")
    _, said = bench.call(*arguments, code=2, environment=cluster)
    assert "invalid partition" in said.lower()
    assert "could not start the cells" in said
