"""Whatever happens ends in a record or in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from scaling.corpora import Corpus
from scaling.errors import ConfigError, LaunchError
from scaling.training import Cell, RunPaths
from scaling.training.lifecycle import run as running
from scaling.training.lifecycle.run import Placement, run
from scaling.training.loop import Trainer


def test_out_of_memory_halves_the_micro_batch_and_keeps_the_batch(
    corpus: Corpus,
    cell: Callable[..., Cell],
    paths: Callable[[Cell], RunPaths],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = cell(recipe={"name": "small_decoder", "batch_sequences": 8}, budget={"tokens": 20 * 8 * 16})
    limited(monkeypatch, 2)
    got = run(it, corpus=corpus, paths=paths(it))
    assert (got["status"], got["micro_batch"], got["batch_sequences"]) == ("done", 2, 8)
    monkeypatch.undo()
    other = RunPaths(folder=paths(it).folder.parent.parent / "other" / it.run_id)
    assert run(it, corpus=corpus, paths=other)["loss"] == pytest.approx(got["loss"], abs=1e-4)


def test_out_of_memory_at_one_sequence_is_recorded(
    corpus: Corpus,
    cell: Callable[..., Cell],
    paths: Callable[[Cell], RunPaths],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limited(monkeypatch, 0)
    it = cell()
    got = run(it, corpus=corpus, paths=paths(it))
    assert got["status"] == "out_of_memory"
    assert got["reason"] == "one sequence of 16 tokens does not fit into the memory of cpu"


def limited(monkeypatch: pytest.MonkeyPatch, sequences: int) -> None:
    """Memory for so many sequences at once."""
    gradients = Trainer.gradients

    def scarce(self: Trainer, step: int) -> torch.Tensor:
        if self.micro_batch > sequences:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return gradients(self, step)

    monkeypatch.setattr(Trainer, "gradients", scarce)


def test_a_crash_leaves_its_traceback_and_one_line(
    corpus: Corpus,
    cell: Callable[..., Cell],
    paths: Callable[[Cell], RunPaths],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("a\nlong story")

    monkeypatch.setattr(running, "train", broken)
    it = cell()
    got = run(it, corpus=corpus, paths=paths(it))
    assert got["status"] == "failed"
    assert got["reason"] == "ZeroDivisionError: a (traceback in error.txt)"
    assert "in broken" in paths(it).error.read_text()


def test_the_caller_s_random_numbers_are_left_alone(
    corpus: Corpus, cell: Callable[..., Cell], paths: Callable[[Cell], RunPaths]
) -> None:
    before = torch.get_rng_state()
    it = cell()
    run(it, corpus=corpus, paths=paths(it))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("name", ["cuda:99", "tpu", "meta"])
def test_a_device_that_is_not_there(
    corpus: Corpus, cell: Callable[..., Cell], paths: Callable[[Cell], RunPaths], name: str
) -> None:
    it = cell()
    with pytest.raises(LaunchError, match=r"device\.name is"):
        run(it, corpus=corpus, paths=paths(it), placement=Placement(device=name))


def test_a_folder_of_another_run(
    corpus: Corpus, cell: Callable[..., Cell], paths: Callable[[Cell], RunPaths]
) -> None:
    with pytest.raises(ConfigError, match="is the folder of another run"):
        run(cell(), corpus=corpus, paths=paths(cell(seed=1)))


@pytest.mark.slow
def test_bfloat16_reaches_the_same_loss(
    corpus: Corpus, cell: Callable[..., Cell], paths: Callable[[Cell], RunPaths]
) -> None:
    """Mixed precision: weights stay in float32, and the loss agrees within a hundredth."""
    losses = {}
    for dtype in ("float32", "bfloat16"):
        recipe = {"name": "fixed", "peak": 0.01, "batch_sequences": 4}
        it = cell(device={"name": "cpu", "dtype": dtype}, budget={"tokens": 400 * 64}, recipe=recipe)
        got = run(it, corpus=corpus, paths=paths(it))
        losses[dtype] = got["loss"]
        state = torch.load(paths(it).weights, weights_only=True)["module"]
        assert {t.dtype for t in state.values()} == {torch.float32}
        assert got["dtype"] == dtype
    assert losses["bfloat16"] != losses["float32"]
    assert losses["bfloat16"] == pytest.approx(losses["float32"], abs=0.01)
