"""Intervals: against statsmodels where a law is linear, and that every kind covers on a law that is true."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm

from scaling.errors import ConfigError, FitError
from scaling.fitting import laws
from scaling.fitting.fit import fit as run
from scaling.fitting.law import Law, Parameter
from scaling.fitting.uncertainty import resampling
from scaling.fitting.uncertainty.profile import profile
from scaling.fitting.uncertainty.sandwich import delta_method, sandwich

LINE = Law(
    name="line",
    variables=("x",),
    target="y",
    scale="raw",
    parameters=(
        Parameter(name="k", meaning="level", start=(-1, 1)),
        Parameter(name="m", meaning="slope", start=(-1, 1)),
    ),
    function=lambda p, x: p["k"] + p["m"] * x["x"],
    formula="y = k + m x",
    source="school",
    analytic=True,
)


def line(n: int = 40, clusters: int | None = None) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    x = rng.uniform(1, 5, n)
    noise = 0.3 * rng.standard_normal(n) * x
    group = np.arange(n) if clusters is None else np.arange(n) % clusters
    if clusters:
        noise += rng.standard_normal(clusters)[group]
    return {"x": x, "y": 10 + 2 * x + noise, "group": group}


def fitted(**options: object) -> object:
    return run(line(), LINE, objective="squares", **options)


def test_sandwich_is_hc2_for_single_points_and_matches_statsmodels() -> None:
    data = line()
    fit = run(data, LINE, objective="squares", bootstrap="none")
    mine = sandwich(fit.problem, fit.optimum.u).matrix
    peer = sm.OLS(data["y"], sm.add_constant(data["x"])).fit(cov_type="HC2").cov_params()
    assert np.allclose(mine, peer, rtol=1e-6)


def test_profile_of_a_line_is_the_t_interval() -> None:
    data = line()
    fit = run(data, LINE, objective="squares", bootstrap="none")
    low, high = profile(fit.problem, fit.optimum, "m").estimate.interval
    peer = sm.OLS(data["y"], sm.add_constant(data["x"])).fit().conf_int()[1]
    assert low == pytest.approx(peer[0], rel=1e-3)
    assert high == pytest.approx(peer[1], rel=1e-3)
    with pytest.raises(ConfigError, match="fixed or tied"):
        profile(fit.problem, fit.optimum, "absent")


def test_every_bootstrap_has_about_the_width_of_the_sandwich() -> None:
    data = line(60, clusters=15)
    for name in ("pairs", "stratified", "wild", "parametric"):
        more = {"cluster": "group"} if name == "stratified" else {}
        fit = run(data, LINE, objective="squares", bootstrap=name, resamples=2000, **more)
        peer = sm.OLS(data["y"], sm.add_constant(data["x"])).fit(cov_type="HC1").conf_int()[1]
        low, high = fit.parameters["m"].interval
        assert 0.6 < (high - low) / (peer[1] - peer[0]) < 1.6, name
    fit = run(data, LINE, objective="squares", bootstrap="cluster", cluster="group", resamples=2000)
    peer = sm.OLS(data["y"], sm.add_constant(data["x"])).fit(
        cov_type="cluster", cov_kwds={"groups": data["group"]}
    )
    low, high = fit.parameters["m"].interval
    assert 0.6 < (high - low) / np.diff(peer.conf_int()[1])[0] < 1.8
    assert "cluster bootstrap over 15 clusters" in fit.parameters["m"].method


def test_weights_of_resamples_add_up() -> None:
    labels = np.repeat([0, 1, 2], [5, 10, 15])
    assert (resampling.pairs(30, 50, 0).sum(1) == 30).all()
    within = resampling.stratified(labels, 50, 0)
    assert (within[:, labels == 1].sum(1) == 10).all()
    together = resampling.cluster(labels, 50, 0)
    assert (together[:, labels == 2] == together[:, [29]]).all()
    assert pytest.approx(1) == resampling.WEBB @ resampling.WEBB / 6
    with pytest.raises(FitError, match="at least 3 clusters"):
        resampling.cluster(np.array([0, 0, 1, 1]), 10, 0)


def test_delta_method_agrees_with_the_bootstrap_on_the_compute_exponent() -> None:
    rng = np.random.default_rng(0)
    n = 200
    x = {"N": 10 ** rng.uniform(6, 9, n), "D": 10 ** rng.uniform(8, 11, n)}
    law = laws.get("chinchilla")
    clean = law.predict({"E": 1.7, "A": 400.0, "B": 900.0, "alpha": 0.34, "beta": 0.3}, x)
    fit = run({**x, "L": clean * np.exp(0.01 * rng.standard_normal(n))}, law, objective="squares")
    covariance = sandwich(fit.problem, fit.optimum.u)
    quick = delta_method(fit.problem, fit.optimum.u, covariance, law.derived["a"], 0.95)
    slow = fit.derived["a"]
    assert np.diff(quick.interval)[0] == pytest.approx(np.diff(slow.interval)[0], rel=0.25)
    huber = replace(fit.problem, loss=replace(fit.problem.loss, name="huber", delta=1e-3))
    robust = sandwich(huber, run({**x, "L": fit.problem.y}, law, bootstrap="none").optimum.u)
    ratio = np.sqrt(robust.matrix[3, 3] / covariance.matrix[3, 3])
    assert ratio == pytest.approx(np.sqrt(np.pi / 2), rel=0.25)  # LAD against squares under normal noise


@pytest.mark.parametrize("n", [3, 4])
def test_a_few_rows_have_the_t_interval(n: int) -> None:
    """Pairs of 3 rows hold one distinct row in a ninth of the resamples, and a line needs two."""
    data = line(n)
    fit = run(data, LINE, objective="squares", resamples=40_000)
    peer = sm.OLS(data["y"], sm.add_constant(data["x"])).fit().conf_int()[1]
    few = "3 rows are too few to redraw" in fit.parameters["m"].method
    assert few == (n == 3)
    if few:
        assert fit.parameters["m"].interval == pytest.approx(peer, rel=0.1)
