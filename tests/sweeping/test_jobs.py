"""Jobs of a queue, without one: what `squeue` says of them, and how many make an array."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("submitit", reason="submitit is not installed (pip install 'scaling[slurm]')")
from submitit.slurm.slurm import SlurmExecutor

from scaling.sweeping.launching import jobs


def test_more_cells_than_an_array_holds_are_several_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays: list[list[int]] = []

    def submit(executor: Any, asked: list[int]) -> list[int]:
        del executor
        arrays.append(asked)
        return asked

    monkeypatch.setattr(SlurmExecutor, "_internal_process_submissions", submit)
    monkeypatch.setattr(jobs, "_largest_array", lambda: 3)
    executor = object.__new__(SlurmExecutor)
    with jobs.waited_for("tiny", 7):
        given = executor._internal_process_submissions(list(range(7)))  # type: ignore[arg-type]
    assert given == list(range(7))
    assert arrays == [[0, 1, 2], [3, 4, 5], [6]]
    assert SlurmExecutor._internal_process_submissions is submit, "put back"


def test_a_job_has_ended_when_the_queue_says_so_or_has_forgotten_it() -> None:
    queue = jobs.Queue()
    for job in ("7_0", "7_1", "7_2", "9"):
        queue.register_job(job)
    queue._info_dict = queue.read_info(b"7_0|RUNNING\n7_1|OUT_OF_MEMORY\n9|PENDING\n")
    states = {job: queue.get_state(job, mode="cache") for job in ("7_0", "7_1", "7_2", "9")}
    assert states == {"7_0": "RUNNING", "7_1": "OUT_OF_MEMORY", "7_2": jobs.GONE, "9": "PENDING"}
    assert [job for job in states if queue.is_done(job, mode="cache")] == ["7_1", "7_2"]
