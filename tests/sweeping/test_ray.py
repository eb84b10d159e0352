"""The same cells on a real Ray on this machine."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest

from scaling.training import RunPaths, record

Bench = Any  # the class in conftest.py
pytestmark = [pytest.mark.slow, pytest.mark.ray]


@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed (pip install 'scaling[ray]')")
def test_ray_gives_the_same_bits(bench: Bench) -> None:
    found = bench.run("hydra/launcher=ray", "+hydra.launcher.init.num_cpus=2", "results=ray")
    assert found["trained"] == 4
    assert bench.losses("ray") == bench.losses()


@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed (pip install 'scaling[ray]')")
def test_a_cell_of_two_processes_gets_two_cores_of_ray(bench: Bench) -> None:
    one = ("hydra/launcher=ray", "results=ray2", "sweep.budgets=[2e8]", "sweep.sizes=[0.5]")
    found = bench.run(*one, "+hydra.launcher.init.num_cpus=2", "device.processes=2")
    assert found["trained"] == 1
    ((run_id, loss),) = bench.losses("ray2").items()
    assert loss == pytest.approx(bench.losses()[run_id], rel=1e-4)
    assert record.read(RunPaths.of(bench.folder / "ray2", run_id))["device"].endswith(" x 2")


@pytest.mark.skipif(find_spec("ray") is not None, reason="Ray is installed")
def test_without_ray_a_sentence_says_what_to_install(bench: Bench) -> None:
    _, said = bench.call("run", "tiny", "hydra/launcher=ray", "results=noray", code=2)
    assert "pip install 'scaling[ray]'" in said
