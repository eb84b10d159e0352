"""The committed ledgers still give the committed fits and the JSON behind every committed picture."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scaling import figures
from scaling.figures.report import page

ROOT = Path(__file__).parents[1]
# A fit whose certificate does not hold has no optimum to come back to.
STUDIES = sorted(
    path.parent
    for path in (ROOT / "results").glob("*-*/fit.json")
    if (path.parent / "ledger.parquet").exists() and json.loads(path.read_text())["certificate"]["ok"]
)
sys.path.append(str(ROOT / "analysis"))
from drift import drift  # noqa: E402


def scaling(*words: str, cwd: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scaling", *words], cwd=cwd, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr


def test_there_is_the_demo() -> None:
    assert ROOT / "results" / "demo-2-cores" in STUDIES


@pytest.mark.slow
@pytest.mark.parametrize("study", STUDIES, ids=lambda path: path.name)
def test_the_ledger_gives_the_fit_and_the_pictures(study: Path, tmp_path: Path) -> None:
    copy = tmp_path / "results" / study.name
    shutil.copytree(study, copy, ignore=shutil.ignore_patterns("*.png", "*.svg", "*.html"))
    made = json.loads((study / "fit.json").read_text(encoding="utf-8"))
    scaling(*made["made"]["command"].split()[1:], cwd=tmp_path)
    again = json.loads((copy / "fit.json").read_text(encoding="utf-8"))
    assert drift(made, again) == []
    kept = sorted((study / "figures").glob("*.json"))
    if kept:
        scaling("figures", study.name, cwd=tmp_path)
    for path in kept:
        drawn = json.loads((copy / "figures" / path.name).read_text(encoding="utf-8"))
        assert drift(json.loads(path.read_text(encoding="utf-8")), drawn) == [], path.name


def test_what_is_known_by_theorem_was_found() -> None:
    """Noise of variance 0.5 and examples^-1/2 above it, as `sweeps/spectrum.yaml` says before it runs. Every
    run has the same held-out examples, whose own error no refit sees."""
    study = ROOT / "results" / "spectrum-2-cores"
    found = json.loads((study / "fit.json").read_text(encoding="utf-8"))["parameters"]
    low, high = found["b"]["interval"]
    assert low < 0.5 < high < low + 0.1
    low, high = found["E"]["interval"]
    heldout = 1.96 * float(np.mean(pd.read_parquet(study / "ledger.parquet")["loss_se"]))
    assert low - heldout < 0.5 < high + heldout
    assert high - low + 2 * heldout < 0.03


@pytest.mark.slow
def test_the_facts_give_the_trend_figures(tmp_path: Path) -> None:
    """All twelve, as `scaling trends figures results/trends/figures --sweep families-2-cores` made them."""
    shutil.copytree(ROOT / "results" / "families-2-cores", tmp_path / "results" / "families-2-cores")
    scaling("trends", "figures", "drawn", "--sweep", "families-2-cores", cwd=tmp_path)
    kept = sorted((ROOT / "results" / "trends" / "figures").glob("*.json"))
    assert len(kept) == 12
    for path in kept:
        drawn = json.loads((tmp_path / "drawn" / path.name).read_text(encoding="utf-8"))
        assert drift(json.loads(path.read_text(encoding="utf-8")), drawn) == [], path.name


LEDGERS = sorted(path.parent for path in (ROOT / "results").glob("*/ledger.parquet"))


@pytest.mark.parametrize("study", LEDGERS, ids=lambda path: path.name)
def test_every_study_has_a_page(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All but its pictures, which have tests of their own and take long: its words stand for any law and
    any objective."""
    monkeypatch.setattr(page, "drawn", lambda source: ([], set()))
    monkeypatch.setattr(page.explore, "payload", lambda source, table: {})
    text, said = page.render(figures.read(study))
    assert said.sentence.endswith((".", "`."))
    assert study.name in text
