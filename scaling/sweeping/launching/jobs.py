"""Jobs that submitit gave to a queue, waited for until every one has an outcome: one that was cancelled, or
killed for memory, or lost with its node, is a cell that died and not the end of the sweep.
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
"""Jobs that SLURM takes in one array where its configuration says nothing else."""
GONE = "gone from the queue"
ENDED = frozenset(
    (
        "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT",
        GONE,
    )
)  # fmt: skip
"""States of SLURM's that a job does not leave by itself."""


class Queue(SlurmInfoWatcher):
    """Asks `squeue`, which every SLURM answers. submitit asks `sacct`, and where no accounting is kept it
    waits for ever for a job that ended without a result.
    """

    def _make_command(self) -> list[str] | None:
        if not self._registered - self._finished:
            return None
        mine = f"--user={os.getuid()}"
        return ["squeue", "--noheader", "--array", "--states=all", "--format=%i|%T", mine]

    def read_info(self, string: bytes | str) -> dict[str, dict[str, str]]:
        """From the lines of `squeue`, which forgets a job some minutes after its end."""
        text = string.decode() if isinstance(string, bytes) else string
        listed = dict(line.strip().split("|", 1) for line in text.splitlines() if "|" in line)
        waiting = self._registered - self._finished
        return {job_id: {"JobID": job_id, "State": listed.get(job_id, GONE)} for job_id in waiting}

    def is_done(self, job_id: str, mode: str = "standard") -> bool:
        """Whether the job has ended for good."""
        return self.get_state(job_id, mode=mode) in ENDED


@contextmanager
def waited_for(sweep: str, cells: int) -> Iterator[None]:
    """While a launcher of submitit's is at work: gives the cells in arrays that SLURM takes, says what came
    of each job, and makes an outcome of one that left no result.
    """
    plain, watcher, submit = Job.results, SlurmJob.watcher, SlurmExecutor._internal_process_submissions
    done = 0

    def results(job: Any) -> list[Any]:
        nonlocal done
        if not done:
            print(
                f"submitted as {job.job_id.split('_')[0]}; this shell may leave: the jobs go on, and "
                f"`scaling status {sweep}` sees how far they are",
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
        # the launcher itself ends at the first job without a result, and cannot be told otherwise
        setattr(Job, "results", results)  # noqa: B010
        SlurmJob.watcher = Queue(delay_s=_ASK_SECONDS)
        setattr(SlurmExecutor, "_internal_process_submissions", in_arrays)  # noqa: B010
        yield
    finally:
        setattr(Job, "results", plain)  # noqa: B010
        SlurmJob.watcher = watcher
        setattr(SlurmExecutor, "_internal_process_submissions", submit)  # noqa: B010


def _largest_array() -> int:
    """`MaxArraySize` of this SLURM."""
    try:
        asked = subprocess.run(["scontrol", "show", "config"], capture_output=True, text=True, check=False)
    except OSError:
        return _ARRAY
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", asked.stdout, re.MULTILINE)
    return max(1, int(found.group(1))) if found else _ARRAY


def _reason(job: Any, error: Exception) -> str:
    """How a job ended that left no result, with the last line of its log, if it can be one about an error."""
    try:
        said = (job.stderr() or "").strip().splitlines()
    except OSError:
        said = []
    said = [line for line in said if "error" in line.lower()] or said or str(error).strip().splitlines()
    last = said[-1].strip()
    return f"job {job.job_id} ended without a result ({job.state}): {last[:200]}; its log: {job.paths.stderr}"
