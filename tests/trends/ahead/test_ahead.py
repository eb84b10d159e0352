"""Optimal allocation against a grid, projections with bands, walls and dates."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scaling.errors import ConfigError, FitError, TableError
from scaling.trends.ahead.hindcast import hindcast
from scaling.trends.ahead.loss_law import LossLaw, flops_for, from_fit, lowest_loss, optimum, published
from scaling.trends.ahead.project import project
from scaling.trends.growth.rate import rate
from scaling.trends.series import Quantity, series

LAW = published("hoffmann2022")


def trend(slope: float = 0.6, seed: int = 0):
    rng = np.random.default_rng(seed)
    t = np.sort(rng.uniform(2012.01, 2024.9, 60))
    return rate(
        series(
            Quantity(name="compute"), list(t), list(10 ** (22 + slope * (t - 2018) + rng.normal(0, 0.3, 60)))
        )
    )


@pytest.mark.parametrize("flops", [1e18, 1e22, 1e26])
def test_the_optimum_against_a_grid(flops: float) -> None:
    e, a, b, alpha, beta = LAW.table()[0]
    n = np.geomspace(flops**0.5 / 1e3, flops**0.5 * 1e3, 200_001)
    loss = e + a / n**alpha + b / (flops / 6 / n) ** beta
    log_n, _ = optimum(LAW.table(), np.array([[flops]]))
    assert np.exp(log_n[0, 0]) == pytest.approx(n[np.argmin(loss)], rel=1e-3)
    assert lowest_loss(LAW.table(), np.array([[flops]]))[0][0, 0] == pytest.approx(loss.min(), rel=1e-9)
    # Hoffmann et al.: N_opt = G (C / 6)^a with a = beta / (alpha + beta)
    assert log_n[0, 0] == pytest.approx(
        np.log((alpha * a / (beta * b)) ** (1 / (alpha + beta))) + beta / (alpha + beta) * np.log(flops / 6)
    )


def test_flops_for_a_loss_is_the_inverse() -> None:
    flops = 3.7e23
    loss = float(lowest_loss(LAW.table(), np.array([[flops]]))[0][0, 0])
    assert flops_for(LAW.table(), loss)[0] == pytest.approx(flops, rel=1e-8)
    assert flops_for(LAW.table(), 1.69)[0] == np.inf
    assert flops_for(LAW.table(), loss, tokens_at_most=1e9)[0] > flops


def test_a_projection_has_its_bands_floor_and_wall() -> None:
    law = published()
    p = project(law, trend(), until=2035, thresholds=(2.1, 1.7))
    low, high = p.bands["both"]
    assert (low <= p.loss).all()
    assert (p.loss <= high).all()
    for name in ("law", "trend"):
        a, b = p.bands[name]
        assert np.mean(b - a) <= np.mean(high - low) * 1.05
    assert (p.loss > law.floor).all()
    assert (p.walled >= p.loss - 1e-12).all()
    assert p.wall_year[1] < p.wall_year[0] < p.wall_year[2]
    reached, never = p.crossings
    assert reached.share == 1
    assert reached.low < reached.middle < reached.high
    assert never.share < 0.05
    assert never.middle is None
    json.dumps(p.as_dict(), allow_nan=False)


def test_a_law_without_draws_has_no_band() -> None:
    p = project(LAW, trend(), until=2030)
    assert "law" not in p.bands
    assert "trend" in p.bands


def test_a_threshold_date_without_uncertainty_is_exact() -> None:
    t = np.linspace(2012.1, 2024.1, 30)
    exact = rate(
        series(Quantity(name="compute"), list(t), list(10 ** (22 + 0.6 * (t - 2018) + 1e-9 * np.cos(9 * t))))
    )
    sharp = LossLaw(name="x", source="", values=LAW.values, draws=np.empty((0, 5)))
    loss = float(lowest_loss(LAW.table(), np.array([[1e25]]))[0][0, 0])
    (crossing,) = project(sharp, exact, thresholds=(loss,), until=2040).crossings
    assert crossing.middle == pytest.approx(2018 + 3 / 0.6, abs=0.01)


def test_bad_projections() -> None:
    with pytest.raises(ConfigError, match="ends before the data"):
        project(LAW, trend(), until=2015)
    flat = rate(
        series(
            Quantity(name="compute"),
            list(np.linspace(2010.1, 2020.1, 20)),
            list(10 ** np.random.default_rng(0).normal(0, 1, 20)),
        )
    )
    with pytest.raises(ConfigError, match="no trend to project"):
        project(LAW, flat, until=2030)
    with pytest.raises(TableError, match="'besiroglu2024'"):
        published("besiroglu")


def test_fits_are_read(tmp_path: Path) -> None:
    path = tmp_path / "fit.json"
    with pytest.raises(TableError, match="there is no fit"):
        from_fit(path)
    path.write_text("{")
    with pytest.raises(TableError, match="cannot be read as JSON"):
        from_fit(path)
    path.write_text(json.dumps({"law": "kaplan", "parameters": {"alpha": {"value": 0.076}}}))
    with pytest.raises(TableError, match="without E, A, B, beta"):
        from_fit(path)
    values = {k: {"value": v} for k, v in LAW.values.items()}
    boot = {
        "names": ["alpha", "beta", "E", "A", "B"],
        "draws": [[0.3, 0.3, 1.7, 400, 400], [0.3, 0.3, 1.7, -1, 400]],
    }
    path.write_text(json.dumps({"law": "chinchilla", "parameters": values, "bootstrap": boot}))
    law = from_fit(path)
    assert law.values == LAW.values
    assert law.draws.tolist() == [[1.7, 400, 400, 0.3, 0.3]]


def ladder() -> pd.DataFrame:
    """A Chinchilla surface with a tenth of a percent of noise, 6 sizes by 5 data budgets."""
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(1e6, 1e9, 6), np.geomspace(1e8, 1e11, 5)))
    e, a, b, alpha, beta = LAW.table()[0]
    noise = np.random.default_rng(0).normal(0, 1e-3, n.size)
    return pd.DataFrame({"params": n, "tokens": d, "loss": (e + a / n**alpha + b / d**beta) * np.exp(noise)})


def test_a_hindcast_from_the_smallest_runs() -> None:
    found = hindcast(ladder())
    assert found["fitted"] == 15
    assert found["predicted"] == 15
    assert found["rmse_percent"] < 2
    with pytest.raises(ConfigError, match="between 0 and 1"):
        hindcast(ladder(), share=1.0)
    with pytest.raises(FitError, match="needs 6 and 1"):
        hindcast(ladder().head(8))
