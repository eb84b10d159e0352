"""Every sweep that is shipped: its header keeps the contract, it composes, it plans within its price."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from scaling import folders
from scaling.config import plain
from scaling.errors import ConfigError
from scaling.sweeping import ledger
from scaling.sweeping.planning import cells as cellar
from scaling.sweeping.planning import config as configs
from scaling.sweeping.planning import planner as plans
from scaling.sweeping.planning.combinations import split
from scaling.tables import schema
from scaling.training import record

SWEEPS = {path.stem: path for path in sorted(folders.shipped("sweeps").rglob("*.yaml"))}
ON_CPU = [name for name, path in SWEEPS.items() if path.parent.name == "sweeps" and name != "bench"]
ON_GPU = [name for name, path in SWEEPS.items() if path.parent.name == "gpu"]
MOST_CPU_FLOPS = 1.5e13
"""Quarter of an hour on two cores."""
STUDY, MOST_STUDY_FLOPS = "isoflop", 1e14
"""The study that the README shows may take three quarters of an hour."""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder that all tests share, and text for the sweeps whose own is not installed or slow to
    tokenise.
    """
    folder = tmp_path_factory.mktemp("elsewhere")
    words = random.Random(0)
    vocabulary = ["".join(words.choices("etaoinshrdlu", k=words.randint(2, 9))) for _ in range(3000)]
    lines = [" ".join(words.choices(vocabulary, k=12)) for _ in range(8000)]
    (folder / "text.txt").write_text("\n".join(lines), encoding="utf-8")
    verses = (" ".join(lines[number : number + 4]) for number in range(2000))
    pairs = ({"text": verse, "target": verse[::-1]} for verse in verses)
    (folder / "pairs.jsonl").write_text("\n".join(map(json.dumps, pairs)), encoding="utf-8")
    labelled = ({"text": line[:40], "sentiment": words.choice(["negative", "positive"])} for line in lines)
    (folder / "labelled.jsonl").write_text("\n".join(map(json.dumps, labelled)), encoding="utf-8")
    for name in ("compression", "compression-gpu", "sentiment-pretraining"):
        leave(name, folder)
    return folder


def leave(name: str, folder: Path) -> None:
    """The ledger of a sweep that others start from, as if its runs had been trained."""
    run_ids = []
    with configs.hydra(name) as (engine, primary):
        master = configs.master(engine, primary, [f"results={folder}/results", *_other_text(name, folder)])
        compose = configs.composer(engine.config_loader, master)
        task = [str(override) for override in master.hydra.overrides.task]
        for planned_cell in plans.plan(compose, split(task)).cells:
            config = compose(planned_cell.overrides)
            cell, _, paths = cellar.prepare(config)
            values = {"string": "x", "int64": 1, "float64": 0.5, "bool": False}
            row = {name: values[column.dtype] for name, column in schema.COLUMNS.items()}
            row |= cell.columns() | {"status": "done", "config": json.dumps(plain(config))}
            paths.make()
            record.write(paths, row)
            run_ids.append(cell.run_id)
    ledger.collect(folder / "results", name, run_ids)


@cache
def planned(name: str, folder: Path, *more: str) -> plans.Plan:
    """The plan of a shipped sweep; not to be changed."""
    overrides = [f"results={folder}/results", *_other_text(name, folder), *more]
    with configs.hydra(name) as (engine, primary):
        master = configs.master(engine, primary, overrides)
        return plans.plan(
            configs.composer(engine.config_loader, master),
            split([str(o) for o in master.hydra.overrides.task]),
        )


def _other_text(name: str, folder: Path) -> Sequence[str]:
    if name.startswith("tokenizers"):
        return [
            "corpus=files",
            f"corpus.path={folder}/text.txt",
            "corpus.document=line",
            "evaluation.sequences=32",
            "sweep.keep=null",
        ]
    if name in ("transfer", "fine-tuning", "compression-gpu"):
        given = ["corpus.source=files", f"++corpus.path={folder}/text.txt", "++corpus.document=line"]
        return [*given, "evaluation.sequences=128"]
    if name.startswith("sentiment"):
        given = ["corpus.source=files", f"++corpus.path={folder}/labelled.jsonl"]
        return [*given, "corpus.heldout_fraction=0.2"]
    if name.startswith("translation"):
        return ["corpus.source=files", f"++corpus.path={folder}/pairs.jsonl", "evaluation.sequences=128"]
    if name.startswith("synthetic"):
        return ["corpus.tokens=2000000", "evaluation.sequences=512"]
    return []


