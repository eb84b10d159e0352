"""Samples of text in the report: shown as they are, escaped, and made only where weights lie beside."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import synthetic

from scaling.cli import pages
from scaling.figures import source
from scaling.figures.report import page
from scaling.training.paths import RunPaths

pytestmark = pytest.mark.usefixtures("few_conventions", "no_pictures")
EVIL = "<script>document.title='x'</script>"


def test_the_page_shows_samples_the_smallest_model_first_and_never_runs_them(tmp_path: Path) -> None:
    folder = synthetic.make(tmp_path / "made")
    rows = [
        {"run_id": "b" * 16, "params": 5000, "loss": 1.2, "text": f"large {EVIL}"},
        {"run_id": "a" * 16, "params": 1000, "loss": 2.0, "text": "small"},
    ]
    made = {"schema": 1, "prompt": EVIL, "tokens": 20, "temperature": 0.8, "seed": 0, "samples": rows}
    (folder / "samples.json").write_text(json.dumps(made), encoding="utf-8")
    text, _ = page.render(source.read(folder))
    assert 'id="samples"' in text
    assert text.index("aaaaaaaa") < text.index("bbbbbbbb")
    assert "&lt;script&gt;document" in text
    assert "<script>document.title" not in text


def test_without_samples_there_is_no_such_section(made: Path) -> None:
    assert 'id="samples"' not in page.render(source.read(made))[0]


def test_without_weights_nothing_is_written(tmp_path: Path) -> None:
    folder = synthetic.make(tmp_path / "results" / "made")
    found = source.read(folder)
    assert pages.with_samples(found) is found
    assert not (folder / "samples.json").exists()


def test_a_run_writes_once_also_when_the_ledger_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = synthetic.make(tmp_path / "results" / "made")
    runs = pd.read_parquet(folder / "ledger.parquet").assign(objective="causal")
    for run in runs["run_id"]:
        weights = RunPaths.of(tmp_path / "results", run).weights
        weights.parent.mkdir(parents=True)
        weights.touch()
    asked: list[str] = []

    def text(paths: RunPaths, settings: dict) -> str:
        asked.append(paths.folder.name)
        return f"from {paths.folder.name}"

    monkeypatch.setattr(pages, "_text", text)
    monkeypatch.setattr("scaling.extras.need", lambda name: None)
    runs.to_parquet(folder / "ledger.parquet")
    first = pages.with_samples(source.read(folder)).samples
    assert len(asked) == len(first["samples"]) == 4
    assert all(row["text"] == f"from {row['run_id']}" for row in first["samples"])
    runs.assign(seconds=1.0).to_parquet(folder / "ledger.parquet")
    again = pages.with_samples(source.read(folder)).samples
    assert len(asked) == 4
    assert again["samples"] == first["samples"]
    assert again["ledger"] != first["ledger"]
