"""Large runs on paper, against torch's fake tensors, a numerical optimum and the facts' own table."""

from __future__ import annotations

import csv
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from scipy import optimize
from torch._subclasses.fake_tensor import FakeTensorMode

from scaling import families
from scaling.config import FamilyConfig, parse
from scaling.errors import ConfigError
from scaling.families.decoder.module import Decoder
from scaling.sweeping.planning import paper
from scaling.sweeping.planning.memory import activations_per_token, components

ROOT = Path(__file__).parents[2]
MODELS = {
    "h100": "H100 SXM", "h200": "H200 SXM", "a100": "A100 SXM4 80GB", "b200": "B200 SXM", "l4": "L4",
    "rtx4090": "GeForce RTX 4090",
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", ["llama", "gpt2"])
@pytest.mark.parametrize("size", [4, 24])
def test_activations_are_what_autograd_keeps(name: str, size: float, dtype: str) -> None:
    """Within 1 %: every storage that the forward pass saves, weights apart, on tensors without memory."""
    family = families.from_config(parse(FamilyConfig, {"name": name, "size": size}))
    shape = family.shape(size, vocab=3000, context=256)
    kept: dict[int, int] = {}
    with FakeTensorMode(allow_non_fake_inputs=True):
        module = Decoder(shape, family.decoder)
        own = {t.untyped_storage()._cdata for t in (*module.parameters(), *module.buffers())}
        matrices = {tuple(p.shape[::-1]) for p in module.parameters() if p.ndim == 2}

        def keep(tensor: torch.Tensor) -> torch.Tensor:
            # copies of matrices in the run's format are counted as weights_in_format
            if tuple(tensor.shape) not in matrices | {s[::-1] for s in matrices}:
                kept[tensor.untyped_storage()._cdata] = tensor.untyped_storage().nbytes()
            return tensor

        half = torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == "bfloat16")
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t), half:
            module(torch.zeros(3, 200, dtype=torch.int64))
    found = sum(size for storage, size in kept.items() if storage not in own)
    assert 3 * 200 * activations_per_token(shape, family.switches, dtype) == pytest.approx(found, rel=0.01)


def test_weights_and_optimizer_are_what_torch_holds() -> None:
    family = families.from_config(parse(FamilyConfig, {"name": "llama", "size": 2}))
    shape = family.shape(2, vocab=256, context=64)
    module = family.build(shape, seed=0)
    adam = torch.optim.AdamW(module.parameters())
    module(torch.zeros(1, 64, dtype=torch.int64)).sum().backward()
    adam.step()
    held = components(family.counts(shape), shape, family.switches, dtype="float32", sequences=1, context=64)
    assert held["weights"] == sum(p.nbytes for p in module.parameters())
    assert held["gradients"] == sum(p.grad.nbytes for p in module.parameters() if p.grad is not None)
    moments = [t for s in adam.state.values() for t in s.values() if t.ndim]
    assert held["optimizer"] == sum(t.nbytes for t in moments)


@pytest.mark.parametrize(("write", "between"), [(10.0, 1e5), (60.0, 3600.0), (1.0, 50.0)])
def test_the_interval_is_the_optimum_of_dalys_model(write: float, between: float) -> None:
    """Expected time per second of work when failures are exponential: ∝ (e^{(τ+δ)/M} − 1)/τ."""
    best = optimize.minimize_scalar(
        lambda every: math.expm1((every + write) / between) / every,
        bounds=(write / 10, 10 * math.sqrt(2 * write * between)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    assert paper.checkpoint_seconds(write, between) == pytest.approx(best.x, rel=0.01)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_devices_say_what_the_facts_say(name: str) -> None:
    facts = (ROOT / "scaling/trends/facts/accelerators.csv").open(encoding="utf-8")
    with facts:
        (row,) = [row for row in csv.DictReader(facts) if row["name"] == MODELS[name]]
    told = yaml.safe_load((ROOT / f"conf/device/{name}.yaml").read_text(encoding="utf-8"))
    assert float(told["memory_bytes"]) == float(row["memory_bytes"])
    assert float(told["watts"]) == float(row["watts"])
    for dtype, column in {
        "float32": "flops_fp32", "tf32": "flops_tf32_tensor", "bfloat16": "flops_bf16_tensor",
        "float16": "flops_fp16_tensor",
    }.items():  # fmt: skip
        assert float(told["peaks"][dtype]) == float(row[column]), dtype


def test_every_budget_on_every_number_of_gpus() -> None:
    on = paper.device("h100")
    for flops in (1e17, 1e20, 1e22):
        hours = []
        for gpus in (8, 64, 512):
            row = paper.paper(flops, gpus, on, family=FamilyConfig(name="llama"), vocab=32768, context=2048)
            assert row["fits"], row["layout"]
            assert row["tokens"] / row["params"] == pytest.approx(20, rel=0.2)  # depth is whole
            assert row["gpus_used"] <= gpus
            assert row["batch_sequences"] % row["gpus_used"] == 0
            # never faster than the arithmetic allows
            assert row["hours"] * 3600 >= flops / (gpus * on.peak_flops)
            hours.append(row["hours"])
        assert hours[0] >= hours[1]
    big = paper.paper(1e22, 8, on, family=FamilyConfig(name="llama"), vocab=32768, context=2048)
    assert big["layout"].startswith("FSDP")
    assert big["dollars"] == pytest.approx(big["hours"] * 8 * on.price_per_hour)


def test_what_cannot_be_planned_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match="does not set memory_bytes"):
        paper.device("cpu")
    with pytest.raises(ConfigError, match="must be one of"):
        paper.device("h1000")
    with pytest.raises(ConfigError, match="outside the range of family"):
        paper.paper(10, 8, paper.device("h100"), family=FamilyConfig(name="llama"), vocab=32768, context=2048)
    with pytest.raises(ConfigError, match="'lstm' has no memory estimate; use --family llama"):
        paper.paper(1e17, 8, paper.device("h100"), family=FamilyConfig(name="lstm"), vocab=256, context=64)
    with pytest.raises(ConfigError, match="--gpus is 'many'"):
        paper.numbers("--gpus", "many")


def test_the_command() -> None:
    words = ["plan", "--paper", "--flops", "1e18", "--gpus", "8,64", "--device", "a100", "--json"]
    command = [sys.executable, "-m", "scaling", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = json.loads(done.stdout)["rows"]
    assert [row["gpus"] for row in rows] == [8, 64]
    assert all("Daly" in " ".join(row["arithmetic"]) for row in rows)
