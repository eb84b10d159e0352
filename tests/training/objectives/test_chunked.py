"""The loss in chunks of tokens is torch's, with its gradients, and nothing of tokens × vocabulary is made."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from scaling.corpora import Corpus
from scaling.errors import ConfigError
from scaling.training import Cell, RunPaths
from scaling.training.lifecycle.run import Placement, assemble, run
from scaling.training.objectives.chunked import Deferred, Headless
from scaling.training.objectives.task import IGNORED, cross_entropy

TOKENS, WIDTH, VOCAB = 100, 16, 50


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("chunk", [1, 32, 100, 1000])
def test_loss_and_gradients_are_torchs(chunk: int, smoothing: float) -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(TOKENS, WIDTH, generator=generator)
    weight = torch.randn(VOCAB, WIDTH, generator=generator)
    targets = torch.randint(VOCAB, (TOKENS,), generator=generator)
    targets[::7] = IGNORED
    ours = [features.clone().requires_grad_(), weight.clone().requires_grad_()]
    theirs = [features.clone().requires_grad_(), weight.clone().requires_grad_()]
    deferred = Deferred(features=ours[0], weight=ours[1], tokens=chunk)
    got = cross_entropy(deferred, targets, smoothing=smoothing)
    logits = F.linear(*theirs)
    expected = F.cross_entropy(
        logits, targets, ignore_index=IGNORED, reduction="none", label_smoothing=smoothing
    )
    torch.testing.assert_close(got, expected)
    assert torch.equal(deferred.argmax(-1), logits.argmax(-1))
    # every target with a weight of its own
    per_target = torch.rand(TOKENS, generator=generator)
    (got * per_target).sum().backward()
    (expected * per_target).sum().backward()
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a.grad, b.grad)


class Largest(TorchDispatchMode):
    """Notes the most elements of any tensor that an operation makes."""

    elements = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        made = func(*args, **(kwargs or {}))
        for one in made if isinstance(made, tuple | list) else (made,):
            if isinstance(one, torch.Tensor):
                self.elements = max(self.elements, one.numel())
        return made


@pytest.mark.parametrize("chunk", [None, 16])
def test_nothing_of_tokens_times_vocabulary_is_made(
    cell: Callable[..., Cell], corpus: Corpus, chunk: int | None
) -> None:
    it = cell()
    trainer = assemble(it, corpus, device=torch.device("cpu"), micro_batch=4)
    if chunk is not None:
        trainer.headless = Headless(trainer.module, chunk)
    with Largest() as largest:
        trainer.gradients(0)
    whole = 4 * it.context * it.vocab
    assert (largest.elements >= whole) == (chunk is None)
    if chunk is not None:
        assert largest.elements < whole / 2


@pytest.mark.parametrize("tied", [False, True])
def test_a_run_ends_at_the_same_loss(
    cell: Callable[..., Cell], corpus: Corpus, paths: Callable[[Cell], RunPaths], tied: bool
) -> None:
    it = cell(family={"name": "llama", "size": 0.5, "tied": tied})
    whole = run(it, corpus=corpus, paths=paths(it))
    other = RunPaths(folder=paths(it).folder.parent / "chunked" / it.run_id)
    chunks = run(it, corpus=corpus, paths=other, placement=Placement(loss_chunk=24))
    assert chunks["loss"] == pytest.approx(whole["loss"], rel=1e-5)
    assert chunks["accuracy"] == pytest.approx(whole["accuracy"], abs=0.01)
    assert chunks["run_id"] == whole["run_id"]


def test_a_head_that_cannot_be_taken_apart() -> None:
    with pytest.raises(ConfigError, match="Linear does not support a loss in chunks"):
        Headless(torch.nn.Linear(2, 2), 8)
