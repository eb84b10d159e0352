"""A folder of our own: tiny text, tiny runs, nothing written into the checkout."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

TINY = """\
# scaling run tiny
# Minutes: 0.1. Answers: does a sweep run at all?
defaults:
  - /train
  - _self_
  - override /corpus: files
corpus: {name: tiny, path: text, document: line}
context: 16
recipe: {batch_sequences: 4}
evaluation: {sequences: 8, points: 2}
sweep:
  design: isoflop
  budgets: [2e8, 4e8]
  sizes: [0.25, 0.5]
"""


def furnish(folder: Path) -> None:
    """Text and the sweep `tiny` of four cells."""
    words = random.Random(0)
    text = folder / "text"
    text.mkdir()
    vocabulary = ["state", "union", "people", "peace", "law", "the", "of", "and", "a", "to"]
    lines = (" ".join(words.choices(vocabulary, k=12)) for _ in range(800))
    (text / "a.txt").write_text("\n".join(lines), encoding="utf-8")
    (folder / "sweeps").mkdir()
    (folder / "sweeps" / "tiny.yaml").write_text(TINY, encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with results of its own."""
    furnish(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCALING_RESULTS", raising=False)
    monkeypatch.setenv("SCALING_CACHE", str(tmp_path / "cache"))
    return tmp_path


class Bench:
    """A working folder in which `scaling` is called as a person calls it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        furnish(folder)

    def start(self, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """Starts the command."""
        environment = {
            key: value
            for key, value in (environment or os.environ).items()
            if key != "SCALING_RESULTS" and not key.endswith("_NUM_THREADS")
        }
        return subprocess.Popen(
            [sys.executable, "-m", "scaling", *arguments],
            cwd=self.folder,
            env=environment | {"SCALING_CACHE": str(self.folder / "cache")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def call(
        self, *arguments: str, code: int = 0, environment: dict[str, str] | None = None
    ) -> tuple[str, str]:
        """Runs the command to its end, checks the exit code, returns what it said."""
        process = self.start(*arguments, environment=environment)
        out, err = process.communicate(timeout=240)
        assert process.returncode == code, err
        return out, err

    def run(
        self, *arguments: str, code: int = 0, environment: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """`scaling run tiny --json`."""
        return json.loads(
            self.call("run", "tiny", "--json", *arguments, code=code, environment=environment)[0]
        )

    def losses(self, results: str = "results", sweep: str = "tiny") -> dict[str, float]:
        """Run id to final loss, from the ledger, to the last bit; one thread a run under every launcher."""
        table = pd.read_parquet(self.folder / results / sweep / "ledger.parquet")
        assert set(table.threads) <= {1}, table.threads
        return dict(zip(table.run_id, table.loss, strict=True))

    @staticmethod
    def until(true: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 240) -> bool:
        """Waits until something is true; False when the process ended before."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if true():
                return True
            if process.poll() is not None:
                return False
            time.sleep(0.01)
        raise AssertionError("waited in vain")

    @staticmethod
    def holders(results: Path) -> list[int]:
        """Process ids in the claims that stand now."""
        found = []
        for path in results.glob("runs/*/claim.json"):
            try:
                found.append(json.loads(path.read_text())["pid"])
            except (OSError, ValueError):
                continue
        return found


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The sweep `tiny`, done once in two slots into `results`."""
    made = Bench(tmp_path_factory.mktemp("bench"))
    made.first = made.run("hydra.launcher.slots=2")  # type: ignore[attr-defined]
    return made
