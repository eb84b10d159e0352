"""What is said about trends that a law leaves over is backed by a test at a level that is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import synthetic
from scipy import stats

from scaling.figures import drawing, source
from scaling.figures.laws import residuals


def test_the_line_is_that_of_scipy() -> None:
    rng = np.random.default_rng(0)
    x, y = np.exp(rng.normal(size=30)), rng.normal(size=30)
    t, p = residuals.trend(x, y)
    oracle = stats.linregress(np.log(x), y)
    assert p == pytest.approx(oracle.pvalue, rel=1e-9)
    assert t == pytest.approx(oracle.slope / oracle.stderr, rel=1e-9)


def test_several_questions_are_adjusted_as_statsmodels_does() -> None:
    multiple = pytest.importorskip("statsmodels.stats.multitest")
    p = {"N": 0.03, "D": 0.012, "C": 0.4}
    assert list(residuals.holm(p).values()) == pytest.approx(
        list(multiple.multipletests(list(p.values()), method="holm")[1])
    )


def test_a_trend_is_said_only_below_the_level(made: Path) -> None:
    data = drawing.of(source.read(made), ["residuals"])["residuals"]
    said = [name for name, t in data["trends"].items() if t["p"] < residuals.LEVEL]
    assert all(name in data["title"].split() for name in said)
    assert ("No linear trend" in data["title"]) == (not said)
    assert "Holm" in data["footer"][0]
    assert "0.05" in data["footer"][0]


def test_seldom_a_false_alarm() -> None:
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(400):
        rest = rng.normal(size=40)
        p = {name: residuals.trend(np.exp(rng.normal(size=40)), rest)[1] for name in "NDC"}
        alarms += min(residuals.holm(p).values()) < residuals.LEVEL
    assert alarms / 400 < 0.09


def test_two_runs_are_too_few_for_a_trend(tmp_path: Path) -> None:
    assert residuals.trend(np.array([1.0, 2.0]), np.array([0.0, 1.0])) == (0.0, 1.0)
    folder = synthetic.make(tmp_path / "few", budgets=(1e10,), sizes=3)
    assert "No linear trend" in drawing.of(source.read(folder), ["residuals"])["residuals"]["title"]


@pytest.mark.parametrize("budgets", [(2e10, 6e10, 2e11, 6e11, 2e12, 6.4e12), (1e10, 3e10)])
def test_every_axis_has_a_scale(tmp_path: Path, budgets: tuple[float, ...]) -> None:
    """One tick gives a place and no scale."""
    data = drawing.of(source.read(synthetic.make(tmp_path / "made", budgets=budgets)), ["residuals"])
    for axes in drawing.draw(data["residuals"]).axes[:4]:
        low, high = axes.get_xlim()
        assert sum(low <= tick <= high for tick in axes.get_xticks()) > 1, axes.get_xlabel()
