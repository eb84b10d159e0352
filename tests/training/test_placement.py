"""Which weights stay: held against checkpoints, curves and file sizes."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from scaling.config import Config, parse
from scaling.corpora import Corpus
from scaling.errors import ConfigError, Preempted, StorageError
from scaling.sweeping.planning import disk
from scaling.training import Cell, RunPaths, tensors
from scaling.training.lifecycle.placement import milestone_steps, milestones
from scaling.training.lifecycle.run import Placement, run
from scaling.training.sample import load
from tests.training.conftest import config
from tests.training.test_resume import leave_at

STEP_TOKENS = 64


def test_a_milestone_holds_the_weights_of_its_step(
    corpus: Corpus, cell: Callable[..., Cell], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = cell()
    paths, stopped = RunPaths.of(tmp_path / "a", it.run_id), RunPaths.of(tmp_path / "b", it.run_id)
    wanted = {"tokens": (17.0 * STEP_TOKENS,), "flops": (it.flops / 2, it.flops * 2)}
    run(it, corpus=corpus, paths=paths, placement=Placement(milestones=wanted))
    assert sorted(path.name for path in paths.folder.glob("weights.step-*.pt")) == [
        "weights.step-17.pt",
        "weights.step-20.pt",
    ], "twice the run's FLOPs are never reached"
    leave_at(monkeypatch, 17, signal.SIGTERM)
    with pytest.raises(Preempted):
        run(it, corpus=corpus, paths=stopped)
    there = tensors.read(stopped.checkpoint, it.run_id)
    assert there is not None
    kept = torch.load(paths.milestone(17), weights_only=True)
    assert kept["step"] == 17
    for name, tensor in there["module"].items():
        assert torch.equal(tensor, kept["module"][name]), name


def test_the_best_is_the_lowest_of_the_curve(
    corpus: Corpus, cell: Callable[..., Cell], tmp_path: Path
) -> None:
    """A learning rate that spoils what was learnt, so that the best lies on the way."""
    it = cell(
        recipe={"name": "fixed", "peak": 0.3, "batch_sequences": 4, "schedule": "constant", "clip": "none"},
        evaluation={"sequences": 32, "points": 12},
    )
    paths = RunPaths.of(tmp_path, it.run_id)
    run(it, corpus=corpus, paths=paths, placement=Placement(keep_best=True))
    held = pd.read_csv(paths.curve).dropna(subset="loss")
    lowest = int(held.step[held.loss.idxmin()])
    assert lowest < it.steps
    assert torch.load(paths.best, weights_only=True)["step"] == lowest


def test_the_best_of_a_run_that_improves_to_its_end_is_its_last(
    corpus: Corpus, cell: Callable[..., Cell], tmp_path: Path
) -> None:
    it = cell()
    paths = RunPaths.of(tmp_path, it.run_id)
    run(it, corpus=corpus, paths=paths, placement=Placement(keep_best=True, keep_weights=False))
    assert torch.load(paths.best, weights_only=True)["step"] == it.steps
    assert not paths.weights.exists()


def test_what_is_kept_can_be_sampled_and_is_not_science(corpus: Corpus, tmp_path: Path) -> None:
    root = corpus.folder.parent
    words = {"name": "words", "source": "files", "path": str(root.parent / "texts"), "tokenizer": "bytes"}
    asked = config(
        corpus={**words, "heldout_fraction": 0.2}, checkpoint={"milestones": {"tokens": [10 * STEP_TOKENS]}}
    )
    it = Cell.from_config(parse(Config, asked), corpus)
    assert it.run_id == Cell.from_config(parse(Config, config()), corpus).run_id
    paths = RunPaths.of(tmp_path, it.run_id)
    run(
        it,
        corpus=corpus,
        paths=paths,
        placement=Placement.from_config(parse(Config, asked)),
        config=parse(Config, asked),
    )
    _, _, early = load(paths, at="10", corpus_root=root)
    _, _, late = load(paths, corpus_root=root)
    for module, path in ((early, paths.milestone(10)), (late, paths.weights)):
        for name, tensor in torch.load(path, weights_only=True)["module"].items():
            assert torch.equal(module.state_dict()[name], tensor)
    with pytest.raises(
        StorageError, match=r"has no weights\.best\.pt; the run kept weights\.pt, weights\.step-10"
    ):
        load(paths, at="best")
    with pytest.raises(ConfigError, match="must be last, best, or the step"):
        load(paths, at="first")


def test_a_range_of_milestones(cell: Callable[..., Cell]) -> None:
    it = cell()
    wanted = milestones({"tokens": f"{STEP_TOKENS}..{16 * STEP_TOKENS} x 5"})
    assert milestone_steps(it, wanted) == (1, 2, 4, 8, 16)
    assert milestones(None) == {}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"steps": [1]}, "must be one of 'flops', 'tokens'"),
        ({"tokens": [0]}, "must be a positive number"),
        ([1000], "such as checkpoint.milestones={tokens: "),
    ],
)
def test_milestones_that_cannot_be(given: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Placement.from_config(parse(Config, {"checkpoint": {"milestones": given}}))


def test_the_plan_s_bytes_are_those_of_the_files(
    corpus: Corpus, cell: Callable[..., Cell], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = {"best": True, "milestones": {"tokens": [10 * STEP_TOKENS]}}
    it = cell(family={"name": "llama", "size": 4})
    paths = RunPaths.of(tmp_path, it.run_id)
    placement = Placement.from_config(parse(Config, {"checkpoint": keep}))
    leave_at(monkeypatch, 20, signal.SIGTERM)
    with pytest.raises(Preempted):
        run(it, corpus=corpus, paths=paths, placement=placement)
    monkeypatch.undo()
    assert paths.checkpoint.stat().st_size == pytest.approx(disk.checkpoint_bytes(it), rel=0.02)
    run(it, corpus=corpus, paths=paths, placement=placement)
    files = sum(path.stat().st_size for path in paths.folder.iterdir())
    assert files == pytest.approx(disk.kept_bytes(it, parse(Config, {"checkpoint": keep})), rel=0.02)
