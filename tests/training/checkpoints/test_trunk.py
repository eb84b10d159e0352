"""Runs that share a trunk come out to the same bits as from scratch, and pay less."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from scaling.corpora import Corpus
from scaling.training import Cell, RunPaths
from scaling.training.checkpoints import trunk
from scaling.training.lifecycle.run import Placement, run

RECIPE = {"name": "fixed", "batch_sequences": 4, "schedule": "wsd", "warmup_steps": 5, "decay_fraction": 0.2}
FAMILY = {"name": "llama", "size": 0.5, "dropout": 0.1}


def ladder(cell: Callable[..., Cell]) -> list[Cell]:
    return [cell(recipe=RECIPE, family=FAMILY, budget={"tokens": steps * 64}) for steps in (50, 100, 200)]


@pytest.mark.slow
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_branches_are_the_runs_from_scratch(
    corpus: Corpus, cell: Callable[..., Cell], tmp_path: Path, order: tuple[int, ...]
) -> None:
    cells = ladder(cell)
    assert len({trunk.trunk_id(c) for c in cells}) == 1
    assert len({c.run_id for c in cells}) == 3
    inherited = {}
    for number in order:
        it = cells[number]
        alone, shared = (
            RunPaths.of(tmp_path / "alone", it.run_id),
            RunPaths.of(tmp_path / "shared", it.run_id),
        )
        first = run(it, corpus=corpus, paths=alone, placement=Placement(share_trunk=False))
        second = run(it, corpus=corpus, paths=shared)
        assert (second["loss"], second["loss_se"]) == (first["loss"], first["loss_se"])
        a, b = (torch.load(p.weights, weights_only=True)["module"] for p in (alone, shared))
        assert all(torch.equal(a[name], b[name]) for name in a)
        assert first["steps_inherited"] == 0
        assert second["tokens"] == first["tokens"]
        inherited[number] = second["steps_inherited"]
    assert not (tmp_path / "alone" / "trunks").exists()
    assert [inherited[n] for n in range(3)] == ([0, 40, 80] if order == (0, 1, 2) else [0, 40, 0])


def test_saving_counts_each_trunk_once(cell: Callable[..., Cell]) -> None:
    cells = ladder(cell)
    saved = trunk.saving(cells)
    each = cells[0].flops / 50
    assert saved.flops_apart == pytest.approx(350 * each)
    assert saved.flops_shared == pytest.approx((160 + 10 + 20 + 40) * each)
    assert saved.factor == pytest.approx(350 / 230)


def test_other_runs_share_nothing(cell: Callable[..., Cell]) -> None:
    first = ladder(cell)[0]
    for change in ({"schedule": "linear"}, {"warmup_steps": None}, {"patience": 3}):
        assert trunk.trunk_id(cell(recipe=RECIPE | change, family=FAMILY)) is None
    for change in ({"learning_rate": 1e-3}, {"warmup_steps": 6}, {"batch_sequences": 8}):
        other = cell(recipe=RECIPE | change, family=FAMILY, budget={"tokens": 100 * 128})
        assert trunk.trunk_id(other) not in (None, trunk.trunk_id(first))
