"""Plans: what Hydra composes, what designs ask, what cells answer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from scaling import folders
from scaling.errors import ConfigError, ShapeError
from scaling.sweeping import console
from scaling.sweeping.planning import config as configs
from scaling.sweeping.planning import messages
from scaling.sweeping.planning import planner as plans
from scaling.sweeping.planning.combinations import split
from scaling.sweeping.planning.planned import Plan


def planned(sweep: str, overrides: Sequence[str] = ()) -> Plan:
    """The plan of a sweep as the command makes it."""
    with configs.hydra(sweep) as (engine, name):
        master = configs.master(engine, name, overrides)
        return plans.plan(
            configs.composer(engine.config_loader, master),
            split([str(o) for o in master.hydra.overrides.task]),
        )


def test_every_budget_is_met_within_one_percent(folder: Path) -> None:
    found = planned("tiny")
    assert found.sweep == "tiny"
    assert len(found.cells) == 4
    for cell in found.cells:
        assert cell.row["flops"] == pytest.approx(cell.row["budget_flops"], rel=0.01)
        assert cell.row["tokens_per_parameter"] == pytest.approx(cell.row["tokens"] / cell.row["params"])


def test_a_saved_plan_does_not_repeat_in_every_cell_what_the_sweep_was_asked(folder: Path) -> None:
    found = planned("tiny", ["sweep.seeds=[0,1,2]", "recipe.batch_sequences=2"])
    for cell in found.payload()["cells"]:
        assert "recipe.batch_sequences=2" in cell["overrides"]
        assert not any(one.startswith("sweep.") for one in cell["overrides"])


def test_overrides_reach_the_cells_as_hydra_composes_them(folder: Path) -> None:
    """A cell's config by hand is the config that Hydra composes from its overrides: same run id."""
    from scaling.sweeping.planning.cells import prepare

    with configs.hydra("tiny") as (engine, name):
        master = configs.master(engine, name, ["context=8"])
        compose = configs.composer(engine.config_loader, master)
        found = plans.plan(compose, split(["context=8"]))
        assert [prepare(compose(cell.overrides))[0].run_id for cell in found.cells] == found.run_ids


def test_values_with_commas_span_the_plan(folder: Path) -> None:
    assert len(planned("tiny", ["seed=0,1", "context=8,16"]).cells) == 16


def test_what_varies_has_a_column_and_a_narrow_terminal_cuts_no_number(folder: Path) -> None:
    columns = console.plan_columns(planned("tiny", ["context=8,16"]))
    assert columns["context"] == ["8"] * 4 + ["16"] * 4
    assert "seconds" not in columns  # this machine has no bench table
    for width in (60, 80, 120, 500):
        kept, left_out = console.fitting(columns, width)
        assert sum(max(map(len, (title, *texts))) + 2 for title, texts in kept.items()) - 2 <= width
        assert {**kept, **{title: columns[title] for title in left_out}} == columns
    assert not left_out


def test_the_sweep_may_be_renamed(folder: Path) -> None:
    assert planned("tiny", ["sweep.name=other"]).folder == Path("results/other")


def test_filters_say_what_they_dropped(folder: Path) -> None:
    every = planned("tiny")
    middle = sorted(cell.row["tokens_per_parameter"] for cell in every.cells)[1]
    kept = planned("tiny", [f"sweep.keep={{tokens_per_parameter:[{middle},null]}}"])
    assert len(kept.cells) == 3
    assert "tokens_per_parameter" in kept.dropped[0]
    with pytest.raises(ConfigError, match=r"sweep\.keep drops all"):
        planned("tiny", ["sweep.keep={steps:[1000000,null]}"])


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        (
            "family.size=3",
            "sets family.size in every cell; leave it out, or change sweep.budgets or sweep.sizes",
        ),
        ("famly.size=3", "did you mean 'family.size'"),
        ("family.siz=3", "did you mean 'family.size'"),
        ("family=lama", "did you mean 'llama'"),
        ("seed=[1", "cannot be read"),
        ("hydra/launcher=slurm", "hydra/launcher cannot be 'slurm'; did you mean 'submitit_slurm'"),
        ("sweep.budgets=[-1e10]", "must be a positive number"),
        ("sweep.budgets=[0]", "must be a positive number"),
        ("sweep.design=isoflp", "did you mean 'isoflop'"),
        ("recipe.name=foo", "recipe.name must be one of"),
        ("sweep.seeds=[a]", "whole numbers"),
        ("sweep.keep={foo:[1,2]}", "cannot filter by 'foo'"),
    ],
)
def test_mistakes_end_in_a_sentence(folder: Path, override: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence.replace(".", r"\.")) as caught:
        planned("tiny", [override])
    assert "\n" not in str(caught.value)


