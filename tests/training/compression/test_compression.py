"""Rounding and pruning against torch's own, and inside a run that trains."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import prune as torch_prune

from scaling.config import Config, CorpusConfig, parse
from scaling.corpora import Corpus
from scaling.errors import ConfigError
from scaling.sweeping import compression, ledger
from scaling.training import Cell, RunPaths, objectives
from scaling.training.compression.pruning import masks
from scaling.training.compression.rounding import rounded, straight_through
from scaling.training.compression.training import CompressedLinear, prune
from scaling.training.config.compression import Compression
from scaling.training.config.text import open_data
from scaling.training.evaluation import Precision, evaluate
from scaling.training.lifecycle.run import run
from scaling.training.network import build, fold
from tests.training.conftest import stated


@given(st.integers(2, 8), st.integers(1, 6), st.integers(1, 9), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_rounding_is_torchs_fake_quantisation(bits: int, rows: int, columns: int, seed: int) -> None:
    weight = torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))
    most = 2 ** (bits - 1) - 1
    scale = weight.abs().amax(1) / most
    theirs = torch.fake_quantize_per_channel_affine(
        weight, scale, torch.zeros(rows, dtype=torch.int32), 0, -most, most
    )
    # torch multiplies by 1 / scale, so an entry in the middle between two levels may fall either way
    apart = (rounded(weight, bits) - theirs).abs() / scale[:, None]
    assert ((apart < 1e-4) | ((apart - 1).abs() < 1e-3)).all()
    assert (apart > 0.5).sum() <= 1
    assert len(rounded(weight[:1], bits).unique()) <= 2 * most + 1
    assert ((rounded(weight, bits) - weight).abs() <= scale[:, None] / 2 + 1e-6).all()


def test_a_row_of_zeros_stays() -> None:
    assert torch.equal(rounded(torch.zeros(2, 3), 3), torch.zeros(2, 3))


def test_gradients_go_straight_through() -> None:
    weight = torch.randn(3, 4, requires_grad=True)
    factor = torch.randn(3, 4)
    (straight_through(weight, 3) * factor).sum().backward()
    assert torch.equal(weight.grad, factor)
    torch.testing.assert_close(straight_through(weight, 3), rounded(weight, 3))


@pytest.mark.parametrize("sparsity", [0.0, 0.25, 0.5, 0.9])
def test_pruning_is_torchs(sparsity: float) -> None:
    torch.manual_seed(0)
    linears = [nn.Linear(8, 5), nn.Linear(5, 20), nn.Linear(3, 3)]
    weights = [linear.weight.detach().clone() for linear in linears]
    ours = masks(weights, sparsity, "global")
    torch_prune.global_unstructured(
        [(linear, "weight") for linear in linears], torch_prune.L1Unstructured, amount=sparsity
    )
    for mask, linear in zip(ours, linears, strict=True):
        assert torch.equal(mask, linear.weight_mask.bool())
    for mask, weight in zip(masks(weights, sparsity, "layer"), weights, strict=True):
        alone = nn.Linear(weight.shape[1], weight.shape[0])
        alone.weight.data.copy_(weight)
        torch_prune.l1_unstructured(alone, "weight", amount=sparsity)
        assert torch.equal(mask, alone.weight_mask.bool())


def test_the_schedule_is_cubic_between_its_ends() -> None:
    plan = Compression(sparsity=0.8, scope="global", begin=0.2, end=0.6)
    assert [plan.sparsity_at(step, 100) for step in (0, 19, 20)] == [0, 0, 0]
    assert plan.sparsity_at(40, 100) == pytest.approx(0.8 * (1 - 0.5**3))
    assert [plan.sparsity_at(step, 100) for step in (60, 100)] == [0.8, 0.8]
    assert Compression(sparsity=0.5, scope="layer", begin=0, end=0).sparsity_at(0, 100) == 0.5


@pytest.mark.parametrize("scope", ["global", "layer"])
def test_a_run_is_pruned_as_it_trains(
    scope: str, cell: Callable[..., Cell], corpus: Corpus, paths: Callable[[Cell], RunPaths]
) -> None:
    plan = {"sparsity": 0.75, "scope": scope, "begin": 0.2, "end": 0.6}
    it = cell(family={"name": "llama", "size": 1}, compression=plan)
    assert it.run_id != cell(family={"name": "llama", "size": 1}).run_id
    got = run(it, corpus=corpus, paths=paths(it), config=stated(it))
    assert (got["status"], got["sparsity"], got["weight_bits"]) == ("done", 0.75, None), got["reason"]
    weights = torch.load(paths(it).weights, weights_only=True)["module"]
    matrices = [w for name, w in weights.items() if name.startswith("blocks.") and w.ndim == 2]
    zeros = sum(int((w == 0).sum()) for w in matrices)
    assert zeros == round(0.75 * sum(w.numel() for w in matrices))
    assert not (weights["embedding.weight"] == 0).any()
    assert not any(name.endswith("kept") for name in weights)


def test_a_run_trains_with_rounded_weights(
    cell: Callable[..., Cell], corpus: Corpus, paths: Callable[[Cell], RunPaths]
) -> None:
    it = cell(family={"name": "llama", "size": 1}, compression={"bits": 2})
    got = run(it, corpus=corpus, paths=paths(it), config=stated(it))
    assert (got["status"], got["weight_bits"]) == ("done", 2.0), got["reason"]
    assert got["loss"] < 4.5, "it learns all the same"
    weights = torch.load(paths(it).weights, weights_only=True)["module"]
    for name, weight in weights.items():
        if name.startswith("blocks.") and weight.ndim == 2:
            assert all(len(row.unique()) <= 3 for row in weight), name


def test_masks_travel_with_the_state_and_fold_away(cell: Callable[..., Cell]) -> None:
    plan = Compression(sparsity=0.5, scope="global", begin=0.0, end=0.0)
    it = cell(family={"name": "llama", "size": 1}, compression=plan.as_dict())
    module, other = build(it), build(it)
    prune(module, plan, step=1, steps=2)
    other.load_state_dict(module.state_dict())
    tokens = torch.arange(16).view(1, 16)
    before = module(tokens)
    assert torch.equal(other(tokens), before)
    assert not any(isinstance(part, CompressedLinear) for part in fold(module).modules())
    assert torch.equal(module(tokens), before)


def test_a_network_without_linear_blocks_is_refused(
    cell: Callable[..., Cell], corpus: Corpus, paths: Callable[[Cell], RunPaths]
) -> None:
    it = cell(family={"name": "lstm", "size": 1}, compression={"bits": 4})
    with pytest.raises(Exception, match="needs blocks of linear layers"):
        build(it)


def test_a_sweeps_runs_are_compressed_into_a_table(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("\n".join(f"line {n} of a text that repeats" for n in range(900)))
    config = {
        "family": {"name": "llama", "size": 1},
        "corpus": {
            "name": "lines",
            "source": "files",
            "path": str(tmp_path / "text.txt"),
            "document": "line",
            "tokenizer": "bytes",
            "heldout_fraction": 0.3,
        },
        "context": 16,
        "budget": {"tokens": 120 * 8 * 16},
        "recipe": {"name": "small_decoder", "batch_sequences": 8},
        "seed": 0,
        "evaluation": {"sequences": 64, "points": 0},
        "results": str(tmp_path),
    }
    data = open_data(parse(CorpusConfig, config["corpus"]), tmp_path / "corpora")
    it = Cell.from_config(parse(Config, config), data)
    got = run(it, corpus=data, paths=RunPaths.of(tmp_path, it.run_id), config=parse(Config, config))
    ledger.collect(tmp_path, "before", [it.run_id])
    rows = compression.compress(tmp_path, "before", bits=[16, 2], sparsity=[0.5, 0.9])
    table = pd.read_csv(tmp_path / "before" / "compressed.csv")
    assert len(table) == len(rows) == 2 + 2 + 2 * 2
    assert table.loss_before.tolist() == pytest.approx([got["loss"]] * len(rows))
    alone = {(row["weight_bits"], row["sparsity"]): row for row in rows}
    assert abs(alone[16, 0.0]["delta_loss"]) < 1e-3 < alone[2, 0.0]["delta_loss"]
    assert alone[None, 0.5]["delta_loss"] < alone[None, 0.9]["delta_loss"]
    # by hand, with torch's own pruning
    module = it.architecture.build(it.shape, seed=0)
    module.load_state_dict(torch.load(RunPaths.of(tmp_path, it.run_id).weights, weights_only=True)["module"])
    linears = [(m, "weight") for block in module.blocks for m in block.modules() if isinstance(m, nn.Linear)]
    torch_prune.global_unstructured(linears, torch_prune.L1Unstructured, amount=0.5)
    task = objectives.make(it, data)
    theirs = evaluate(module, task, task.heldout(), precision=Precision(device=torch.device("cpu"))).loss
    assert alone[None, 0.5]["loss"] == pytest.approx(theirs, abs=1e-6)
    with pytest.raises(ConfigError, match="nothing to do"):
        compression.compress(tmp_path, "before", bits=[], sparsity=[])
