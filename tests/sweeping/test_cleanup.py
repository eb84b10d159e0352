"""`scaling clean`: what goes, what stays, and nothing without being told."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaling.errors import ConfigError
from scaling.sweeping import cleanup, lease
from scaling.training.paths import RunPaths

KEPT = ("record.json", "curve.csv", "config.yaml")


def run(results: Path, name: str, *, record: bool) -> RunPaths:
    paths = RunPaths.of(results, name)
    paths.make()
    for file in (
        "curve.csv",
        "config.yaml",
        "checkpoint.pt",
        "checkpoint.before.pt",
        "weights.pt",
        "weights.best.pt",
        "weights.step-10.pt",
        "record.json.damaged",
    ):
        (paths.folder / file).write_bytes(b"x" * 100)
    if record:
        paths.record.write_text("{}")
    return paths


def test_records_curves_and_configs_always_stay(tmp_path: Path) -> None:
    done = run(tmp_path, "a", record=True)
    assert cleanup.remove(cleanup.rubbish(tmp_path, list(cleanup.KINDS))) == 600
    assert sorted(path.name for path in done.folder.iterdir()) == sorted(KEPT)


def test_by_default_unfinished_runs_can_go_on(tmp_path: Path) -> None:
    open_run = run(tmp_path, "a", record=False)
    assert {one.kind for one in cleanup.rubbish(tmp_path)} == {"damaged"}
    cleanup.remove(cleanup.rubbish(tmp_path))
    assert open_run.checkpoint.exists()


def test_a_run_at_work_is_left_alone(tmp_path: Path) -> None:
    paths = run(tmp_path, "a", record=False)
    with lease.take(paths.claim):  # type: ignore[union-attr]
        assert cleanup.rubbish(tmp_path, list(cleanup.KINDS)) == []


def test_an_unknown_kind(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'weights'"):
        cleanup.rubbish(tmp_path, ["weigths"])
