"""Every family is trained, asked to leave in the middle, and continued to the same bit."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from scaling import corpora, families
from scaling.errors import Preempted
from scaling.training import Cell, RunPaths, record
from scaling.training.run import run
from scaling.training.running.pause import Pause
from scaling.training.solving.data import open_data

SAME = ("loss", "loss_se", "loss_train", "loss_best", "accuracy", "bleu", "status", "steps_done")
STEPS = 14
NUMBERS = {"name": "spectrum", "source": "regression", "task": "spectrum", "features": 12, "alpha": 0.5}
CASES: list[dict[str, Any]] = [
    *({"name": name, "size": 0.5} for name in ("llama", "gpt2", "transformer2017", "lstm", "bert")),
    # dropout makes the random generator's state matter, experts a loss of their own
    {"name": "llama", "size": 0.5, "experts": 4, "dropout": 0.1},
    {"name": "lstm", "size": 0.5, "truncate": 5},
    {"name": "seq2seq2017", "size": 0.5},
    {"name": "t5", "size": 0.5},
    {"name": "bert_classifier", "size": 0.5, "classes": 2},
    {"name": "mlp", "size": 4},
    {"name": "hf", "size": 1, "model_type": "mamba"},
]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Rows of words, with the text reversed as a translation and its first word as a label."""
    root = tmp_path_factory.mktemp("rows")
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(150):
        words = " ".join([["dull", "fine"][rng.integers(2)], *rng.choice(["film", "play", "it"], 3)])
        rows.append({"text": words, "target": words[::-1], "label": words[:4]})
    (root / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return {
        "name": "rows",
        "source": "files",
        "path": str(root / "rows.jsonl"),
        "tokenizer": "bytes",
        "heldout_fraction": 0.3,
    }


def declared(family: dict[str, Any], text: dict[str, Any], root: Path) -> tuple[Cell, Any, dict[str, Any]]:
    """A run of STEPS steps, and its data."""
    objective = families.from_config(family)[0].objective
    numbers = objective == "regression"
    context = 12 if numbers else 24
    corpus = NUMBERS if numbers else text
    if objective in ("seq2seq", "classification"):
        answer = "target" if objective == "seq2seq" else "label"
        data: Any = corpora.prepare_examples({**text, answer: answer}, root / "corpora")
    elif numbers:
        data = open_data(corpus, root)
    else:
        data = corpora.prepare(corpus, root / "corpora")
    config = {
        "family": family,
        "corpus": {} if not numbers else corpus,
        "context": context,
        "budget": {"tokens": STEPS * 4 * (1 if numbers else context)},
        "recipe": {"name": "fixed", "peak": 0.01, "batch_sequences": 4},
        "seed": 0,
        "evaluation": {"sequences": 8, "points": 3},
    }
    return Cell.from_config(config, data), data, config


@pytest.mark.parametrize("family", CASES, ids=lambda f: "-".join(map(str, f.values())))
def test_killed_and_continued_to_the_same_bit(
    family: dict[str, Any], text: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell, data, _ = declared(family, text, tmp_path)
    assert cell.steps == STEPS
    calm, wild = (RunPaths.of(tmp_path / name, cell.run_id) for name in ("calm", "wild"))
    run(cell, corpus=data, paths=calm)
    heartbeat = Pause.__call__

    def leaves(self: Pause) -> None:
        if self.trainer.state.step == STEPS // 2:
            os.kill(os.getpid(), signal.SIGTERM)
        heartbeat(self)

    monkeypatch.setattr(Pause, "__call__", leaves)
    with pytest.raises(Preempted):
        run(cell, corpus=data, paths=wild)
    monkeypatch.undo()
    assert not wild.record.exists()
    run(cell, corpus=data, paths=wild)
    one, other = record.read(calm), record.read(wild)
    assert one["status"] == "done", one["reason"]
    assert [one[name] for name in SAME] == [other[name] for name in SAME]
    assert calm.curve.read_text() == wild.curve.read_text()
    weights = [torch.load(paths.weights, weights_only=True)["module"] for paths in (calm, wild)]
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.equal(weights[1][name], tensor) for name, tensor in weights[0].items())


def test_no_family_is_left_out() -> None:
    assert {case["name"] for case in CASES} == set(families.names())
