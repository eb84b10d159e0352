"""Wait until every job that submitit queued has an outcome.

A job that was cancelled, killed for memory or lost with its node gives a cell that died; the sweep goes on.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from submitit.core.core import Job
from submitit.slurm.slurm import SlurmExecutor, SlurmInfoWatcher, SlurmJob

from scaling.sweeping.job_return import returned
from scaling.sweeping.slots.display import outcome_line

_ASK_SECONDS = 30
_ARRAY = 1001
"""Number of jobs in one SLURM array, by default."""
GONE = "gone from the queue"
ENDED = frozenset(
    (
        "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT",
        GONE,
    )
)  # fmt: skip
"""Final states of a SLURM job."""


class Queue(SlurmInfoWatcher):
    """A watcher that asks `squeue` for the states of jobs.

    submitit asks `sacct`. Without accounting, it waits forever for a job that ended without a result.
    """

    def _make_command(self) -> list[str] | None:
        if not self._registered - self._finished:
            return None
        mine = f"--user={os.getuid()}"
        return ["squeue", "--noheader", "--array", "--states=all", "--format=%i|%T", mine]

    def read_info(self, string: bytes | str) -> dict[str, dict[str, str]]:
        """Parse the lines of `squeue`, which lists a job until some minutes after its end."""
        text = string.decode() if isinstance(string, bytes) else string
        listed = dict(line.strip().split("|", 1) for line in text.splitlines() if "|" in line)
        waiting = self._registered - self._finished
        return {job_id: {"JobID": job_id, "State": listed.get(job_id, GONE)} for job_id in waiting}

    def is_done(self, job_id: str, mode: str = "standard") -> bool:
        """Return whether the job is in a final state."""
        return self.get_state(job_id, mode=mode) in ENDED


@contextmanager
def waited_for(status: str, cells: int) -> Iterator[None]:
    """Patch submitit while its launcher runs; `status` is the command that shows the cells.

    Cells are submitted in arrays of at most the size that SLURM allows, the outcome of each job is printed,
    and a job without a result gives the outcome `died`.
    """
    plain, watcher, submit = Job.results, SlurmJob.watcher, SlurmExecutor._internal_process_submissions
    done = 0

    def results(job: Any) -> list[Any]:
        nonlocal done
        if not done:
            print(
                f"submitted as {job.job_id.split('_')[0]}; this shell may be closed, the jobs go on; "
                f"`{status}` shows their state",
                file=sys.stderr,
                flush=True,
            )
        try:
            found = plain(job)
            outcome = found[0].return_value
        except Exception as error:
            outcome = {"run_id": None, "status": "died", "reason": _reason(job, error)}
            found = [returned([], outcome)]
        done += 1
        print(f"[{done}/{cells}] {outcome_line(outcome)}", file=sys.stderr, flush=True)
        return found

    def in_arrays(executor: Any, jobs: list[Any]) -> list[Any]:
        size = _largest_array() if len(jobs) > 1 else 1
        return [one for i in range(0, len(jobs), size) for one in submit(executor, jobs[i : i + size])]

    try:
        # the launcher stops at the first job without a result, and has no option against it
        setattr(Job, "results", results)  # noqa: B010
        SlurmJob.watcher = Queue(delay_s=_ASK_SECONDS)
        setattr(SlurmExecutor, "_internal_process_submissions", in_arrays)  # noqa: B010
        yield
    finally:
        setattr(Job, "results", plain)  # noqa: B010
        SlurmJob.watcher = watcher
        setattr(SlurmExecutor, "_internal_process_submissions", submit)  # noqa: B010


def _largest_array() -> int:
    """Return `MaxArraySize` of this SLURM."""
    try:
        asked = subprocess.run(["scontrol", "show", "config"], capture_output=True, text=True, check=False)
    except OSError:
        return _ARRAY
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", asked.stdout, re.MULTILINE)
    return max(1, int(found.group(1))) if found else _ARRAY


def _reason(job: Any, error: Exception) -> str:
    """Return how a job without a result ended, with the last line of its log on an error."""
    try:
        lines = (job.stderr() or "").strip().splitlines()
    except OSError:
        lines = []
    lines = [line for line in lines if "error" in line.lower()] or lines or str(error).strip().splitlines()
    last = lines[-1].strip()
    return f"job {job.job_id} ended without a result ({job.state}): {last[:200]}; its log: {job.paths.stderr}"
