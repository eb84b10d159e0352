"""Members of a pack do what their runs alone do, whatever differs between them."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from scaling.corpora import Corpus
from scaling.errors import ConfigError, Diverged, Preempted
from scaling.training import Cell, RunPaths
from scaling.training.lifecycle.interrupts import Pause
from scaling.training.lifecycle.run import assemble, run
from scaling.training.loop import Trainer, train
from scaling.training.packs.run import run_together
from scaling.training.packs.stack import Stack, key, train_together


def trainer(cell: Cell, corpus: Corpus, micro_batch: int = 4) -> Trainer:
    return assemble(cell, corpus, device=torch.device("cpu"), micro_batch=micro_batch)


def recipe(**more: object) -> dict[str, object]:
    return {"name": "fixed", "peak": 0.01, "batch_sequences": 4, **more}


def losses(trainer: Trainer) -> list[float | None]:
    """The training loss of every step."""
    return [row[3] for row in trainer.state.rows]


def assert_same_weights(one: Trainer, other: Trainer) -> None:
    """To the bit."""
    for (name, weight), same in zip(one.module.named_parameters(), other.module.parameters(), strict=True):
        assert torch.equal(weight, same), name


def nothing() -> None:
    return None


@pytest.mark.slow
def test_members_end_where_their_runs_end_alone(cell: Callable[..., Cell], corpus: Corpus) -> None:
    cells = [
        cell(recipe=recipe(), seed=0),
        cell(recipe=recipe(peak=0.003, weight_decay=0.3), seed=1),
        cell(recipe=recipe(optimizer="lion", clip=0.1), seed=2, budget={"tokens": 25 * 64}),
        cell(recipe=recipe(schedule="constant"), corpus={"unique_tokens": 320}, budget={"tokens": 60 * 64}),
    ]
    assert len({key(one) for one in cells}) == 1
    for micro_batch in (4, 2):
        together = [trainer(one, corpus, micro_batch) for one in cells]
        ended = list(train_together(together, [nothing] * len(cells)))
        assert [i for i, _ in ended] == [2, 0, 1, 3], "the shortest leaves the stack first"
        assert [error for _, error in ended] == [None] * 4
        for one, member in zip(cells, together, strict=True):
            alone = trainer(one, corpus, micro_batch)
            train(alone, pause=nothing)
            assert losses(member) == losses(alone)
            assert member.evaluate().loss == alone.evaluate().loss
            assert_same_weights(member, alone)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "family",
    [
        {"name": "llama", "size": 0.25, "qk_norm": True},
        {"name": "llama", "size": 0.5, "kv_heads": 1, "norm": "layernorm", "bias": True, "position": "alibi"},
        {"name": "gpt2", "size": 0.5},
        {"name": "transformer2017", "size": 0.5, "dropout": 0.0},
        {"name": "bert", "size": 0.5},
    ],
    ids=lambda family: str(family["name"]),
)
def test_every_family_that_packs_gives_the_bits_of_its_runs_alone(
    cell: Callable[..., Cell], corpus: Corpus, family: dict[str, object]
) -> None:
    cells = [cell(recipe=recipe(), family=family, seed=seed, budget={"tokens": 640}) for seed in range(3)]
    together = [trainer(one, corpus) for one in cells]
    assert [error for _, error in train_together(together, [nothing] * 3)] == [None] * 3
    for one, member in zip(cells, together, strict=True):
        alone = trainer(one, corpus)
        train(alone, pause=nothing)
        assert losses(member) == losses(alone)
        assert_same_weights(member, alone)


def test_a_member_that_diverges_leaves_the_others_alone(cell: Callable[..., Cell], corpus: Corpus) -> None:
    calm = cell(recipe=recipe())
    wild = cell(recipe=recipe(peak=1e4, optimizer="sgd", clip="none"))
    together = [trainer(wild, corpus), trainer(calm, corpus)]
    (first, error), (second, fine) = train_together(together, [nothing] * 2)
    assert (first, second, fine) == (0, 1, None)
    assert isinstance(error, Diverged)
    alone = trainer(calm, corpus)
    train(alone, pause=nothing)
    assert losses(together[1]) == losses(alone)


def test_a_pack_leaves_the_record_of_each_and_continues(
    cell: Callable[..., Cell], corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = [cell(recipe=recipe(), seed=seed) for seed in range(2)]
    alone = [run(one, corpus=corpus, paths=RunPaths.of(tmp_path / "alone", one.run_id)) for one in cells]
    paths = [RunPaths.of(tmp_path / "pack", one.run_id) for one in cells]
    pause = Pause.__call__

    def leave(self: Pause) -> None:
        if self.trainer.state.step == 23:
            self.asked.signal = signal.SIGTERM
        pause(self)

    monkeypatch.setattr(Pause, "__call__", leave)
    left = run_together(cells, corpus=corpus, paths=paths)
    assert [type(one) for one in left] == [Preempted, Preempted]
    assert [one.checkpoint.exists() for one in paths] == [True, True]
    monkeypatch.undo()
    monkeypatch.setattr("scaling.training.lifecycle.run.train", lambda *a, **k: pytest.fail("it went alone"))
    packed = run_together(cells, corpus=corpus, paths=paths)
    assert [one["status"] for one in packed] == ["done", "done"]
    assert [one["loss"] for one in packed] == [one["loss"] for one in alone]
    assert [one["run_id"] for one in packed] == [one["run_id"] for one in alone]


def test_what_a_pack_cannot_do_its_members_do_alone(
    cell: Callable[..., Cell], corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(self: Stack) -> list[torch.Tensor]:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Stack, "gradients", no_room)
    cells = [cell(seed=seed) for seed in range(2)]
    paths = [RunPaths.of(tmp_path, one.run_id) for one in cells]
    assert [one["status"] for one in run_together(cells, corpus=corpus, paths=paths)] == ["done"] * 2
    with pytest.raises(ConfigError, match="cannot be a pack"):
        run_together([cells[0], cell(context=8)], corpus=corpus, paths=paths)
