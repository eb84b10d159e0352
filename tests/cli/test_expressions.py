"""Every option of every verb that takes an expression computes and runs nothing else."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import typer

from scaling.cli import app
from scaling.errors import ScalingError


def verbs(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every verb with its command."""
    for name, inner in getattr(command, "commands", {}).items():
        yield from verbs(inner, (*path, name))
    if path:
        yield path, command


COMMAND = typer.main.get_command(app)
OPTIONS = {
    f"{' '.join(path)} {option.opts[0]}": option
    for path, command in verbs(COMMAND)
    for option in command.params
    if option.opts[0].startswith("--")
    and not getattr(option, "is_flag", False)
    and re.search(r"column|expression|rows for which", str(option.help), re.IGNORECASE)
}
"""Options whose help speaks of a column or an expression, by verb and name."""
GIVEN = {
    "fit": ["runs.csv", "--bootstrap", "cluster", "--resamples", "10"],
    "compare": ["runs.csv", "runs.csv", "--bootstrap", "cluster", "--resamples", "10"],
    "compare --by": ["runs.csv"],
    "allocate": ["runs.csv", "1e20"],
    "next": ["runs.csv"],
    "import": ["runs.csv", "--into", "taken", "--set", "family=x"],
    "trends fit": ["runs.csv", "--date", "date", "--value", "loss"],
    "trends project": ["--runs", "runs.csv"],
}
"""Further arguments of each verb, or of one of its options."""
HOSTILE = (
    "__import__('pathlib').Path('canary').touch()",
    "loss.__class__.__mro__[1].__subclasses__()",
    "@pd.io.common.os.system('touch canary')",
    "(lambda: open('canary', 'w'))()",
    "[open('canary', 'w') for x in [1]]",
    "(x := open('canary', 'w'))",
    'f\'{open("canary", "w")}\'',
    "loss[open('canary', 'w')]",
    "`loss` + _column_0 + __column_0 + __column0_",
    "loss if open('canary', 'w') else loss",
    "eval('1')",
    "9**9**9**9",
    "'%1000000000d' % 1",
    "'a' * 9999999999",
    "9" * 5000,
    "(" * 10_000 + "loss" + ")" * 10_000,
    "-" * 9000 + "loss",
    "loss" + " + loss" * 1900,
    "not " * 2000 + "loss",
    "x" * 1_000_000,
    "loss\0",
    "loss > '\ud800'",
    "`",
    "loss; import os",
    "loss\nimport os",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table of runs and of dates."""
    folder = tmp_path_factory.mktemp("runs")
    params, tokens = np.geomspace(1e6, 1e9, 8), np.geomspace(2e9, 3e10, 8)[[3, 1, 0, 2, 6, 4, 7, 5]]
    loss = 1.7 + 400 / params**0.34 + 410 / tokens**0.28
    frame = pd.DataFrame({"params": params, "tokens": tokens, "loss": loss, "date": range(2010, 2018)})
    frame.to_csv(folder / "runs.csv", index=False)
    return folder


def test_options_that_take_expressions_are_recognised() -> None:
    assert {"fit --where", "fit --n", "compare --by", "import --name", "trends fit --sigma"} <= set(OPTIONS)
    assert {name.rpartition(" ")[0] for name in OPTIONS} <= set(GIVEN)


@pytest.mark.parametrize("name", OPTIONS)
def test_nothing_runs_through_an_option(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SCALING_RESULTS", str(folder))
    verb, _, option = name.rpartition(" ")
    before = {"--column": "L=", "--name": "loss=", "--set": "loss="}.get(option, "")
    for text in HOSTILE:
        line = [*verb.split(), *GIVEN.get(name, GIVEN[verb]), option, before + text]
        start = time.monotonic()
        with pytest.raises(ScalingError) as caught:
            COMMAND(line, standalone_mode=False, prog_name="scaling")
        sentence = str(caught.value)
        assert caught.value.exit_code == 2, (text, sentence)
        assert "\n" not in sentence, text
        assert len(sentence) < 2000, text
        assert time.monotonic() - start < 30, text
        assert not Path("canary").exists(), text
