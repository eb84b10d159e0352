"""Who sits where: a core a slot, a GPU a slot, or a share of one; and how many threads a cell may start."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from omegaconf import OmegaConf

from scaling.errors import ConfigError, LaunchError
from scaling.sweeping.launching import batch
from scaling.sweeping.slots.seats import THREAD_LIMITS, available_cores, seats


def test_a_core_a_slot_with_one_thread() -> None:
    places = seats(device="cpu", slots=None, per_gpu=1)
    assert {len(place.cores) for place in places} == {1}
    assert len({place.cores for place in places}) == len(places) <= len(available_cores())
    assert all(place.environment()[name] == "1" for place in places for name in THREAD_LIMITS)


@pytest.mark.parametrize("share", [1, 2, 3])
def test_several_slots_to_a_gpu(share: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    places = seats(device="cuda", slots=None, per_gpu=share)
    assert Counter(place.environment()["CUDA_VISIBLE_DEVICES"] for place in places) == {
        "4": share,
        "7": share,
    }
    # fewer slots than shares spread over the cards first
    assert {place.gpu for place in seats(device="cuda", slots=2, per_gpu=share)} == {"4", "7"}
    with pytest.raises(
        ConfigError, match=rf"slots is {2 * share + 1}, but 2 GPU\(s\) with .* have {2 * share} seats"
    ):
        seats(device="cuda", slots=2 * share + 1, per_gpu=share)


def test_a_gpu_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(LaunchError, match=r"needs a GPU.*use device=cpu"):
        seats(device="cuda", slots=None, per_gpu=1)


@pytest.mark.parametrize(
    ("around", "threads"),
    [
        ({}, "1"),
        ({"OMP_NUM_THREADS": "3"}, "3"),
        ({"SLURM_JOB_ID": "7", "OMP_NUM_THREADS": "8"}, "1"),
        ({"SLURM_JOB_ID": "7", "SLURM_CPUS_PER_TASK": "4"}, "4"),
    ],
)
def test_threads_are_the_cores_that_were_given(
    around: dict[str, str], threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*THREAD_LIMITS, "SLURM_JOB_ID", "SLURM_CPUS_PER_TASK"):
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    for name, value in around.items():
        monkeypatch.setenv(name, value)
    batch.limit_threads()
    assert os.environ["OMP_NUM_THREADS"] == threads


@pytest.mark.parametrize(("said", "turns"), [([], 1000), (["hydra.launcher.max_num_timeout=0"], 0)])
def test_time_limits_are_met_as_often_as_it_takes_unless_told(said: list[str], turns: int) -> None:
    engine = OmegaConf.create({"launcher": {"max_num_timeout": 0}, "overrides": {"hydra": said}})
    batch.many_turns(engine)
    assert engine.launcher.max_num_timeout == turns


def test_a_launcher_without_time_limits_is_left_alone() -> None:
    engine = OmegaConf.create({"launcher": {"slots": 2}, "overrides": {"hydra": []}})
    batch.many_turns(engine)
    assert engine.launcher == {"slots": 2}
