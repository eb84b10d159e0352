"""Commands that messages name can be pasted into a shell."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from scaling import folders


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCALING_RESULTS", raising=False)
    return tmp_path


def planned(folder: Path, *words: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "plan.json").write_text(json.dumps({"command": words}) if words else "{")
    return folder


def test_a_command_has_the_folder_of_results_and_quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("run", "demo", "sweep.sizes=[1, 2]", "text=it's")
    assert shlex.split(folders.command(*words)) == ["scaling", *words]
    monkeypatch.setenv("SCALING_RESULTS", "my results")
    assert shlex.split(folders.command("fit", "demo")) == [
        "SCALING_RESULTS=my results",
        "scaling",
        "fit",
        "demo",
    ]


@pytest.mark.parametrize(
    ("place", "verb", "words"),
    [
        ("results", "fit", ["fit", "demo"]),
        ("my results", "fit", ["fit", "my results/demo"]),
        ("results", "status", ["status", "demo"]),
        ("my results", "status", ["status", "demo", "--results=my results"]),
    ],
)
def test_a_reader_finds_the_folder(place: str, verb: str, words: list[str]) -> None:
    assert shlex.split(folders.reader(verb, Path(place) / "demo")) == ["scaling", *words]


def test_a_maker_repeats_the_sweep_its_overrides_and_its_place(here: Path) -> None:
    file = here / "my sweeps" / "mine.yaml"
    file.parent.mkdir()
    file.touch()
    for folder, words in (
        (planned(here / "results" / "demo"), ["run", "demo"]),
        (planned(here / "results" / "demo-two"), ["run", "demo", "sweep.name=demo-two"]),
        (planned(here / "a b" / "demo", "demo", "seed=1,2"), ["run", "demo", "seed=1,2", "results='a b'"]),
        (planned(here / "results" / "mine", str(file)), ["run", "my sweeps/mine.yaml"]),
        (here / "c" / "taken", ["import", "FILE", "--into", "taken", "--results=c"]),
    ):
        assert shlex.split(folders.maker(folder)) == ["scaling", *words]
