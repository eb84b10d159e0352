"""BERT fine-tuned for classes: labels reach the model, padding does not, and the measures are a library's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import classification_report

from scaling import corpora
from scaling.config import Config, CorpusConfig, parse
from scaling.corpora import Examples
from scaling.errors import ConfigError
from scaling.training import Cell, RunPaths
from scaling.training.evaluation import Precision, evaluate
from scaling.training.lifecycle.run import run
from scaling.training.objectives import make
from scaling.training.sample import load


def rows(seed: int, answers: list[str]) -> list[dict[str, str]]:
    """Sentences whose class is one word in them; `answers` says what each class is called."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(400):
        kind = int(rng.integers(2))
        words = [*rng.choice(["film", "play", "a", "the", "it"], rng.integers(2, 5)), ["dull", "fine"][kind]]
        made.append({"text": f"{' '.join(rng.permutation(words))} {number}", "label": answers[kind]})
    return made


def settings(root: Path, made: list[dict[str, str]]) -> dict[str, Any]:
    root.mkdir(exist_ok=True)
    (root / "rows.jsonl").write_text("\n".join(map(json.dumps, made)), encoding="utf-8")
    return {
        "name": "rows",
        "source": "files",
        "path": str(root / "rows.jsonl"),
        "tokenizer": "bytes",
        "heldout_fraction": 0.3,
        "label": "label",
    }


def config(corpus: dict[str, Any], results: Path, **changes: Any) -> dict[str, Any]:
    return {
        "family": {"name": "bert_classifier", "size": 1, "norm_position": "pre"},
        "corpus": corpus,
        "context": 32,
        "budget": {"tokens": 200 * 16 * 32},
        "recipe": {"name": "fixed", "peak": 0.01, "batch_sequences": 16},
        "seed": 0,
        "evaluation": {"sequences": 64, "points": 2},
        "results": str(results),
        **changes,
    }


def train(cfg: dict[str, Any], examples: Examples) -> tuple[Cell, dict[str, Any]]:
    cell = Cell.from_config(parse(Config, cfg), examples)
    got = run(
        cell, corpus=examples, paths=RunPaths.of(cfg["results"], cell.run_id), config=parse(Config, cfg)
    )
    assert got["status"] == "done", got["reason"]
    return cell, got


def test_a_pretrained_encoder_learns_classes(tmp_path: Path) -> None:
    corpus = settings(tmp_path / "text", rows(0, ["bad", "good"]))
    examples = corpora.prepare_examples(parse(CorpusConfig, corpus), tmp_path / "corpora")
    masked = config(corpus, tmp_path, budget={"tokens": 30 * 16 * 32})
    masked["family"] = {"name": "bert", "size": 1, "norm_position": "pre"}
    parent, before = train(masked, examples)  # it reads the texts of the training side, and no label
    assert before["objective"] == "masked"
    cell, got = train(config(corpus, tmp_path, start={"run": parent.run_id}), examples)
    assert (got["objective"], got["parent"]) == ("classification", parent.run_id)
    assert got["loss"] < 0.2 < np.log(2)
    assert got["accuracy"] > 0.9
    # every measure is that of the library over the very predictions
    _, _, module = load(RunPaths.of(tmp_path, cell.run_id), corpus_root=tmp_path / "corpora")
    batch = make(cell, examples).heldout()
    said = module(batch["tokens"], batch["lengths"]).argmax(-1)
    report = classification_report(batch["targets"], said, output_dict=True)["macro avg"]
    assert [got["precision"], got["recall"], got["f1"]] == pytest.approx(
        [report["precision"], report["recall"], report["f1-score"]]
    )


def test_labels_that_say_nothing_are_not_learnt(tmp_path: Path) -> None:
    made = rows(0, ["bad", "good"])
    labels = np.random.default_rng(1).permutation([row["label"] for row in made])
    corpus = settings(
        tmp_path / "text", [{**row, "label": str(la)} for row, la in zip(made, labels, strict=True)]
    )
    examples = corpora.prepare_examples(parse(CorpusConfig, corpus), tmp_path / "corpora")
    _, got = train(config(corpus, tmp_path), examples)
    assert got["accuracy"] < 0.7, "nothing but the labels can tell it the class"


def test_padding_changes_no_logit_and_no_loss(tmp_path: Path) -> None:
    corpus = settings(tmp_path / "text", rows(0, ["bad", "good"]))
    examples = corpora.prepare_examples(parse(CorpusConfig, corpus), tmp_path / "corpora")
    cell = Cell.from_config(parse(Config, config(corpus, tmp_path)), examples)
    module = cell.architecture.build(cell.shape, seed=0)
    task = make(cell, examples)
    batch = task.heldout()
    logits = module(batch["tokens"], batch["lengths"])
    beyond = torch.arange(32) >= batch["lengths"][:, None]
    other = torch.where(beyond, torch.randint(0, 256, batch["tokens"].shape), batch["tokens"])
    torch.testing.assert_close(module(other, batch["lengths"]), logits)
    longest = int(batch["lengths"].max())
    torch.testing.assert_close(module(batch["tokens"][:, :longest], batch["lengths"]), logits)
    # a token inside does
    other = batch["tokens"].clone()
    other[:, 0] = (other[:, 0] + 1) % 256
    assert not torch.allclose(module(other, batch["lengths"]), logits)
    found = evaluate(module, task, batch, precision=Precision(device=torch.device("cpu")), measures=True)
    assert found.counts.sum() == 64, "an example counts once, however long it is"
    assert found.measures["accuracy"] == float((logits.argmax(1) == batch["targets"]).double().mean())


def test_fewer_labels_are_the_first_of_more(tmp_path: Path) -> None:
    corpus = settings(tmp_path / "text", rows(0, ["bad", "good"]))
    examples = corpora.prepare_examples(parse(CorpusConfig, corpus), tmp_path / "corpora")
    seen: list[set[bytes]] = []
    for labels in (16, 64):
        cell = Cell.from_config(
            parse(Config, config(corpus | {"unique_tokens": labels * 32}, tmp_path)), examples
        )
        task = make(cell, examples)
        seen.append({row.numpy().tobytes() for step in range(12) for row in task.training(step)["tokens"]})
        assert (cell.tokens_unique, len(seen[-1])) == (labels * 32, labels)
    assert seen[0] < seen[1]


def test_other_classes_are_refused(tmp_path: Path) -> None:
    corpus = settings(tmp_path / "text", rows(0, ["bad", "good"]))
    examples = corpora.prepare_examples(parse(CorpusConfig, corpus), tmp_path / "corpora")
    family = {"name": "bert_classifier", "size": 1, "classes": 3}
    with pytest.raises(ConfigError, match=r"has 2 labels, bad, good; set family\.classes=2"):
        Cell.from_config(parse(Config, config(corpus, tmp_path, family=family)), examples)
    with pytest.raises(ConfigError, match=r"set corpus\.target instead"):
        Cell.from_config(parse(Config, config(corpus, tmp_path, family={"name": "t5", "size": 1})), examples)
    with pytest.raises(ConfigError, match="whole number, 2 or more"):
        Cell.from_config(parse(Config, config(corpus, tmp_path, family=family | {"classes": 1})), examples)
