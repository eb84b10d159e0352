"""Any value of any key ends in a plan or in one sentence; a value that a plan accepts can be trained."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scaling.api import sweeps
from scaling.config import Config, parse, plain
from scaling.errors import ScalingError
from scaling.sweeping.designs import MOST_CELLS
from scaling.sweeping.planning import config as configs
from scaling.sweeping.planning import keys, planner

NAMES = list(
    dict.fromkeys(
        row.name
        for rows in (keys.every(), keys.every(recipe="horizon", corpus="files"))
        for row in rows
        if row.name != "results"  # a folder is made of almost any text
    )
)
FIXED: list[Any] = [
    *(None, True, False, float("nan"), float("inf"), -float("inf"), -0.0, 0, -1, 5, 0.5, 1e9, 1e30, 1e300),
    *(5e-324, 10**30, 10**400, 10**5000, "5", "", "none", "nan", "1e400", "x" * 300, "a/b", "\0", "[red]"),
    *("1..10x1000000", "1..nan x 3", [], {}, [None], [[1]], {"a": 1}, {"steps": ["a", 1]}, {"tokens": [1e6]}),
    *(list(range(20_000)), {"seed": list(range(20_000))}, b"x"),
]
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = st.sampled_from(FIXED) | st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
)
UNDER = {
    "sweep.axes": {"design": ["grid"], "budgets": None, "sizes": None},
    "sweep.switches": {"design": ["switches"], "budgets": None, "sizes": None},
    "sweep.ratios": {"sizes": None},
    "sweep.epochs": {"design": ["repetition"], "budgets": None, "sizes": [0.5], "unique_tokens": [2000]},
    "sweep.learning_rate_factors": {"design": ["isoflop", "tuning"]},
    "sweep.batch_factors": {"design": ["isoflop", "tuning"]},
}
"""Key → settings of `sweep` with which a plan reads it."""


@pytest.fixture
def base(folder: Path) -> dict[str, Any]:
    with configs.hydra("tiny") as (engine, _):
        return plain(configs.composer(engine.config_loader, configs.master(engine, "tiny", []))([]))


def planned(base: dict[str, Any], name: str, value: Any) -> planner.Plan:
    content = copy.deepcopy(base)
    content["sweep"].update(UNDER.get(name, {}))
    if content["sweep"]["budgets"] is None and name in ("sweep.axes", "sweep.switches"):
        content["budget"]["flops"] = 2e8
    *path, last = name.split(".")
    at = content
    for part in path:
        at = at.setdefault(part, {})
    at[last] = value
    config = parse(Config, content, where="")
    return planner.plan(lambda _: config, [[]])


@given(name=st.sampled_from(NAMES), value=VALUES)
@example(name="sweep.seeds", value=list(range(1_000_000)))
@example(name="evaluation.points", value=10**9)
@example(name="recipe.clip", value=float("nan"))
@settings(
    deadline=None,
    max_examples=150,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_value_is_a_plan_or_one_sentence(base: dict[str, Any], name: str, value: Any) -> None:
    try:
        found = planned(base, name, value)
    except ScalingError as error:
        said = str(error)
        assert "\n" not in said
        assert len(said) < 1000
        # of a factor, the sentence names the budget that no longer fits
        assert any(part in said for part in (*name.split("."), "budget.")), said
    else:
        assert len(found.cells) <= MOST_CELLS
        json.dumps(found.payload(), allow_nan=False)


def test_too_many_cells_are_refused_before_they_are_built(folder: Path) -> None:
    for more in ("seed=range(0,2000000000)", "sweep.seeds=${oc.decode:'[0,1]'} seed=range(0,1e12)"):
        with pytest.raises(ScalingError):
            sweeps.plan("tiny", *more.split(" ", 1))
    with pytest.raises(ScalingError, match=r"asks for 2,000,000,000 cells .*at most 10,000"):
        sweeps.plan("tiny", "seed=range(0,2000000000)")


@pytest.mark.slow
@pytest.mark.parametrize(
    "accepted",
    [
        ["evaluation.points=1000", "recipe.patience=1000000", "checkpoint.every_seconds=1e30"],
        ["seed=4294967295", "device.watts=1e-30", "device.price_per_hour=1e30", "device.assumed_flops=1e-30"],
        ["recipe.clip=none", "recipe.warmup_fraction=1", "device.micro_batch=1000000000"],
        ["evaluation.points=0", "checkpoint.milestones={tokens: [1e-30, 1e30]}", "recipe.clip=1e-30"],
    ],
)
def test_what_a_plan_accepts_is_trained(folder: Path, accepted: list[str]) -> None:
    outcome = sweeps.run("tiny", "sweep.budgets=[2e8]", "sweep.sizes=[0.25]", *accepted)
    assert set(outcome.statuses.values()) == {"done"}, outcome.reasons


@pytest.mark.parametrize(
    "name",
    [
        "runs",
        "corpora",
        "Trunks",
        "..",
        "-x",
        ".x",
        "x ",
        "a/b",
        "a\\b",
        "[red]",
        "🙂",
        "con",
        "LPT1.a",
        "x" * 300,
    ],
)
def test_a_name_that_is_no_folder_of_a_sweep_is_refused(base: dict[str, Any], name: str) -> None:
    with pytest.raises(ScalingError, match=r"^sweep\.name is"):
        planned(base, "sweep.name", name)
