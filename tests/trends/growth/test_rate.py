"""Slopes and intervals against statsmodels, SciPy and NIST; coverage on simulated clustered rows."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from scaling.errors import ConfigError, TableError
from scaling.trends.growth import intervals
from scaling.trends.growth.rate import between_short, rate, rates, span_within, span_words
from scaling.trends.series import Quantity, Series, series

# NIST StRD, Norris: linear regression, certified (itl.nist.gov/div898/strd/lls/data/Norris.shtml)
NORRIS = """0.1 0.2 338.8 337.4 118.1 118.2 888.0 884.6 9.2 10.1 228.1 226.5 668.5 666.3 998.5 996.3
449.1 448.6 778.9 777.0 559.2 558.2 0.3 0.4 0.1 0.6 778.1 775.5 668.8 666.9 339.3 338.0
448.9 447.5 10.8 11.6 557.7 556.0 228.3 228.1 998.0 995.8 888.8 887.6 119.6 120.2 0.3 0.3
0.6 0.3 557.6 556.8 339.3 339.1 888.0 887.2 998.5 999.0 778.9 779.0 10.2 11.1 117.6 118.3
228.9 229.2 668.4 669.1 449.2 448.9 0.2 0.5"""


def made(t: np.ndarray, y: np.ndarray, **options: object) -> Series:
    return series(Quantity(name="made"), list(t), list(10.0**y), keep_duplicates=True, **options)


def noisy(seed: int = 0, n: int = 60, slope: float = 0.3) -> Series:
    rng = np.random.default_rng(seed)
    t = np.sort(rng.uniform(2010.001, 2024.999, n))
    y = slope * (t - 2017) + rng.normal(0, 0.2 + 0.1 * np.abs(t - 2017))
    return made(t, y, group=[f"g{i % 12}" for i in range(n)])


def test_nist_norris() -> None:
    y, x = np.array(NORRIS.split(), float).reshape(-1, 2).T
    s = made(1000.25 + x, y / 100)  # a whole number would be a year alone, an interval
    r = rate(s, level=0.95)
    assert 100 * r.slope == pytest.approx(1.00211681802045, rel=1e-9)
    assert r.r2 == pytest.approx(0.999993745883712, rel=1e-9)
    assert 100 * r.sigma == pytest.approx(0.884796396144373, rel=1e-8)
    half = 100 * (r.high - r.low) / 2
    assert half == pytest.approx(0.429796848199937e-3 * stats.t.ppf(0.975, 34), rel=1e-7)


def test_ols_and_hc3_against_statsmodels_formulas() -> None:
    s = noisy()
    x = sm.add_constant(s.year)
    fit = sm.OLS(s.log, x).fit()
    bread = np.linalg.inv(x.T @ x)
    leverage = np.einsum("ij,jk,ik->i", x, bread, x)
    meat = x.T @ (x * (fit.resid / (1 - leverage))[:, None] ** 2)
    error = np.sqrt((bread @ meat @ bread)[1, 1])
    t = stats.t.ppf(0.95, len(s) - 2)
    r = rate(s, method="hc3", level=0.9)
    assert (r.low, r.high) == pytest.approx((r.slope - t * error, r.slope + t * error), rel=1e-6)
    r = rate(s, method="ols", level=0.9)
    low, high = (
        stats.linregress(s.year, s.log).slope + np.array([-1, 1]) * t * stats.linregress(s.year, s.log).stderr
    )
    assert (r.low, r.high) == pytest.approx((low, high), rel=1e-7)


def test_theil_sen_and_median_against_scipy_and_statsmodels() -> None:
    s = noisy(1)
    oracle = stats.theilslopes(s.log, s.year, 0.9)
    r = rate(s, method="theil-sen", level=0.9)
    assert (r.slope, r.low, r.high) == pytest.approx((oracle.slope, oracle.low_slope, oracle.high_slope))
    fit = sm.QuantReg(s.log, sm.add_constant(s.year - 2017)).fit(q=0.5, max_iter=5000)
    assert rate(s, method="median").slope == pytest.approx(fit.params[1], abs=1e-4)


def test_bootstraps_against_slow_ones() -> None:
    s = noisy(2)
    slopes = intervals.case_slopes(s, 2000, 0)
    rng = np.random.default_rng(1)
    slow = [
        np.polyfit(s.year[i] - 2017, s.log[i], 1)[0]
        for i in (rng.integers(0, len(s), len(s)) for _ in range(2000))
    ]
    assert np.quantile(slopes, [0.05, 0.95]) == pytest.approx(np.quantile(slow, [0.05, 0.95]), abs=0.004)
    names = np.unique(s.group)
    clustered = []
    for _ in range(2000):
        rows = np.concatenate([np.flatnonzero(s.group == g) for g in rng.choice(names, len(names))])
        clustered.append(np.polyfit(s.year[rows] - 2017, s.log[rows], 1)[0])
    quick = intervals.cluster_slopes(s, 2000, 0)
    assert np.quantile(quick, [0.05, 0.95]) == pytest.approx(np.quantile(clustered, [0.05, 0.95]), abs=0.004)


def test_measurement_error_widens() -> None:
    t = np.linspace(2010, 2020, 30)
    y = 0.3 * (t - 2015) + np.random.default_rng(0).normal(0, 0.02, 30)
    plain, blurred = made(t, y), made(t, y, sigma=[0.3] * 30)
    a, b = (rate(x, method="measurement") for x in (plain, blurred))
    assert b.high - b.low > 3 * (a.high - a.low)
    years = series(Quantity(name="y"), [str(int(x)) for x in t], list(10**y), keep_duplicates=True)
    assert rate(years, method="measurement").high - rate(years, method="measurement").low > a.high - a.low


@pytest.mark.parametrize("method", sorted(intervals.METHODS))
def test_same_seed_same_interval(method: str) -> None:
    assert rate(noisy(), method=method) == rate(noisy(), method=method)


def test_falling_quantities_keep_their_sign() -> None:
    s = noisy(3, slope=-0.3)
    r = rate(s)
    assert r.falls
    assert r.trending
    assert r.times_per_year < 1
    assert "halves every" in r.words()
    assert "halving_years" in r.as_dict()
    assert r.as_dict()["orders_per_year"] < 0 < r.as_dict()["halving_years"]
    assert r.doubling_interval[0] < r.doubling_years < r.doubling_interval[1]


def test_no_trend_is_never_a_number() -> None:
    rng = np.random.default_rng(5)
    s = made(np.linspace(2010, 2020, 20), rng.normal(0, 1, 20))
    for r in rates(s):
        assert r.low < 0 < r.high
        shown = r.as_dict()
        assert shown["verdict"] == "no trend"
        assert r.words().startswith("no trend")
        assert shown["times_per_year"] is None
        assert shown["doubling_years"] is None
        assert shown["orders_per_year"] is None


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 1.5])
def test_levels_outside_are_refused(level: float) -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        rate(noisy(), level=level)


def test_unknown_methods_and_missing_groups() -> None:
    with pytest.raises(ConfigError, match="'case'"):
        rate(noisy(), method="cas")
    with pytest.raises(TableError, match="needs a group column"):
        rate(made(np.arange(2010.5, 2015), np.arange(5.0)), method="cluster")
    with pytest.raises(TableError, match="one group"):
        rate(made(np.arange(2010.5, 2015), np.arange(5.0), group=["a"] * 5), method="cluster")


def test_spans_are_said_as_people_do() -> None:
    assert span_words(0.1) == "37 days"
    assert span_words(0.49) == "5.88 months"
    assert span_words(3.04) == "3.04 years"
    assert span_within(2.77, 2.4917, 3.1) == "2.77 years [2.49, 3.1]"
    assert span_within(2.4, 2.2, 2.6) == "28.8 months [26.4, 31.2]"
    assert span_within(0.2, 0.15, 0.3) == "73 days [55, 110]"
    assert between_short(2.4917, 3.1, 2.77) == "2.49–3.1 y"
    assert between_short(0.4, float("inf"), 0.5) == "4.8–∞ mo"


def test_cluster_intervals_cover_where_ols_does_not() -> None:
    """Rows of one group share an error and sit close in time: OLS is too sure of itself."""
    hits = {"ols": 0, "cluster": 0, "cluster-robust": 0}
    worlds = 120
    for seed in range(worlds):
        rng = np.random.default_rng(seed)
        start = rng.uniform(2010, 2022, 25)
        group = np.repeat(np.arange(25), 4)
        t = start[group] + rng.uniform(0, 2, 100)
        y = 0.3 * t + rng.normal(0, 0.5, 25)[group] + rng.normal(0, 0.2, 100)
        s = made(t, y - y.mean(), group=group.tolist())
        for method in hits:
            r = rate(s, method=method, level=0.9, draws=400)
            hits[method] += r.low <= 0.3 <= r.high
    assert hits["ols"] / worlds < 0.75
    assert hits["cluster"] / worlds > 0.8
    assert hits["cluster-robust"] / worlds > 0.82
