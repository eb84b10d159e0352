"""`scaling corpora` lists what there is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scaling import corpora
from scaling.cli import app
from scaling.config import CorpusConfig, parse

from .conftest import config


def test_the_verb_lists_names_and_what_is_prepared(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCALING_RESULTS", str(tmp_path / "results"))
    good = corpora.prepare(parse(CorpusConfig, config(folder)), tmp_path / "results" / "corpora")
    bad = corpora.prepare(parse(CorpusConfig, config(folder, name="bad")), tmp_path / "results" / "corpora")
    (bad.folder / "train.bin").write_bytes(b"")
    said = json.loads(CliRunner().invoke(app, ["corpora", "--json"], catch_exceptions=False).stdout)
    assert {row["source"] for row in said["available"]} >= {"sotu", "files", "hub", "mixture", "synthetic"}
    rows = {row["name"]: row for row in said["prepared"]}
    assert rows["mine"]["tokens"] == good.train.size + good.heldout.size
    assert rows["mine"]["licence"].startswith("unknown")
    assert "train.bin has 0 bytes" in rows[bad.folder.name]["error"]
    shown = CliRunner().invoke(app, ["corpora"], catch_exceptions=False).stdout
    assert "sotu" in shown
    assert "mine" in shown
