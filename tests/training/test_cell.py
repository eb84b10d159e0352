"""The budget is solved with the family's own count, and identity is the science alone."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from scaling.config import RecipeConfig
from scaling.errors import ConfigError, CorpusError, ShapeError
from scaling.training import Cell, recipes
from scaling.training.config.budget import solve
from scaling.training.recipes.recipe import Recipe, Situation


def affordable(cell: Callable[..., Cell], **changes: Any) -> Cell | None:
    """The cell, or None where the budget buys too few whole steps."""
    try:
        return cell(**changes)
    except ConfigError:
        return None


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(budget=st.floats(3e9, 1e13), size=st.floats(0.5, 3))
def test_realised_budget_is_within_one_per_cent(
    cell: Callable[..., Cell], budget: float, size: float
) -> None:
    solved = affordable(cell, budget={"flops": budget}, family={"name": "llama", "size": size})
    assume(solved is not None)
    assert abs(solved.flops / budget - 1) <= 0.01
    assert solved.tokens == solved.steps * solved.hyperparameters.batch_sequences * solved.context
    assert solved.flops == pytest.approx(solved.tokens * solved.counts.flops_per_token)


def test_components_add_up_to_the_flops(cell: Callable[..., Cell]) -> None:
    columns = cell().columns()
    parts = ("flops_attention_projection", "flops_attention_scores_full", "flops_mlp", "flops_head")
    assert sum(columns[part] for part in parts) == pytest.approx(columns["flops"])


def test_the_solution_agrees_with_itself_when_the_batch_depends_on_tokens(monkeypatch: Any) -> None:
    rule = Recipe(
        name="growing",
        source="test",
        rule=lambda s, c: {
            "learning_rate": (0.01, "fixed"),
            "batch_sequences": (s.sequences(0.3 * s.tokens**0.5), "0.3 √D tokens"),
        },
    )
    monkeypatch.setattr(recipes, "get", lambda name: rule)
    for asked in (1e5, 1.234e6, 9.99e7):
        situation = Situation(
            params=1,
            params_body=1,
            width=8,
            depth=1,
            context=16,
            tokens=asked,
            flops_per_token=6.0,
            flops_per_token_body=6.0,
        )
        h, steps = solve(situation, RecipeConfig(name="growing"), asked)
        tokens = steps * h.batch_sequences * 16
        assert abs(tokens / asked - 1) < 0.01
        again = rule.resolve(dataclasses.replace(situation, tokens=float(tokens)))
        assert abs(again.batch_sequences - h.batch_sequences) <= 1


def test_identity_is_the_science(cell: Callable[..., Cell]) -> None:
    first = cell()
    same = [
        cell(device={"name": "cuda", "dtype": "float32", "micro_batch": 1, "watts": 300}),
        cell(checkpoint={"every_seconds": 5}),
        cell(sweep={"name": "other"}),
        # what a recipe derives and what a person sets is the same science when the numbers are the same
        cell(recipe={"name": "fixed", "peak": first.hyperparameters.learning_rate, "batch": 4}),
    ]
    other = [
        cell(seed=1),
        cell(family={"name": "llama", "size": 0.7}),
        cell(family={"name": "llama", "size": 0.5, "qk_norm": True}),
        cell(recipe={"name": "small_decoder", "batch_sequences": 4, "weight_decay": 0.0}),
        cell(budget={"tokens": 41 * 4 * 16}),
        cell(device={"name": "cpu", "dtype": "bfloat16"}),
        cell(corpus={"unique_tokens": 1600}),
        cell(evaluation={"sequences": 16, "points": 4}),
    ]
    assert {c.run_id for c in same} == {first.run_id}
    assert len({c.run_id for c in [first, *other]}) == len(other) + 1


def test_identity_does_not_depend_on_the_process(cell: Callable[..., Cell]) -> None:
    first = cell()
    code = (
        "import json, sys, hashlib; d = json.load(sys.stdin);"
        "print(hashlib.sha256(json.dumps(d, sort_keys=True, separators=(',', "
        "':')).encode()).hexdigest()[:16])"
    )
    text = json.dumps(first.identity())
    out = subprocess.run([sys.executable, "-c", code], input=text, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == first.run_id


def test_a_cell_needs_no_torch() -> None:
    code = (
        "import sys, scaling.training, scaling.training.record, scaling.training.recipes.recipe;"
        "print('torch' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        (
            {"budget": {"flops": -1e9}},
            ConfigError,
            "budget.flops is -1000000000.0; it must be a positive number",
        ),
        ({"budget": {"flops": 0}}, ConfigError, "budget.flops is 0"),
        ({"budget": {"flops": "much"}}, ConfigError, "budget.flops is 'much'"),
        ({"budget": {"flops": float("nan")}}, ConfigError, "budget.flops is nan"),
        ({"budget": {}}, ConfigError, "there is no budget; give one of"),
        ({"budget": {"flops": 1e9, "tokens": 1e6}}, ConfigError, "both budget.flops"),
        ({"budget": {"flop": 1e9}}, ConfigError, "did you mean 'flops'"),
        ({"budget": {"flops": 1e6}}, ConfigError, "too few whole steps"),
        ({"family": {"name": "llama", "size": -1}}, ConfigError, "family.size is -1"),
        ({"family": {"name": "llama", "size": 1e9}}, ShapeError, "outside the range"),
        ({"family": {"name": "lama", "size": 1}}, ConfigError, "did you mean 'llama'"),
        ({"recipe": {"name": "smal_decoder"}}, ConfigError, "did you mean 'small_decoder'"),
        ({"recipe": {"name": "fixed", "leaning_rate": 1}}, ConfigError, "did you mean 'learning_rate'"),
        ({"recipe": {"name": "fixed", "schedule": "cosin"}}, ConfigError, "did you mean 'cosine'"),
        ({"recipe": {"name": "fixed", "learning_rate": -1}}, ConfigError, "recipe.learning_rate is -1"),
        ({"recipe": {"name": "fixed", "batch_sequences": 1.5}}, ConfigError, "it must be a whole number"),
        ({"recipe": {"name": "fixed", "beta1": 1.5}}, ConfigError, "recipe.beta1 is 1.5"),
        ({"seed": -1}, ConfigError, "seed is -1; it must be a whole number between 0 and 4,294,967,295"),
        ({"context": 1.5}, ConfigError, "context is 1.5"),
        (
            {"device": {"dtype": "float8"}},
            ConfigError,
            "device.dtype cannot be 'float8'; did you mean",
        ),
        ({"corpus": {"max_epochs": 0.01}}, CorpusError, "too small for the plan"),
        ({"corpus": {"unique_tokens": 10**9}}, CorpusError, "unique_tokens asks for"),
        ({"evaluation": {"sequences": 10**6, "points": 1}}, CorpusError, "set evaluation.sequences between"),
    ],
)
def test_bad_input_is_one_sentence(
    cell: Callable[..., Cell], changes: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error) as caught:
        cell(**changes)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_least_budget_that_is_offered_works(cell: Callable[..., Cell]) -> None:
    with pytest.raises(ConfigError) as caught:
        cell(budget={"flops": 1e6})
    offered = str(caught.value).split("give at least budget.flops=")[1].split(",")[0]
    cell(budget={"flops": float(offered)})
