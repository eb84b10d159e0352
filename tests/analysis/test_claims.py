"""Every claim is regenerated from the committed ledgers and shipped facts; the index and the page agree."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scaling.figures import style
from tests.figures.overlaps import overlaps

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "analysis" / "claims"))
import forest  # noqa: E402
from claim import drawn  # noqa: E402

SCRIPTS = sorted((ROOT / "analysis" / "claims").glob("q[0-9]*.py"))
INDEX = yaml.safe_load((ROOT / "analysis" / "index.yaml").read_text(encoding="utf-8"))
PAGE = (ROOT / "analysis" / "CLAIMS.md").read_text(encoding="utf-8")


def python(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=600)


@pytest.mark.slow
def test_nothing_drifts() -> None:
    done = python("analysis/claims/all.py", "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_question_has_its_claim() -> None:
    assert list(INDEX) == [f"Q{number}" for number in range(1, 15)]
    for name, row in INDEX.items():
        assert f"## {name}\n" in PAGE
        told = json.loads((ROOT / row["numbers"]).read_text(encoding="utf-8"))
        assert told["verdict"] in PAGE
        assert (told["state"] == "not measured") == (not told["numbers"])
        assert told["needs"] or told["state"] == "measured"
        assert (ROOT / row["figure"]).is_file()


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", sorted((ROOT / "results" / "claims").glob("*.figure.json")), ids=lambda p: p.name
)
def test_a_figure_comes_back_from_its_json_alone(path: Path) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    assert drawn(data) == drawn(json.loads(path.read_text(encoding="utf-8")))
    assert "redraw: " in " ".join(data["footer"])
    if data["figure"] == forest.NAME:
        with style.printed_on():
            assert overlaps(forest.draw(data)) == []


def test_every_number_says_how_it_was_made() -> None:
    for row in INDEX.values():
        for number in json.loads((ROOT / row["numbers"]).read_text(encoding="utf-8"))["numbers"]:
            assert number["method"]
            assert number["range"]
            assert (number["level"] is not None) == (number["interval"] is not None)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_is_thin(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 80
    assert text.startswith(f'"""Q{int(script.stem[1:3])}: ')
    assert "scipy" not in text


def test_no_claim_needs_torch() -> None:
    names = ", ".join(script.stem for script in SCRIPTS)
    code = (
        f"import sys; sys.path.insert(0, 'analysis/claims'); import {names}; assert 'torch' not in "
        "sys.modules"
    )
    done = python("-c", code)
    assert done.returncode == 0, done.stderr


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "analysis" / target).resolve().exists(), target
