"""What only a CUDA device can show. `make test-gpu`; everything here is skipped, and says so, without one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from scaling.config import Config, parse
from scaling.corpora import Corpus
from scaling.training import Cell, RunPaths, record
from scaling.training.lifecycle.run import Placement, run

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device"),
]
LONG = {"budget": {"tokens": 400 * 64}, "recipe": {"name": "fixed", "peak": 0.01, "batch_sequences": 4}}
GPU = Placement(device="cuda")


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[Cell, str], RunPaths]:
    return lambda cell, name: RunPaths.of(tmp_path / name, cell.run_id)


@pytest.fixture
def memory() -> Iterator[Callable[[float], None]]:
    """Leaves so many bytes of the device for the test."""
    total = torch.cuda.get_device_properties(0).total_memory
    yield lambda size: torch.cuda.set_per_process_memory_fraction(min(1.0, size / total))
    torch.cuda.set_per_process_memory_fraction(1.0)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_float32_reaches_the_loss_of_the_cpu(
    cell: Callable[..., Cell], corpus: Corpus, folder: Callable[[Cell, str], RunPaths], family: str
) -> None:
    it = cell(**LONG, family={"name": family, "size": 0.5})
    cpu = run(it, corpus=corpus, paths=folder(it, "cpu"))
    gpu = run(it, corpus=corpus, paths=folder(it, "gpu"), placement=GPU)
    assert gpu["run_id"] == cpu["run_id"], "the device is no science"
    assert gpu["loss"] == pytest.approx(cpu["loss"], abs=0.01)
    assert gpu["device"] == torch.cuda.get_device_name(0)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_reaches_the_same_loss(
    cell: Callable[..., Cell], corpus: Corpus, folder: Callable[[Cell, str], RunPaths], dtype: str
) -> None:
    if dtype == "bfloat16" and not torch.cuda.is_bf16_supported():
        pytest.skip("this device has no bfloat16")
    whole, half = cell(**LONG), cell(**LONG, device={"name": "cuda", "dtype": dtype})
    first = run(whole, corpus=corpus, paths=folder(whole, "whole"), placement=GPU)
    second = run(half, corpus=corpus, paths=folder(half, "half"), placement=GPU)
    assert second["status"] == "done"
    assert second["loss"] == pytest.approx(first["loss"], abs=0.02)


def test_out_of_memory_halves_the_micro_batch(
    cell: Callable[..., Cell],
    corpus: Corpus,
    folder: Callable[[Cell, str], RunPaths],
    memory: Callable[[float], None],
) -> None:
    it = cell(
        family={"name": "llama", "size": 4},
        context=128,
        recipe={"name": "fixed", "peak": 0.003, "batch_sequences": 64},
        budget={"tokens": 10 * 64 * 128},
        corpus={"max_epochs": None},
        evaluation={"sequences": 4, "points": 0},
    )
    torch.cuda.reset_peak_memory_stats()
    roomy = run(it, corpus=corpus, paths=folder(it, "roomy"), placement=GPU)
    assert roomy["micro_batch"] == 64
    assert roomy["memory_bytes"] > 0
    torch.cuda.empty_cache()
    memory(0.75 * roomy["memory_bytes"])
    tight = run(it, corpus=corpus, paths=folder(it, "tight"), placement=GPU)
    assert tight["status"] == "done"
    assert tight["micro_batch"] < 64
    assert tight["loss"] == pytest.approx(roomy["loss"], abs=0.01)


def test_deterministic_runs_end_at_the_same_bits(
    cell: Callable[..., Cell], corpus: Corpus, folder: Callable[[Cell, str], RunPaths]
) -> None:
    it = cell(**LONG)
    placement = Placement(device="cuda", deterministic=True)
    found = [run(it, corpus=corpus, paths=folder(it, name), placement=placement) for name in ("a", "b")]
    assert found[0]["loss"] == found[1]["loss"]
    one, other = (torch.load(folder(it, name).weights, weights_only=True)["module"] for name in ("a", "b"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_share_of_the_peak_is_recorded(
    cell: Callable[..., Cell], corpus: Corpus, folder: Callable[[Cell, str], RunPaths]
) -> None:
    it = cell(**LONG, device={"name": "cuda", "dtype": "bfloat16"})
    device = {"name": "cuda", "dtype": "bfloat16", "peaks": {"bfloat16": 1e12, "float32": 1e9}}
    got = run(
        it,
        corpus=corpus,
        paths=folder(it, "a"),
        placement=Placement.from_config(parse(Config, {"device": device})),
    )
    assert 0 < got["mfu"] < 1
    assert got["mfu"] == pytest.approx(got["tokens_per_second"] * it.counts.flops_per_token / 1e12)
    assert got["memory_bytes"] > 0


def test_the_loss_in_chunks_holds_less(
    cell: Callable[..., Cell], corpus: Corpus, folder: Callable[[Cell, str], RunPaths]
) -> None:
    it = cell(
        context=128,
        recipe={"name": "fixed", "peak": 0.003, "batch_sequences": 64},
        budget={"tokens": 10 * 64 * 128},
        corpus={"max_epochs": None},
        evaluation={"sequences": 1, "points": 0},
    )
    found = {}
    for name, chunk in (("whole", None), ("chunks", 256)):
        torch.cuda.reset_peak_memory_stats()
        found[name] = run(
            it, corpus=corpus, paths=folder(it, name), placement=Placement(device="cuda", loss_chunk=chunk)
        )
    assert found["chunks"]["memory_bytes"] < found["whole"]["memory_bytes"]
    assert found["chunks"]["loss"] == pytest.approx(found["whole"]["loss"], abs=0.01)


@pytest.mark.parametrize("mode", ["default", "reduce-overhead"])
def test_compiled_blocks_reach_the_same_loss(
    cell: Callable[..., Cell], corpus: Corpus, folder: Callable[[Cell, str], RunPaths], mode: str
) -> None:
    it = cell(**LONG)
    plain = run(it, corpus=corpus, paths=folder(it, "plain"), placement=GPU)
    fast = run(it, corpus=corpus, paths=folder(it, mode), placement=Placement(device="cuda", compile=mode))
    assert fast["compiled"] == mode
    assert fast["loss"] == pytest.approx(plain["loss"], abs=0.01)


def test_text_on_the_device_gives_the_same_run(
    cell: Callable[..., Cell], corpus: Corpus, folder: Callable[[Cell, str], RunPaths]
) -> None:
    it = cell(**LONG)
    found = [
        run(
            it,
            corpus=corpus,
            paths=folder(it, str(on)),
            placement=Placement(device="cuda", resident=on, deterministic=True),
        )
        for on in (False, True)
    ]
    assert found[0]["loss"] == found[1]["loss"]


def test_tf32_reaches_the_loss_of_float32(
    cell: Callable[..., Cell], corpus: Corpus, folder: Callable[[Cell, str], RunPaths]
) -> None:
    whole, ten_bits = cell(**LONG), cell(**LONG, device={"name": "cuda", "dtype": "tf32"})
    first = run(whole, corpus=corpus, paths=folder(whole, "whole"), placement=GPU)
    second = run(ten_bits, corpus=corpus, paths=folder(ten_bits, "tf32"), placement=GPU)
    assert second["loss"] == pytest.approx(first["loss"], abs=0.01)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two CUDA devices")
@pytest.mark.parametrize("sharing", ["ddp", "fsdp"])
def test_torchrun_over_two_devices(tmp_path: Path, sharing: str) -> None:
    words = (
        f"device.sharing={sharing} device=cuda family=llama family.size=0.5 budget.tokens=12800 context=16"
    )
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
        *("-m", "scaling.train", *words.split(), "recipe.batch_sequences=16", "evaluation.sequences=32"),
    ]
    environment = {**os.environ, "SCALING_RESULTS": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "runs").iterdir()
    assert record.read(RunPaths(folder=path))["device"].endswith(" x 2")
