"""A series is checked when it is made; what may not be pooled is not."""

from __future__ import annotations

import numpy as np
import pytest

from scaling.errors import ConfigError, TableError
from scaling.trends import shipped
from scaling.trends.growth.rate import rate
from scaling.trends.series import Quantity, needs, pool, series

Q = Quantity(name="speed", unit="FLOP/s", format="fp32")


def test_rows_are_sorted_and_ranges_become_sigmas() -> None:
    s = series(
        Q,
        ["2013", "2012-01"],
        [2.0, 1.0],
        low=[1.0, np.nan],
        high=[4.0, np.nan],
        range_level=0.9,
        group=["a", "b"],
    )
    assert s.value.tolist() == [1.0, 2.0]
    assert s.group.tolist() == ["b", "a"]
    assert s.log_sigma[0] == 0
    assert s.log_sigma[1] == pytest.approx(np.log10(4) / (2 * 1.6448536), rel=1e-6)


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_log_axis_needs_positive_values(bad: float) -> None:
    with pytest.raises(TableError, match="row 2 of speed"):
        series(Q, ["2012", "2013"], [1.0, bad])


def test_duplicates_are_refused_unless_meant() -> None:
    with pytest.raises(TableError, match="row 2 repeats row 1"):
        series(Q, ["2012", "2012"], [1.0, 1.0])
    assert len(series(Q, ["2012", "2012"], [1.0, 1.0], keep_duplicates=True)) == 2
    assert len(series(Q, ["2012", "2012"], [1.0, 1.0], label=["a", "b"])) == 2


def test_one_point_and_one_date() -> None:
    with pytest.raises(TableError, match="1 row here"):
        rate(series(Q, ["2012"], [1.0]))
    with pytest.raises(TableError, match="same date"):
        needs(series(Q, ["2012"] * 3, [1.0, 2.0, 3.0]))


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (Quantity(name="speed", unit="FLOP/s", format="fp16"), "number formats 'fp32' and 'fp16'"),
        (Quantity(name="speed", unit="TFLOP/s", format="fp32"), "units"),
        (Quantity(name="speed", unit="FLOP/s", format="fp32", counts="active"), "total and active"),
        (Quantity(name="speed", unit="FLOP/s", format="fp32", benchmark="v1"), "benchmark versions"),
        (Quantity(name="power", unit="FLOP/s", format="fp32"), "quantities"),
    ],
)
def test_what_may_not_be_pooled(other: Quantity, says: str) -> None:
    a, b = series(Q, ["2012"], [1.0]), series(other, ["2013"], [2.0])
    with pytest.raises(TableError, match=says):
        pool(a, b)


def test_equal_quantities_pool() -> None:
    both = pool(series(Q, ["2013"], [1.0]), series(Q, ["2012"], [2.0]))
    assert both.value.tolist() == [2.0, 1.0]


def test_the_shipped_facts_refuse_to_mix() -> None:
    with pytest.raises(ConfigError, match="formats are not pooled"):
        shipped.chip_peak("any")
    with pytest.raises(ConfigError, match="'total' or 'active'"):
        shipped.parameters("both")
    with pytest.raises(TableError, match="total and active"):
        pool(
            shipped.parameters("total"),
            shipped.parameters("active")
            .take(slice(None))
            .__class__(
                **{
                    **vars(shipped.parameters("active")),
                    "quantity": Quantity(name="parameters (total)", counts="active"),
                }
            ),
        )
    with pytest.raises(ConfigError, match="benchmark cannot be"):
        shipped.horizons("METR-Horizon-v9")
