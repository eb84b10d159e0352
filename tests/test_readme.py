"""What a machine can hold of the README: its commands run, its links lead somewhere, its numbers are made."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PLACEHOLDER = re.compile(r"\b[A-Z]{3,}\b|\b[AB]\b|…")


def commands() -> list[str]:
    """Every full command in the README: indented lines that start with one and hold no placeholder."""
    lines = [line[4:].split("  #")[0].strip() for line in README.splitlines() if line.startswith("    ")]
    return [
        line
        for line in lines
        if line.startswith(("scaling ", "python -m ")) and not PLACEHOLDER.search(line) and "  " not in line
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder with a table of runs of its own, from a known surface."""
    rng = np.random.default_rng(0)
    n, d = 10 ** rng.uniform(6, 9, 60), 10 ** rng.uniform(8, 11, 60)
    loss = (1.7 + 400 / n**0.34 + 1200 / d**0.36) * np.exp(rng.normal(0, 0.003, 60))
    pd.DataFrame({"params": n, "tokens": d, "flops": 6 * n * d, "loss": loss}).to_csv(
        tmp_path / "runs.csv", index=False
    )
    return tmp_path


def test_there_are_commands() -> None:
    assert len(commands()) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("command", commands())
def test_a_command_runs(command: str, folder: Path) -> None:
    words = shlex.split(command)
    words = (
        [sys.executable, "-m", "scaling", *words[1:]]
        if words[0] == "scaling"
        else [sys.executable, *words[1:]]
    )
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_the_python_block_runs(folder: Path) -> None:
    for block in re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL):
        done = subprocess.run(
            [sys.executable, "-c", block], cwd=folder, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        assert "alpha" in done.stdout


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_the_numbers_are_generated() -> None:
    done = subprocess.run(
        [sys.executable, "analysis/readme.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
