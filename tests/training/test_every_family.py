"""Every family learns one batch by heart, hears the order of what it reads, and is trained, asked to leave in
the middle, and continued to the same bit."""

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
from scaling.config import Config, CorpusConfig, FamilyConfig, parse
from scaling.errors import Preempted
from scaling.training import Cell, RunPaths, record
from scaling.training.config.text import open_data
from scaling.training.lifecycle.interrupts import Pause
from scaling.training.lifecycle.run import run
from scaling.training.network import build
from scaling.training.objectives import ahead, make
from scaling.training.objectives.task import how_many

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
    objective = families.from_config(parse(FamilyConfig, family)).objective
    numbers = objective == "regression"
    context = 12 if numbers else 24
    corpus = NUMBERS if numbers else text
    if objective in ("seq2seq", "classification"):
        answer = "target" if objective == "seq2seq" else "label"
        data: Any = corpora.prepare_examples(parse(CorpusConfig, {**text, answer: answer}), root / "corpora")
    elif numbers:
        data = open_data(parse(CorpusConfig, corpus), root)
    else:
        data = corpora.prepare(parse(CorpusConfig, corpus), root / "corpora")
    config = {
        "family": family,
        "corpus": {} if not numbers else corpus,
        "context": context,
        "budget": {"tokens": STEPS * 4 * (1 if numbers else context)},
        "recipe": {"name": "fixed", "peak": 0.01, "batch_sequences": 4},
        "seed": 0,
        "evaluation": {"sequences": 8, "points": 3},
    }
    return Cell.from_config(parse(Config, config), data), data, config


def named(family: dict[str, Any]) -> str:
    return "-".join(map(str, family.values()))


@pytest.mark.parametrize("family", CASES, ids=named)
def test_one_batch_is_learnt_by_heart(family: dict[str, Any], text: dict[str, Any], tmp_path: Path) -> None:
    cell, data, _ = declared(family | {"dropout": 0.0} if "dropout" in family else family, text, tmp_path)
    task, module = make(cell, data), build(cell)
    optimizer, batch = torch.optim.Adam(module.parameters(), lr=1e-2), task.training(0)
    losses: list[float] = []
    while len(losses) < 500 and not (losses and losses[-1] < 0.05 * losses[0]):
        predictions, targets = task.predict(module, batch)
        loss = task.losses(predictions, targets).sum() / how_many(task, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.05 * losses[0], losses[::20]


@pytest.mark.parametrize("name", ["llama", "bert", "seq2seq2017", "bert_classifier"])
def test_batches_fetched_ahead_are_those_of_each_step(
    name: str, text: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell, data, _ = declared({"name": name, "size": 0.5}, text, tmp_path)
    fetched = make(cell, data)
    wanted = [0, 1, *range(25, 40), 4000, 2]
    batches = [fetched.training(step) for step in wanted]
    assert fetched.ahead.steps > 1
    monkeypatch.setattr(ahead, "_STEPS", 1)
    for step, batch in zip(wanted, batches, strict=True):
        alone = make(cell, data).training(step)
        assert alone.keys() == batch.keys()
        assert all(torch.equal(batch[key], alone[key]) for key in alone), step


@pytest.mark.parametrize("family", [case for case in CASES if case["name"] != "mlp"], ids=named)
@torch.no_grad()
def test_the_order_of_what_is_read_matters(
    family: dict[str, Any], text: dict[str, Any], tmp_path: Path
) -> None:
    """A regression reads numbers by their place; every other family reads a sequence."""
    cell, data, _ = declared(family, text, tmp_path)
    task, module = make(cell, data), build(cell).eval()
    batch = dict(task.training(0))
    before, _ = task.predict(module, batch)
    swapped = batch["tokens"].clone()
    swapped[:, [4, 6]] = batch["tokens"][:, [6, 4]]
    after, _ = task.predict(module, batch | {"tokens": swapped})
    differ = (swapped != batch["tokens"]).any(1)
    assert differ.any()
    # the last prediction of each sequence, which saw both tokens whatever their order
    last = [said.unflatten(0, (4, -1))[:, -1][differ] for said in (before, after)]
    assert not torch.allclose(*last, atol=1e-6)


@pytest.mark.parametrize("family", CASES, ids=named)
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
