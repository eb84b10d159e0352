"""`scaling config` lists every key; `scaling new` writes a sweep file that plans at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scaling import families, folders
from scaling.cli import app
from scaling.config.kinds import UNSET
from scaling.corpora import sources
from scaling.errors import ConfigError
from scaling.sweeping.planning import config as configs
from scaling.sweeping.planning import keys, new, planner
from scaling.training.recipes import RECIPES
from scaling.training.recipes.recipe import Hyperparameters


def test_every_key_has_a_type_and_a_meaning() -> None:
    for family in families.names():
        for row in keys.every(family=family):
            assert row.kind, row.name
            assert row.meaning, row.name
    for recipe in RECIPES:
        assert all(row.meaning for row in keys.every(recipe=recipe))
    for source in (*sources.NAMES, "regression"):
        assert all(row.meaning for row in keys.every(corpus=source))


def test_a_kind_allows_its_own_default() -> None:
    for recipe in RECIPES.values():
        for name, setting in recipe.constants.items():
            assert setting.kind.read(name, setting.default) == setting.default
    for source in sources.NAMES:
        for name, setting in sources.keys(source).items():
            if setting.default not in (None, UNSET):
                assert setting.kind.read(name, setting.default) == setting.default


@pytest.mark.parametrize(
    ("content", "override", "named"),
    [
        ("evaluation: {points: few}", [], True),
        ("evaluation: {points: few}", ["evaluation.points=many"], False),
        ("family: {qknorm: true}", [], True),
        ("family: {mlp: square}", [], True),
        ("recipe: {batch: few}", [], True),
        ("recipe: {rate: 1}", [], True),
        ("evaluation: {points: 3}", ["family.mlp=square"], False),
        ("device: {name: gpu}", [], True),
        ("device: cuda", [], True),
        ("recipe: fixed", [], True),
        ("family.mlp: gelu", [], True),
        ("start: {rank: few}", [], True),
        ("contxt: 32", [], True),
    ],
)
def test_a_mistake_in_a_sweep_file_names_the_file(
    content: str, override: list[str], named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = folders.results().absolute()
    monkeypatch.chdir(tmp_path)
    Path("sweeps").mkdir()
    Path("sweeps/mine.yaml").write_text(
        "defaults: [/train, override /family: llama, override /corpus: sotu, override /recipe: horizon]\n"
        f"budget: {{flops: 1e9}}\nsweep: {{design: seeds, seeds: [0]}}\n{content}\n"
    )

    with pytest.raises(ConfigError) as caught:
        planned(results, *override)
    assert str(caught.value).startswith("sweeps/mine.yaml: ") == named, caught.value


@pytest.mark.parametrize(
    ("asked", "first"),
    [("context", "context"), ("device", "device.name"), ("family=lstm", "family.name"), (None, "context")],
)
def test_a_key_a_section_or_a_choice_is_listed(asked: str | None, first: str) -> None:
    assert keys.asked(asked)[0].name == first


def test_a_choice_is_listed_with_the_values_of_its_file() -> None:
    hub = {row.name: row.default for row in keys.asked("corpus=hub")}
    assert (hub["corpus.split"], hub["corpus.revision"]) == ("train", UNSET)
    horizon = {row.name: row.default for row in keys.asked("recipe=horizon")}
    assert (horizon["recipe.beta2"], horizon["recipe.learning_rate"]) == (Hyperparameters.beta2, None)
    with pytest.raises(ConfigError, match="must be one of 'files'"):
        keys.asked("corpus=")
    with pytest.raises(ConfigError, match="did you mean 'synthetic/"):
        keys.asked("corpus=synthetic")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("family: {size: 3}", "'family.size=3' has no effect"),
        ("budget: {flops: 1e10}", "'budget.flops=1e\\+10' has no effect"),
        ("seed: 1\nsweep.seeds: [1]", "nest it: sweep"),
    ],
)
def test_what_the_design_replaces_is_refused(
    content: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = folders.results().absolute()
    monkeypatch.chdir(tmp_path)
    new.write("mine", "isoflop")
    path = Path("sweeps/mine.yaml")
    path.write_text(
        "\n".join(line for line in path.read_text().splitlines() if not line.startswith("family:"))
    )
    path.write_text(f"{path.read_text()}\n{content}\n")
    with pytest.raises(ConfigError, match=sentence):
        planned(results)


def planned(results: Path, *override: str) -> planner.Plan:
    with configs.hydra("mine", override) as (engine, name):
        master = configs.master(engine, name, [f"results={results}", *override])
        return planner.plan(configs.composer(engine.config_loader, master), [override])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "has no defaults list"),
        (b"defaults:\n", "has no defaults list"),
        (b"5", "cannot be read"),
        ("# café\ndefaults: [/train]".encode("latin-1"), "is not UTF-8"),
        (b"defaults: [/train", "is not YAML at"),
    ],
)
def test_a_file_that_is_no_sweep_is_one_sentence(
    content: bytes, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sweeps").mkdir()
    Path("sweeps/mine.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=sentence) as caught:
        planned(tmp_path / "results")
    assert "sweeps/mine.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_key_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match="did you mean 'context'"):
        keys.asked("contxt")


def test_a_sweeps_values_are_marked_where_they_differ() -> None:
    out = CliRunner().invoke(app, ["config", "demo", "--json"])
    rows = {row["key"]: row for row in json.loads(out.output)}
    assert rows["family.depth"] == {"key": "family.depth", "value": 2, "changed": True}
    assert not rows["context"]["changed"]


@pytest.mark.parametrize(
    "design",
    ["isoflop", *(pytest.param(name, marks=pytest.mark.slow) for name in new.EXAMPLES if name != "isoflop")],
)
def test_a_new_sweep_plans_at_once(design: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = folders.results().absolute() / "corpora"
    monkeypatch.chdir(tmp_path)
    path = new.write("mine", design)
    assert path == Path("sweeps/mine.yaml")
    with pytest.raises(ConfigError, match="exists already"):
        new.write("mine", design)
    results = corpus.parent if corpus.is_dir() else tmp_path / "results"
    with configs.hydra("mine") as (engine, name):
        master = configs.master(engine, name, [f"results={results}"])
        assert planner.plan(configs.composer(engine.config_loader, master), [[]]).cells