def test_a_launcher_that_is_not_installed_names_its_extra(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(messages.BROUGHT, "carrier_pigeon", "pigeons")
    with pytest.raises(ConfigError, match=r"pip install 'scaling\[pigeons\]'"):
        planned("tiny", ["hydra/launcher=carrier_pigeon"])


def test_a_cross_lays_one_design_inside_another(folder: Path) -> None:
    """Families × IsoFLOP × tuning: D from each family's own count, learning rates around each cell's own
    recipe.
    """
    found = planned(
        "tiny",
        [
            "sweep.design=[switches,isoflop,tuning]",
            "+sweep.switches.family=[gpt2]",
            "sweep.sizes=[0.5]",
            "sweep.learning_rate_factors=[0.5,1]",
        ],
    )
    assert len(found.cells) == 8
    assert {cell.row["family"] for cell in found.cells} == {"llama", "gpt2"}
    for cell in found.cells:
        assert cell.row["flops"] == pytest.approx(cell.row["budget_flops"], rel=0.01)
    rates = {cell.row["learning_rate"] for cell in found.cells if cell.row["family"] == "llama"}
    assert max(rates) == pytest.approx(2 * min(rates), rel=1e-3)


def test_branches_share_trunks_and_pay_them_once(folder: Path) -> None:
    """Against the saving that the training room counts, and in an order in which shorter runs come first."""
    from scaling.sweeping.planning.cells import prepare
    from scaling.training.checkpoints import trunk

    with configs.hydra("tiny") as (engine, name):
        overrides = ["sweep.design=branches", "sweep.sizes=[0.25,0.5]", "sweep.budgets=[8e3,16e3,32e3]"]
        compose = configs.composer(engine.config_loader, configs.master(engine, name, overrides))
        found = plans.plan(compose, split(overrides))
        saving = trunk.saving(prepare(compose(cell.overrides))[0] for cell in found.cells)
    assert len(found.cells) == 6
    assert len({cell.trunk for cell in found.cells}) == 2
    assert found.saving == pytest.approx(saving.factor, rel=1e-9)
    assert found.saving > 1.3
    ordered = found.longest_first(set(found.run_ids))
    for shared in {cell.trunk for cell in found.cells}:
        steps = [cell.branch_step for cell in ordered if cell.trunk == shared]
        assert steps == sorted(steps)


def test_designs_that_contradict_each_other(folder: Path) -> None:
    with pytest.raises(ConfigError, match="contradict each other: both set"):
        planned("tiny", ["sweep.design=[grid,isoflop]", "sweep.axes={family.size:[0.5]}"])


def test_a_size_outside_the_family(folder: Path) -> None:
    with pytest.raises(ShapeError, match="outside the range"):
        planned("tiny", ["sweep.sizes=[9000]"])


def test_an_unknown_sweep_names_the_nearest(folder: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'tiny'"):
        planned("tinny")


def test_a_sweep_that_is_not_yaml(folder: Path) -> None:
    (folder / "sweeps" / "broken.yaml").write_text("sweep: {design: isoflop\nbudgets: [1e9\n")
    with pytest.raises(ConfigError, match=r"is not YAML at .*broken\.yaml, line"):
        planned("broken")


def test_a_sweep_by_path(folder: Path) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "mine.yaml").write_text((folder / "sweeps" / "tiny.yaml").read_text())
    assert planned("elsewhere/mine.yaml").sweep == "mine"


@pytest.mark.parametrize(
    ("group", "option"),
    [
        path.relative_to(folders.shipped("conf")).with_suffix("").as_posix().split("/", 1)
        for path in sorted(folders.shipped("conf").rglob("*.yaml"))
        if path.stem != "base" and path.parent != folders.shipped("conf")
    ],
)
def test_every_config_composes(
    group: str, option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCALING_RESULTS", str(tmp_path))
    with configs.hydra("train") as (engine, name):
        master = configs.master(engine, name, [f"{group}={option}"])
        assert master[group.split("/")[0]] is not None


def test_planning_needs_no_torch(folder: Path) -> None:
    planned("tiny")  # the corpus is built
    code = (
        "import sys, scaling.cli; sys.argv = ['scaling', 'plan', 'tiny', '--json']\n"
        "try: scaling.cli.main()\n"
        "except SystemExit: pass\n"
        "assert not {'torch', 'transformers', 'datasets'} & set(sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(out.stdout)["total"]["cells"] == 4
    assert not (folder / "results" / "tiny").exists()  # a plan writes nothing but the corpus
