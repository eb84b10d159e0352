"""Exchange rates, accounting, targets, prices."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from scaling.errors import ConfigError, TableError
from scaling.trends import facts, shipped
from scaling.trends.ahead.loss_law import published
from scaling.trends.answers.machines import price_rates
from scaling.trends.series import Quantity, series
from scaling.trends.worth.accounting import account
from scaling.trends.worth.exchange import exchange, of_comparison
from scaling.trends.worth.price import bill, chip, cost_of_loss, sweep_bill
from scaling.trends.worth.target import target


@pytest.mark.parametrize(
    ("gain", "months"),
    [(2, (5.4, 25.2, 8.0, 24.0)), (10, (17.9, 83.7, 26.6, 79.7)), (0.5, (-5.4, -25.2, -8.0, -24.0))],
)
def test_exchange_rates(gain: float, months: tuple[float, ...]) -> None:
    assert [w.months for w in exchange(gain).worths] == pytest.approx(months, abs=0.05)


def test_both_sides_are_uncertain() -> None:
    bare, own = exchange(2)["compute"], exchange(2, (1.5, 2.6))["compute"]
    assert bare.low < bare.months < bare.high
    assert own.high - own.low > 3 * (bare.high - bare.low)
    # almost all of the spread in transistors is the gain's own
    moore = exchange(2, (1.5, 2.6))["transistors"]
    assert (moore.low, moore.high) == pytest.approx((24 * math.log2(1.5), 24 * math.log2(2.6)), rel=0.03)
    drawn = exchange(2, draws=np.exp(np.random.default_rng(0).normal(math.log(2), 0.2, 500)))["algorithms"]
    assert drawn.low < 8 < drawn.high


def test_a_gain_that_may_be_a_loss_spans_zero() -> None:
    worth = exchange(1.05, (0.9, 1.2))["compute"]
    assert worth.low < 0 < worth.high


@pytest.mark.parametrize(
    ("gain", "interval", "says"),
    [
        (0, None, "gain is 0"),
        (-2, None, "-2"),
        (2, (3, 1), "low end first"),
        (2, (0, 3), "above 0"),
        (float("nan"), None, "nan"),
    ],
)
def test_bad_gains(gain: float, interval: tuple[float, float] | None, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        exchange(gain, interval)


def test_accounting_adds_up() -> None:
    rng = np.random.default_rng(0)
    t = rng.uniform(2012, 2024, 50)
    factors = {
        "chips": 10 ** (0.3 * (t - 2012) + rng.normal(0, 0.3, 50)),
        "speed": 10 ** (0.2 * (t - 2012) + rng.normal(0, 0.1, 50)),
    }
    product = factors["chips"] * factors["speed"] * 10 ** rng.normal(0, 0.05, 50)
    a = account("compute", t, product, factors)
    assert sum(p.slope for p in a.parts) == pytest.approx(a.slope, rel=1e-12)
    assert sum(p.share for p in a.parts) == pytest.approx(1, rel=1e-12)
    shares = {p.name: p for p in a.parts}
    assert shares["chips"].share == pytest.approx(0.6, abs=0.08)
    assert shares["residual"].share_interval[0] < 0 < shares["residual"].share_interval[1]
    own = np.polyfit(t, np.log10(factors["chips"]), 1)[0]
    assert shares["chips"].slope == pytest.approx(own)
    with pytest.raises(TableError, match="at least 5"):
        account("compute", t[:4], product[:4], {k: v[:4] for k, v in factors.items()})


def test_fixed_target() -> None:
    s = series(
        Quantity(name="compute"), ["2012", "2014", "2015", "2016"], [8.0, 4.0, 6.0, 1.0], label=list("abcd")
    )
    found = target(s, "level")
    assert list(found.records.label) == ["a", "b", "d"]
    assert found.factor == 8
    assert found.halving_years_end_to_end == pytest.approx(4 / 3, rel=1e-3)
    assert found.line.falls


def test_a_bill_is_arithmetic() -> None:
    on = chip("A100 SXM4 80GB", format="bf16_tensor", dollars_per_hour=2.0)
    b = bill(3.12e14 * 0.5 * 3600 * 10, on, mfu=0.5)
    assert b.chip_hours == pytest.approx(10)
    assert b.dollars == pytest.approx(20)
    assert b.kwh == pytest.approx(10 * 400 * 1.5 * 1.1 / 1000)
    with pytest.raises(ConfigError, match="above 0"):
        bill(0, on)
    with pytest.raises(ConfigError, match="must lie in"):
        bill(1e18, on, mfu=40)
    with pytest.raises(TableError, match="did you mean"):
        chip("A100 SXM4 80 GB")
    with pytest.raises(TableError, match="no peak in fp8_tensor"):
        chip("A100 SXM4 80GB", format="fp8_tensor")


def test_a_sweeps_own_bill() -> None:
    ledger = pd.DataFrame(
        {"flops": [1e15, 3e15], "seconds": [1800, 1800], "price": [0.5, np.nan], "kwh": [np.nan, np.nan]}
    )
    found = sweep_bill(ledger, on=chip("H100 SXM", dollars_per_hour=2.0))
    assert found["hours"] == 1
    assert found["dollars"] == 0.5
    assert found["kwh"] is None
    assert found["elsewhere"]["flops"] == 4e15
    with pytest.raises(TableError, match="no runs that say their flops"):
        sweep_bill(ledger.drop(columns="flops"))


def test_a_fixed_loss_gets_cheaper() -> None:
    dollars, kwh = price_rates()
    years = np.array([2015.0, 2020.0, 2025.0])
    still = cost_of_loss(published(), 2.2, years, dollars, per_kwh=kwh)
    value = still["dollars"]["value"]
    assert value[0] / value[1] == pytest.approx(10 ** (5 * dollars.slope), rel=1e-6)
    assert all(
        a < b < c for a, b, c in zip(still["dollars"]["low"], value, still["dollars"]["high"], strict=True)
    )
    moving = cost_of_loss(published(), 2.2, years, dollars, algorithms=(0.5, 0.4, 0.7), algorithms_of=2020.0)
    assert moving["dollars"]["value"][1] == pytest.approx(value[1])
    assert moving["dollars"]["value"][2] == pytest.approx(value[2] / 2**10)
    with pytest.raises(ConfigError, match="floor"):
        cost_of_loss(published(), 1.5, years, dollars)


def test_every_priced_chip_has_a_bill() -> None:
    table = facts.load("accelerators")
    priced = table[table["price"].notna() & table["flops_fp32"].notna()]["name"]
    assert len(priced) > 10
    for name in priced:
        assert bill(1e20, chip(name, format="fp32")).dollars > 0


def test_gains_of_a_comparison() -> None:
    head = {"value": 2.0, "interval": [1.5, 2.6], "level": 0.95}
    open_ended = {"value": 3.0, "interval": [1.2, None], "level": 0.95}
    found = of_comparison(
        [
            {"of": "b", "over": "a", "headline": head},
            {"of": "c", "over": "a", "headline": open_ended},
            {"of": "d", "over": "a", "headline": {"value": None}},
        ]
    )
    assert [f["of"] for f in found] == ["b", "c"]
    assert found[0]["months"]["compute"]["value"] == pytest.approx(5.4, abs=0.05)
    assert found[0]["interval"] == [1.5, 2.6]
    assert "open" in found[1]["words"]


def test_a_rebuilt_cost_is_chip_hours_times_the_nearest_rent() -> None:
    priced = shipped.priced_models().set_index("name")
    run = priced.loc["DeepSeek-V3"]
    assert run["rebuilt"] == pytest.approx(run["chips"] * run["hours"] * 2.0)
    assert (priced["rebuilt"] > 0).all()
