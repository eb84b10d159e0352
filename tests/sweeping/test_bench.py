"""The benchmark of devices runs where there is none: on the CPU, with tiny shapes."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from scaling.errors import LaunchError
from scaling.training.hardware.devices import find_device

SCRIPT = Path(__file__).parents[2] / "analysis" / "benchmarks" / "gpu_speed.py"


@pytest.mark.slow
def test_it_writes_a_row_for_every_switch(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--device", "cpu", "--quick", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    (folder,) = tmp_path.iterdir()
    with (folder / "steps.csv").open() as steps:
        assert [row["status"] for row in csv.DictReader(steps)] == ["done"] * 5


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_no_cuda_is_one_sentence_that_offers_the_cpu() -> None:
    with pytest.raises(LaunchError, match="torch sees no CUDA device; type device=cpu"):
        find_device("cuda")
