"""Which cells go side by side, and how many by a measured table."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scaling.errors import ConfigError
from scaling.sweeping.planning import packing
from scaling.training import Cell


def test_packs_hold_cells_of_one_shape_and_as_many_as_pay(cell: Callable[..., Cell]) -> None:
    cells = [cell(seed=seed) for seed in range(5)]
    other = cell(family={"name": "llama", "size": 1})
    dropout = cell(family={"name": "llama", "size": 0.5, "dropout": 0.1})
    laid = packing.lay([*cells, other, dropout], lambda one: 1 if one.size == 1 else 3)
    assert laid == [[0, 1, 2], [3, 4], [5], [6]]


def test_runs_that_share_a_trunk_are_never_in_one_pack(cell: Callable[..., Cell]) -> None:
    recipe = {"name": "fixed", "peak": 0.01, "batch_sequences": 4, "schedule": "wsd", "warmup_steps": 3}
    ladder = [
        cell(recipe=recipe, seed=seed, budget={"tokens": tokens})
        for tokens in (1600, 3200)
        for seed in (0, 1)
    ]
    assert packing.lay(ladder, lambda one: 4) == [[0, 1], [2, 3]], "seeds together, the shorter first"


def test_the_table_says_how_many_pay(
    cell: Callable[..., Cell], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCALING_CACHE", str(tmp_path))
    device = {"name": "cuda", "dtype": "bfloat16"}
    n = cell().counts.params_total

    def members(*rows: tuple[float, int, float], **more: Any) -> int | None:
        path = packing.switches_path({"device": device})
        path.parent.mkdir(exist_ok=True)
        table = [dict(zip(("params", "members", "gain"), row, strict=True), family="llama") for row in rows]
        path.write_text(json.dumps({"packs": table}))
        many = packing.members({"device": device | more})
        return None if many is None else many(cell())

    assert members((n, 4, 2.0), (n, 8, 1.7), (30 * n, 16, 9.0)) == 4
    assert members((n, 4, 1.1)) == 1, "too little to gain"
    assert members((30 * n, 16, 9.0)) == 1, "nothing near was measured"
    assert members() is None
    assert members((n, 4, 2.0), name="cpu") is None, "a run alone gives the same bits"
    assert members((n, 4, 2.0), processes=2) is None
    assert members(pack=3) == 3
    assert members((n, 4, 2.0), pack=1) is None
    with pytest.raises(ConfigError, match="leave one of them out"):
        members(pack=3, processes=2)
    for key, value in (("compile", "default"), ("loss_chunk", 64)):
        assert members((n, 4, 2.0), **{key: value}) is None, "what was asked for is kept"
        with pytest.raises(ConfigError, match=f"device.{key} is .*leave one of them out"):
            members(pack=3, **{key: value})
    with pytest.raises(ConfigError, match=r"device\.pack"):
        members(pack=0)
