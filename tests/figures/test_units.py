"""Numbers as people say them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling.figures import labels, units


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (units.count(16384), "16 k"),
        (units.count(1.3e6), "1.3 M"),
        (units.count(6.4e9), "6.4 B"),
        (units.count(999_600), "1 M"),
        (units.count(0), "0"),
        (units.count(7), "7"),
        (units.flops(1.6e10), "16 GFLOP"),
        (units.flops(1.1e12), "1.1 TFLOP"),
        (units.flops(5.76e23), "580 ZFLOP"),
        (units.flops(3e28), "3×10²⁸ FLOP"),
        (units.seconds(45), "45 s"),
        (units.seconds(198), "3.3 min"),
        (units.seconds(7200), "2 h"),
        (units.seconds(0.02), "20 ms"),
        (units.seconds(3e9), "95 y"),
        (units.money(40), "$40"),
        (units.money(0.012), "$0.012"),
        (units.money(float("nan")), "–"),
        (units.percent(0.0039), "0.39 %"),
        (units.digits(16_700_000_000, 3), "1.67×10¹⁰"),
        (units.digits(999_000, 3), "999000"),
        (units.digits(-3.2e-7), "−3.2×10⁻⁷"),
        (units.power("C", 0.4637), "C⁰·⁴⁶"),
        (units.power("C", -0.05), "C⁻⁰·⁰⁵"),
        (units.interval([0.41, 0.52]), "[0.41, 0.52]"),
        (units.interval([-0.1, None]), ""),
        (units.spoken_range(1.6e10, 2.5e11, units.flops), "16 to 250 GFLOP"),
        (units.spoken_range(1.6e10, 2.5e12, units.flops), "16 GFLOP to 2.5 TFLOP"),
    ],
)
def test_spoken(said: str, expected: str) -> None:
    assert said.replace(units.SPACE, " ") == expected


@settings(deadline=None, max_examples=60)
@given(st.floats(1e-3, 1e25), st.floats(1.02, 1e12), st.integers(3, 8))
def test_log_ticks_lie_inside_and_are_few(low: float, ratio: float, most: int) -> None:
    ticks = units.log_ticks(low, low * ratio, most)
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
