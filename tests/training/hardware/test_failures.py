"""What machines say when they fail, in their own words, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.distributed as dist

from scaling.corpora import Corpus
from scaling.errors import DeviceLost, Preempted
from scaling.training import Cell, RunPaths
from scaling.training.hardware import failures
from scaling.training.lifecycle import run as running
from scaling.training.lifecycle.run import run

NCCL_TIMEOUT = (
    "[Rank 3] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=512, OpType=ALLREDUCE, "
    "NumelIn=1048576, NumelOut=1048576, Timeout(ms)=600000) ran for 600042 milliseconds before timing out."
)


@pytest.mark.parametrize(
    "words",
    [
        "CUDA error: uncorrectable ECC error encountered\nCUDA kernel errors might be reported later",
        "CUDA error: the launch timed out and was terminated",
        "CUDA error: CUDA-capable device(s) is/are busy or unavailable",
        "CUDA error: uncorrectable NVLink error detected during the execution",
        "NVML_ERROR_GPU_IS_LOST: GPU is lost",
    ],
)
def test_a_device_that_fails_is_left_and_the_run_goes_on_elsewhere(words: str) -> None:
    away = failures.lost(RuntimeError(words))
    assert isinstance(away, DeviceLost)
    assert away.status == "preempted"
    assert "continue from the last checkpoint" in str(away)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (dist.DistBackendError(NCCL_TIMEOUT), "did not answer in time"),
        (
            RuntimeError(
                "NCCL error in: ProcessGroupNCCL.cpp:2418, remote process exited or there was a network error"
            ),
            "has ended",
        ),
        (
            RuntimeError("[gloo/transport/tcp/pair.cc:553] Connection closed by peer [127.0.0.1]:4242"),
            "has ended",
        ),
        (
            RuntimeError("[gloo/transport/tcp/unbound_buffer.cc:81] Timed out waiting 1800000ms for recv"),
            "did not answer in time",
        ),
    ],
)
def test_a_process_that_is_gone_or_silent(error: Exception, said: str) -> None:
    away = failures.lost(error, processes=4)
    assert isinstance(away, Preempted)
    assert said in str(away)
    assert failures.lost(error) is None, "alone there is nobody to lose"


@pytest.mark.parametrize(
    "words",
    [
        "CUDA error: an illegal memory access was encountered",
        "CUDA error: device-side assert triggered",
        "mat1 and mat2 shapes cannot be multiplied (4x16 and 8x16)",
    ],
)
def test_a_wrong_program_is_a_crash(words: str) -> None:
    assert failures.lost(RuntimeError(words), processes=2) is None


def test_memory() -> None:
    assert failures.out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."))
    assert failures.out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"))
    assert not failures.out_of_memory(RuntimeError("CUDA error: uncorrectable ECC error encountered"))


def test_a_run_on_a_lost_device_leaves_no_record(
    corpus: Corpus,
    cell: Callable[..., Cell],
    paths: Callable[[Cell], RunPaths],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lost(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA error: uncorrectable ECC error encountered")

    it = cell()
    monkeypatch.setattr(running, "train", lost)
    with pytest.raises(DeviceLost, match="uncorrectable ECC error"):
        run(it, corpus=corpus, paths=paths(it))
    assert not paths(it).record.exists()
    monkeypatch.undo()
    assert run(it, corpus=corpus, paths=paths(it))["status"] == "done"
