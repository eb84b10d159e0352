"""Numbers as people say them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling.figures import human, labels


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (human.count(16384), "16 k"),
        (human.count(1.3e6), "1.3 M"),
        (human.count(6.4e9), "6.4 B"),
        (human.count(999_600), "1 M"),
        (human.count(0), "0"),
        (human.count(7), "7"),
        (human.flops(1.6e10), "16 GFLOP"),
        (human.flops(1.1e12), "1.1 TFLOP"),
        (human.flops(5.76e23), "580 ZFLOP"),
        (human.flops(3e28), "3×10²⁸ FLOP"),
        (human.seconds(45), "45 s"),
        (human.seconds(198), "3.3 min"),
        (human.seconds(7200), "2 h"),
        (human.seconds(0.02), "20 ms"),
        (human.seconds(3e9), "95 y"),
        (human.money(40), "$40"),
        (human.money(0.012), "$0.012"),
        (human.money(float("nan")), "–"),
        (human.percent(0.0039), "0.39 %"),
        (human.digits(16_700_000_000, 3), "1.67×10¹⁰"),
        (human.digits(999_000, 3), "999000"),
        (human.digits(-3.2e-7), "−3.2×10⁻⁷"),
        (human.power("C", 0.4637), "C⁰·⁴⁶"),
        (human.power("C", -0.05), "C⁻⁰·⁰⁵"),
        (human.interval([0.41, 0.52]), "[0.41, 0.52]"),
        (human.interval([-0.1, None]), ""),
        (human.spoken_range(1.6e10, 2.5e11, human.flops), "16 to 250 GFLOP"),
        (human.spoken_range(1.6e10, 2.5e12, human.flops), "16 GFLOP to 2.5 TFLOP"),
    ],
)
def test_spoken(said: str, expected: str) -> None:
    assert said.replace(human.SPACE, " ") == expected


@settings(deadline=None, max_examples=60)
@given(st.floats(1e-3, 1e25), st.floats(1.02, 1e12), st.integers(3, 8))
def test_log_ticks_lie_inside_and_are_few(low: float, ratio: float, most: int) -> None:
    ticks = human.log_ticks(low, low * ratio, most)
    assert all(low <= t <= low * ratio for t in ticks)
    assert len(ticks) <= most + 1
    assert ticks == sorted(ticks)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0, 100), min_size=1, max_size=12), st.floats(0.1, 5))
def test_labels_are_spread_in_order_and_no_further_than_needed(wanted: list[float], gap: float) -> None:
    placed = labels.spread(wanted, gap)
    order = np.argsort(wanted, kind="stable")
    steps = np.diff(np.array(placed)[order])
    assert (steps >= gap - 1e-9).all()
    if (np.diff(np.array(wanted)[order]) >= gap).all():
        np.testing.assert_allclose(placed, wanted, atol=1e-9)
