"""The loop against torch, transformers and arithmetic that we did not write."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from scaling import corpora
from scaling.corpora import Corpus
from scaling.errors import Diverged
from scaling.tables import schema
from scaling.training import Cell, RunPaths
from scaling.training.evaluation import Evaluation, bits_per_byte
from scaling.training.lifecycle.run import Placement, assemble, run
from scaling.training.loop import Trainer, evaluation_steps, train
from scaling.training.objectives.language import Causal

CPU = torch.device("cpu")


def trainer(cell: Cell, corpus: Corpus, micro_batch: int | None = None) -> Any:
    return assemble(cell, corpus, device=CPU, micro_batch=micro_batch or cell.hyperparameters.batch_sequences)


def test_loss_is_that_of_transformers(cell: Callable[..., Cell], corpus: Corpus) -> None:
    """`transformers` shifts labels itself: the same loss means that ours are shifted right."""
    from transformers.loss.loss_utils import ForCausalLMLoss

    it = trainer(cell(), corpus)
    window = torch.from_numpy(corpora.batch(corpus.train, seed=0, step=0, sequences=4, context=16))
    logits = it.module(window[:, :-1]).detach()
    # the 17th token is only ever a target: the logits after it are never looked at
    logits = torch.cat([logits, torch.full_like(logits[:, :1], math.nan)], dim=1)
    expected = ForCausalLMLoss(logits, window, vocab_size=corpus.vocab)
    assert float(it.gradients(0)) == pytest.approx(float(expected), abs=2e-6)


def test_loss_is_cross_entropy_of_the_next_token(cell: Callable[..., Cell], corpus: Corpus) -> None:
    it = trainer(cell(), corpus)
    window = torch.from_numpy(corpora.batch(corpus.train, seed=0, step=0, sequences=4, context=16))
    logits = it.module(window[:, :-1])
    by_hand = -torch.log_softmax(logits.double(), -1).gather(-1, window[:, 1:, None]).mean()
    assert float(it.gradients(0)) == pytest.approx(float(by_hand.detach()), abs=1e-5)


def test_a_copy_of_the_token_itself_cannot_be_learnt(corpus: Corpus, cell: Callable[..., Cell]) -> None:
    """On independent uniform tokens nothing beats ln V. Unshifted labels would be learnt to almost zero at
    once."""
    it = trainer(cell(budget={"tokens": 300 * 4 * 16}), corpus)
    noise = np.random.default_rng(0).integers(0, 256, 1 << 16).astype(np.uint8)
    it.task = Causal(cell=it.cell, corpus=SimpleNamespace(train=noise))
    train(it, pause=lambda: None)
    # 300 steps reach 2.3 on text; here they stay within noise of ln 256 = 5.545, and above it
    assert min(row.loss_train for row in it.state.rows if row.loss_train is not None) > math.log(256) - 0.1


def test_one_batch_is_overfitted(corpus: Corpus, cell: Callable[..., Cell]) -> None:
    recipe = {"name": "fixed", "peak": 0.02, "batch_sequences": 4, "weight_decay": 0.0}
    it = trainer(cell(recipe=recipe, corpus={"unique_tokens": 64}, budget={"tokens": 200 * 64}), corpus)
    train(it, pause=lambda: None)
    assert it.state.tail[-1] < 0.2


@pytest.mark.parametrize("micro_batch", [1, 2, 3])
def test_accumulated_gradient_is_the_full_one(
    cell: Callable[..., Cell], corpus: Corpus, micro_batch: int
) -> None:
    it = cell()
    whole, parts = trainer(it, corpus), trainer(it, corpus, micro_batch)
    assert float(parts.gradients(3)) == pytest.approx(float(whole.gradients(3)), rel=1e-6)
    for a, b in zip(whole.module.parameters(), parts.module.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-4, atol=1e-7)


def test_clipping_is_torchs(cell: Callable[..., Cell], corpus: Corpus) -> None:
    it = cell()
    ours, theirs = trainer(it, corpus), trainer(it, corpus)
    ours.gradients(0)
    theirs.gradients(0)
    norm = ours.optimizers.clip(0.05)
    expected = torch.nn.utils.clip_grad_norm_(theirs.module.parameters(), 0.05)
    assert float(norm) == pytest.approx(float(expected), rel=1e-6)
    for a, b in zip(ours.module.parameters(), theirs.module.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad)


def test_standard_error_is_that_of_the_mean_over_sequences() -> None:
    rng = np.random.default_rng(1)
    sums = rng.normal(100, 10, 50)
    same = Evaluation(sums=sums, counts=np.full(50, 40.0), by_position=np.empty((2, 0)))
    assert same.loss == pytest.approx(np.mean(sums / 40))
    assert same.loss_se == pytest.approx(np.std(sums / 40, ddof=1) / math.sqrt(50))
    # unequal counts: against the bootstrap over sequences
    counts = rng.integers(10, 60, 400).astype(float)
    uneven = Evaluation(sums=counts * rng.normal(2.5, 0.4, 400), counts=counts, by_position=np.empty((2, 0)))
    picks = rng.integers(0, 400, (4000, 400))
    means = uneven.sums[picks].sum(1) / uneven.counts[picks].sum(1)
    assert uneven.loss_se == pytest.approx(means.std(), rel=0.05)


def test_evaluation_is_the_mean_over_the_held_out_set(cell: Callable[..., Cell], corpus: Corpus) -> None:
    # dropout acts in training alone
    it = trainer(cell(family={"name": "llama", "size": 0.5, "dropout": 0.3}), corpus)
    windows = torch.from_numpy(corpora.heldout(corpus.heldout, sequences=32, context=16))
    it.module.eval()
    with torch.no_grad():
        losses = F.cross_entropy(it.module(windows[:, :-1]).transpose(1, 2), windows[:, 1:], reduction="none")
    per_sequence = losses.double().mean(1).numpy()
    it.module.train()
    evaluation = it.evaluate()
    assert it.module.training
    assert evaluation.loss == pytest.approx(per_sequence.mean(), abs=1e-6)
    assert evaluation.loss_se == pytest.approx(per_sequence.std(ddof=1) / math.sqrt(32), rel=1e-5)


def test_bits_per_byte_of_a_uniform_byte_model_is_eight() -> None:
    assert bits_per_byte(100 * math.log(256), 100) == pytest.approx(8.0)
    assert bits_per_byte(100 * math.log(65536), 200) == pytest.approx(8.0)


def test_a_run_that_explodes_is_recorded_as_diverged(
    cell: Callable[..., Cell], corpus: Corpus, paths: Callable[[Cell], RunPaths]
) -> None:
    wild = cell(
        recipe={"name": "fixed", "peak": 1e4, "batch_sequences": 4, "optimizer": "sgd", "clip": "none"}
    )
    got = run(wild, corpus=corpus, paths=paths(wild))
    assert got["status"] == "diverged"
    assert got["loss"] is None
    assert "at step" in got["reason"] or "before step" in got["reason"]
    assert got["steps_done"] < got["steps"]
    assert run(wild, corpus=corpus, paths=paths(wild)) == got, "a diverged run is not tried again by itself"


def test_a_loss_that_is_not_a_number_names_its_step(cell: Callable[..., Cell], corpus: Corpus) -> None:
    it = trainer(cell(), corpus)
    gradients = it.gradients

    def poisoned(step: int) -> torch.Tensor:
        loss = gradients(step)
        return loss * math.nan if step == 7 else loss

    it.gradients = poisoned
    with pytest.raises(Diverged, match="the loss was nan at step 7"):
        train(it, pause=lambda: None)


def test_the_curve_and_the_record_agree(
    cell: Callable[..., Cell], corpus: Corpus, paths: Callable[[Cell], RunPaths]
) -> None:
    it = cell()
    got = run(
        it,
        corpus=corpus,
        paths=paths(it),
        placement=Placement(peak_flops=1e9, price_per_hour=3.6, watts=3.6e6),
    )
    lines = paths(it).curve.read_text().splitlines()
    assert lines[0].split(",") == list(schema.CURVE_COLUMNS) == list(schema.CurveRow._fields)
    rows = [dict(zip(schema.CURVE_COLUMNS, line.split(","), strict=True)) for line in lines[1:]]
    assert int(rows[-1]["step"]) == got["steps"] == it.steps
    assert float(rows[-1]["loss"]) == got["loss"]
    assert float(rows[-1]["flops"]) == pytest.approx(got["flops"])
    assert sum(row["loss"] != "" for row in rows) == len(evaluation_steps(it)) + 1
    assert got["status"] == "done"
    assert got["loss"] < 3.5
    assert got["price"] == pytest.approx(got["seconds"] / 1000)
    assert got["kwh"] == pytest.approx(got["seconds"])
    assert got["mfu"] == pytest.approx(got["tokens_per_second"] * it.counts.flops_per_token / 1e9)
    assert set(got) == {*schema.COLUMNS, "config"}


def test_the_training_loss_is_no_single_batch(
    cell: Callable[..., Cell],
    corpus: Corpus,
    paths: Callable[[Cell], RunPaths],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is the mean over the last twentieth of the steps."""
    it, losses, gradients = cell(), [], Trainer.gradients

    def noted(self: Trainer, step: int) -> torch.Tensor:
        losses.append(float(loss := gradients(self, step)))
        return loss

    monkeypatch.setattr(Trainer, "gradients", noted)
    got = run(it, corpus=corpus, paths=paths(it))
    last = losses[-(it.steps // 20) :]
    assert 1 < len(last) < len(losses) == it.steps
    assert got["loss_train"] == pytest.approx(np.mean(last), rel=1e-6)


def test_a_second_run_trains_nothing(
    cell: Callable[..., Cell],
    corpus: Corpus,
    paths: Callable[[Cell], RunPaths],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = cell()
    first = run(it, corpus=corpus, paths=paths(it))
    monkeypatch.setattr(
        "scaling.training.lifecycle.run.train", lambda *a, **k: pytest.fail("it trained again")
    )
    assert run(it, corpus=corpus, paths=paths(it)) == first


def test_early_stopping_is_recorded_with_what_was_spent(
    cell: Callable[..., Cell], corpus: Corpus, paths: Callable[[Cell], RunPaths]
) -> None:
    recipe = {"name": "fixed", "peak": 0.3, "batch_sequences": 4, "patience": 1, "schedule": "constant"}
    it = cell(recipe=recipe, budget={"tokens": 400 * 64}, evaluation={"sequences": 32, "points": 40})
    got = run(it, corpus=corpus, paths=paths(it))
    assert got["steps_done"] < got["steps"]
    assert got["tokens"] == got["steps_done"] * got["batch_tokens"]
    assert got["flops"] == pytest.approx(got["tokens"] * it.counts.flops_per_token)
    assert got["reason"].startswith("stopped early")
