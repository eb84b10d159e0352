"""Designs against arithmetic done here by hand."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

from scaling.config import Config, parse
from scaling.config.lists import numbers
from scaling.errors import ConfigError
from scaling.sweeping import designs
from scaling.sweeping.designs.space import Space


def space(**sweep: Any) -> Space:
    """A family whose N is 1000·size³ and whose FLOPs per token are 6N."""
    return Space(
        measure=lambda size: (1000 * size**3, 6000 * size**3),
        limits=(0.25, 256.0),
        base=parse(Config, {"seed": 7, "context": 64, "sweep": sweep}),
    )


def test_a_range_is_even_in_logs_and_keeps_its_ends() -> None:
    found = numbers("sweep.budgets", "1e10..1e12 x 5")
    assert found[0] == 1e10
    assert found[-1] == 1e12
    steps = [b / a for a, b in itertools.pairwise(found)]
    assert max(steps) / min(steps) < 1.001


def test_a_budget_without_a_size_is_named() -> None:
    with pytest.raises(
        ConfigError, match=r"no size .* has 20 tokens per parameter at a budget of 1000 FLOPs"
    ):
        designs.cells(space(design="isoflop", budgets=[1e12, 1e3], ratios=[20]))


@pytest.mark.parametrize("text", ["1e10..1e12", "1e12..1e10 x 3", "a..b x 3", "1..2 x 1", "0..5 x 3"])
def test_a_range_that_cannot_be(text: str) -> None:
    with pytest.raises(ConfigError, match=r"sweep\.budgets is"):
        numbers("sweep.budgets", text)


@pytest.mark.parametrize("value", [-1e10, 0, float("nan"), float("inf"), "many"])
def test_a_budget_must_be_positive(value: object) -> None:
    with pytest.raises(ConfigError, match=r"sweep\.budgets holds"):
        numbers("sweep.budgets", [1e10, value])


def test_isoflop_crosses_budgets_sizes_and_seeds() -> None:
    found = designs.cells(space(design="isoflop", budgets=[1e10, 2e10], sizes=[1, 2], seeds=[0, 1]))
    assert len(found) == 8
    assert {cell["budget.flops"] for cell in found} == {1e10, 2e10}


def test_isoflop_by_ratio_finds_the_size() -> None:
    """D / N = C / (6 N²), so N = sqrt(C / 6 / ratio)."""
    for cell in designs.cells(space(design="isoflop", budgets=[1e10, 1e12], ratios=[5, 20, 80])):
        n = 1000 * cell["family.size"] ** 3
        ratio = cell["budget.flops"] / 6 / n**2
        assert min(abs(math.log(ratio / asked)) for asked in (5, 20, 80)) < 0.05
        assert cell["seed"] == 7


def test_isoflop_takes_sizes_or_ratios() -> None:
    for given in ({}, {"sizes": [1], "ratios": [20]}):
        with pytest.raises(ConfigError, match="needs either"):
            designs.cells(space(design="isoflop", budgets=[1e10], **given))


def test_repeats_add_seeds_to_a_budget_of_the_design() -> None:
    found = designs.cells(
        space(design="isoflop", budgets=[1e10, 2e10], sizes=[1], repeats={"budgets": [1e10], "seeds": [1, 2]})
    )
    assert [(cell["budget.flops"], cell["seed"]) for cell in found] == [
        (1e10, 7), (2e10, 7), (1e10, 1), (1e10, 2),
    ]  # fmt: skip
    with pytest.raises(ConfigError, match=r"not in sweep\.budgets"):
        designs.cells(
            space(design="isoflop", budgets=[1e10], sizes=[1], repeats={"budgets": [3e10], "seeds": [1]})
        )


def test_a_ladder_gives_tokens() -> None:
    found = designs.cells(space(design="ladder", sizes=[1, 2], ratios=[10, 20]))
    assert [cell["budget.tokens"] for cell in found] == [1e4, 2e4, 8e4, 16e4]


def test_a_grid_is_a_product() -> None:
    found = designs.cells(space(design="grid", axes={"family.size": [1, 2], "context": [16, 32]}, seeds=[0]))
    assert len(found) == 4
    assert found[0] == {"family.size": 1, "context": 16, "seed": 0}


def test_unknown_design_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'isoflop'"):
        designs.cells(space(design="isoflops"))


def test_repetition_sees_whole_windows_whole_times() -> None:
    found = designs.cells(space(design="repetition", sizes=[1], unique_tokens=[1000], epochs=[1, 4]))
    assert [cell["corpus.unique_tokens"] for cell in found] == [1024, 1024]
    assert [cell["budget.tokens"] for cell in found] == [1024, 4096]


def test_switches_change_one_thing_at_a_time() -> None:
    found = designs.cells(
        space(design="switches", switches={"family.qk_norm": [True], "family.mlp": ["gelu", "relu"]})
    )
    assert found == [{}, {"family.qk_norm": True}, {"family.mlp": "gelu"}, {"family.mlp": "relu"}]


@pytest.mark.parametrize("name", ["grid", "seeds", "switches", "tuning", "ladder", "isoflop", "repetition"])
def test_a_design_without_its_values_says_what_it_takes(name: str) -> None:
    with pytest.raises(ConfigError, match=r"needs sweep|needs either sweep|is not set"):
        designs.cells(space(design=name))
