"""Mirrors show what the ledger holds; each is read back here with its own reader."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import pytest

from scaling.config import SweepConfig, parse
from scaling.errors import ConfigError
from scaling.sweeping.launching import mirrors

ROW = {"run_id": "abc", "status": "done", "loss": 5.3, "bits_per_byte": 1.2, "seconds": 3.0, "params": 10}
CURVE = [
    {"step": 1, "loss_train": 5.5, "learning_rate": 0.1, "gradient_norm": 1.0, "loss": None},
    {"step": 2, "loss_train": 5.4, "learning_rate": 0.1, "gradient_norm": 1.0, "loss": 5.3},
]


def test_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    mirrors.tensorboard("demo", tmp_path, [(ROW, CURVE)])
    found = EventAccumulator(str(tmp_path / "tensorboard" / "abc"))
    found.Reload()
    assert [(point.step, round(point.value, 6)) for point in found.Scalars("loss_train")] == [
        (1, 5.5),
        (2, 5.4),
    ]
    assert [point.step for point in found.Scalars("loss")] == [2]


@pytest.mark.slow
def test_wandb_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    mirrors.wandb("demo", tmp_path, [(ROW, CURVE)])
    files = [file for _, _, files in os.walk(tmp_path) for file in files]
    assert any(file.endswith("abc.wandb") for file in files)


def test_trackio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("trackio")
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path))
    mirrors.trackio("demo", tmp_path, [(ROW, CURVE)])


def test_an_unknown_mirror() -> None:
    with pytest.raises(ConfigError, match="did you mean 'tensorboard'"):
        parse(SweepConfig, {"mirrors": ["tensorbord"]})
    kind = next(field for field in fields(SweepConfig) if field.name == "mirrors").metadata["kind"]
    assert kind.choices == tuple(mirrors.MIRRORS)
