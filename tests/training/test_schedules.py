"""Shapes of the learning rate."""

from __future__ import annotations

import itertools
import math

import pytest

from scaling.errors import ConfigError
from scaling.training.optimization.schedules import schedule
from scaling.training.recipes.recipe import SCHEDULES


@pytest.mark.parametrize("name", SCHEDULES)
def test_warm_up_rises_to_the_peak_and_nothing_exceeds_it(name: str) -> None:
    share = schedule(name, steps=100, warmup_steps=10, decay_steps=20)
    rates = [share(step) for step in range(100)]
    assert rates[:10] == pytest.approx([(i + 1) / 11 for i in range(10)])
    assert max(rates) == 1.0 == rates[10]
    assert all(0 < r <= 1 for r in rates)
    assert all(a >= b for a, b in itertools.pairwise(rates[10:]))


def test_values() -> None:
    linear = schedule("linear", steps=110, warmup_steps=10)
    assert linear(60) == pytest.approx(0.5)
    cosine = schedule("cosine", steps=110, warmup_steps=10, final_fraction=0.1)
    assert cosine(60) == pytest.approx(0.55)
    assert cosine(35) == pytest.approx(0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi / 4)))
    wsd = schedule("wsd", steps=100, warmup_steps=10, decay_steps=20)
    assert [wsd(s) for s in (10, 50, 80)] == [1.0, 1.0, 1.0]
    assert wsd(85) == pytest.approx(0.5)
    assert schedule("constant", steps=100, warmup_steps=0)(99) == 1.0


def test_wsd_is_the_same_up_to_the_branch_at_every_horizon() -> None:
    short = schedule("wsd", steps=100, warmup_steps=10, decay_steps=20)
    long = schedule("wsd", steps=1000, warmup_steps=10, decay_steps=200)
    assert [short(s) for s in range(80)] == [long(s) for s in range(80)]


def test_against_torch() -> None:
    """`linear` and `cosine` without warm-up are torch's schedulers."""
    import torch

    for name, make in {
        "linear": lambda o: torch.optim.lr_scheduler.LinearLR(o, 1.0, 0.0, total_iters=50),
        "cosine": lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=50),
    }.items():
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        theirs, share = make(optimizer), schedule(name, steps=50, warmup_steps=0)
        for step in range(50):
            assert share(step) == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-9)
            optimizer.step()
            theirs.step()


def test_unknown_name() -> None:
    with pytest.raises(ConfigError, match="did you mean 'cosine'"):
        schedule("cosin", steps=1, warmup_steps=0)
