"""Without the extra `train`: what needs torch says so in one sentence, before anything is written; the rest
works.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

BLOCK = """
import sys
from importlib.machinery import PathFinder
LACKING = ("torch", "transformers", "datasets", "tokenizers", "psutil")
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *a: None if name.split(".")[0] in LACKING else find(name, *a)
"""
"""The base install, played: the import system finds none of what `train` brings."""


def call(folder: Path, *words: str, main: str = "scaling.cli") -> subprocess.CompletedProcess[str]:
    code = f"{BLOCK}\nsys.argv = {['scaling', *words]!r}\nfrom {main} import main\nmain()"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=120
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with text, a sweep of its own and a table of runs."""
    path = tmp_path_factory.mktemp("base")
    (path / "text.txt").write_text("\n".join(f"the state of the union in year {i}" for i in range(3000)))
    (path / "sweeps").mkdir()
    (path / "sweeps" / "mine.yaml").write_text(
        "defaults: [/train, _self_, {override /corpus: files}]\n"
        "corpus: {path: text.txt, document: line}\ncontext: 16\nevaluation: {sequences: 8, points: 2}\n"
        "sweep: {design: isoflop, budgets: [2e8, 4e8], sizes: [0.25, 0.5]}\n"
    )
    draw = np.random.default_rng(0)
    budget = np.repeat(np.geomspace(1e18, 1e20, 3), 6)
    params = np.sqrt(budget / 120) * np.tile(np.geomspace(0.3, 3, 6), 3)
    tokens = budget / (6 * params)
    loss = (1.7 + 400 / params**0.34 + 410 / tokens**0.28) * np.exp(draw.normal(0, 0.002, 18))
    frame = pd.DataFrame({"params": params, "tokens": tokens, "flops": budget, "loss": loss})
    frame.to_csv(path / "runs.csv", index=False)
    frame.drop(columns="flops").to_csv(path / "bare.csv", index=False)
    return path


@pytest.mark.parametrize(
    "words", [("run", "mine"), ("run", "mine", "--json"), ("bench",), ("sample", "x"), ("export", "x", "y")]
)
def test_a_verb_that_trains_asks_for_torch(folder: Path, words: tuple[str, ...]) -> None:
    done = call(folder, *words)
    assert done.returncode == 2
    assert done.stderr.startswith("scaling: this needs the package torch")
    assert "pip install 'scaling[train]'" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not done.stdout
    assert not (folder / "results" / "mine").exists()


def test_one_run_asks_for_torch(folder: Path) -> None:
    words = ("family.size=0.5", "budget.tokens=30000", "evaluation.sequences=8")
    done = call(folder, *words, main="scaling.train")
    assert done.returncode == 3
    assert "pip install 'scaling[train]'" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def table(folder: Path) -> str:
    """A table of runs from elsewhere, imported."""
    done = call(folder, "import", "bare.csv", "--into", "table", "--set", "family=llama")
    assert done.returncode == 0, done.stderr
    return "table"


FIT = ("--resamples", "20", "--starts", "4", "--quick")


def test_the_analysis_half_needs_no_torch(folder: Path, table: str) -> None:
    assert json.loads(call(folder, "plan", "mine", "--json").stdout)["total"]["cells"] == 4
    assert f"next: scaling fit {table}" in call(folder, "status", table).stdout
    assert json.loads(call(folder, "status", table, "--json").stdout)["counts"] == {"done": 18}
    done = call(folder, "run", table)
    assert done.returncode == 2
    assert ", only results in" in done.stderr
    assert f"`scaling fit {table}`" in done.stderr
    done = call(folder, "fit", table, *FIT)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_figures_and_pages_need_no_torch(folder: Path, table: str) -> None:
    for words in (("fit", table, *FIT), ("compare", "runs.csv", table, "--resamples", "20"),
                  ("figures", table, "--only", "isoflop"), ("report", table)):  # fmt: skip
        done = call(folder, *words)
        assert done.returncode == 0, done.stderr
    page = (folder / "results" / table / "report.html").read_text(encoding="utf-8")
    assert "N*" in page
    assert "18 of 18 runs have no C in the ledger; it is set to 6 N D for them" in page
    assert f"scaling import FILE --into {table}" in page


def test_figures_of_a_table_name_the_way(folder: Path) -> None:
    done = call(folder, "figures", "runs.csv")
    assert done.returncode == 2
    assert "scaling import runs.csv --into NAME" in done.stderr