@pytest.mark.parametrize("name", SWEEPS)
def test_a_header_says_command_minutes_and_question(name: str) -> None:
    lines = SWEEPS[name].read_text(encoding="utf-8").splitlines()
    assert lines[0] in (f"# scaling run {name}", f"# scaling {name}")
    header = "\n".join(line for line in lines if line.startswith("#"))
    assert "# Minutes: " in header
    assert "# Answers: " in header


FAST = ("demo", "isoflop", "families")
PLANNED = [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in SWEEPS]
"""All plans are the same code on other numbers, and many."""


@pytest.mark.parametrize("name", PLANNED)
def test_a_sweep_plans_and_meets_its_budgets(name: str, elsewhere: Path) -> None:
    found = planned(name, elsewhere)
    assert found.sweep == name
    for cell in found.cells:
        if cell.row["budget_flops"]:
            assert cell.row["flops"] == pytest.approx(cell.row["budget_flops"], rel=0.01)
        assert cell.row["steps"] >= 20
    if name in ON_CPU:
        assert found.total()["flops"] < (MOST_STUDY_FLOPS if name == STUDY else MOST_CPU_FLOPS)


@pytest.mark.slow
@pytest.mark.parametrize("name", ON_GPU)
def test_a_plan_for_a_gpu_shows_its_price_and_that_it_is_a_guess(name: str, elsewhere: Path) -> None:
    total = planned(name, elsewhere).total()
    assert total["seconds_assumed"]
    assert 0 < total["dollars"] < 5
    assert total["dollars"] == pytest.approx(total["seconds"] / 3600 * 2.5)
    assert total["seconds_low"] < total["seconds"] < total["seconds_high"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ON_GPU)
def test_the_large_variant_asks_the_same_question(name: str, elsewhere: Path) -> None:
    small, large = planned(name.removesuffix("-gpu"), elsewhere), planned(name, elsewhere)
    assert {cell.row["family"] for cell in small.cells} == {cell.row["family"] for cell in large.cells}
    assert large.total()["flops"] > 50 * small.total()["flops"]


def test_every_optimizer_has_a_ladder_of_its_own(elsewhere: Path) -> None:
    rates: dict[str, set[float]] = {}
    for cell in planned("optimizers", elsewhere).cells:
        name = next((o.split("=")[1] for o in cell.overrides if "recipe.optimizer=" in o), "adamw")
        rates.setdefault(name, set()).add(cell.row["learning_rate"])
    assert set(rates) == {"adamw", "adam", "lion", "muon", "soap", "sgd"}
    assert all(len(ladder) == 5 for ladder in rates.values())
    assert max(rates["lion"]) < max(rates["adamw"]) < max(rates["sgd"])


def test_families_differ_in_the_rate_that_suits_them(elsewhere: Path) -> None:
    one = ("sweep.design=switches", "family.width=24", "budget.flops=1e10")
    one += ("sweep.budgets=null", "sweep.ratios=null", "sweep.repeats=null")
    cells = planned("families", elsewhere, *one).cells
    rates = {cell.row["family"]: cell.row["learning_rate"] for cell in cells}
    assert rates["transformer2017"] < rates["llama"] < rates["lstm"]


@pytest.mark.slow
@pytest.mark.parametrize("value", ["0", "-1", "fast", ".nan"])
def test_an_assumed_speed_must_be_a_speed(value: str, elsewhere: Path) -> None:
    with pytest.raises(ConfigError, match=r"device\.assumed_flops"):
        planned("families-gpu", elsewhere, f"device.assumed_flops={value}")
