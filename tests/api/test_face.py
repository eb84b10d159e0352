"""`import scaling` is light, and one call does what one expects."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import scaling
from scaling.api.fits import Fit
from scaling.errors import ConfigError, ScalingError, TableError

ROOT = Path(__file__).parents[2]
LETTERS = {"N": "params_m * 1e6", "D": "tokens_b * 1e9", "L": "val_loss"}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Thirty runs of family a on the law of Hoffmann et al. with noise, and some of family b."""
    rng = np.random.default_rng(0)
    n, d = np.meshgrid(np.geomspace(1e7, 1e9, 6), np.geomspace(1e9, 1e11, 5))
    loss = 1.69 + 406.4 * n.ravel() ** -0.34 + 410.7 * d.ravel() ** -0.28
    rows = {"params_m": n.ravel() / 1e6, "tokens_b": d.ravel() / 1e9, "family": "a"}
    runs = pd.DataFrame({**rows, "val_loss": loss * np.exp(rng.normal(0, 0.003, n.size))})
    return pd.concat([runs, runs.head(4).assign(family="b", val_loss=9.0)], ignore_index=True)


@pytest.fixture(scope="module")
def fit(frame: pd.DataFrame) -> Fit:
    return scaling.fit(frame, law="chinchilla", where="family == 'a'", resamples=200, **LETTERS)


def test_every_name_is_there_and_torch_is_not() -> None:
    code = (
        "import sys, scaling;"
        "assert not {'numpy', 'pandas', 'torch', 'hydra'} & set(sys.modules);"
        "[getattr(scaling, name) for name in scaling.__all__];"
        "assert 'torch' not in sys.modules; assert set(scaling.__all__) <= set(dir(scaling))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(AttributeError, match="it has Law, allocate"):
        scaling.fits  # noqa: B018


def test_every_kind_of_table_gives_the_same_fit(frame: pd.DataFrame, fit: Fit, tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    frame.to_csv(path, index=False)
    for table in (path, str(path), pa.Table.from_pandas(frame), frame.to_dict("records")):
        again = scaling.fit(table, where="family == 'a'", resamples=200, **LETTERS)
        assert again.values == pytest.approx(fit.values, rel=1e-9)


def test_a_fit_answers(fit: Fit) -> None:
    table = fit.to_frame()
    assert list(table.index[:5]) == ["E", "A", "B", "alpha", "beta"]
    assert table.loc["alpha", "low"] < 0.34 < table.loc["alpha", "high"]
    prediction = fit.predict(N=70e9, D=1.4e12).to_frame()
    assert prediction.loc[0, "low"] < 1.937 < prediction.loc[0, "high"]
    best = fit.allocate(1e21)
    assert best.optimum.N.value * best.optimum.D.value * 6 == pytest.approx(1e21, rel=1e-6)
    assert "N: " in repr(best)
    assert len(fit.next_runs(cells=2, simulations=0).to_frame()) == 2
    assert fit.forecast(N=2e9, D=2e11).to_frame().loc[0, "decades_beyond"] > 0
    assert "certificate: holds" in fit.summary()
    assert "<table" in fit._repr_html_()


def test_a_fit_draws_the_pictures_of_the_command(fit: Fit, tmp_path: Path) -> None:
    picture = fit.plot()
    assert picture.data["figure"] == "surface"
    picture.save(tmp_path / "fit.svg")
    assert (tmp_path / "fit.svg").stat().st_size > 1000
    with pytest.raises(ConfigError, match="did you mean 'surface'"):
        fit.plot("surfase")
    with pytest.raises(TableError, match="cannot be drawn"):
        fit.plot("positions")


def test_a_mistake_is_one_sentence(frame: pd.DataFrame, fit: Fit) -> None:
    with pytest.raises(ConfigError, match="did you mean 'level'"):
        scaling.fit(frame, levl=0.9)
    with pytest.raises(ConfigError, match="needs a value of D"):
        fit.predict(N=1e9)
    with pytest.raises(ConfigError, match="variable of chinchilla"):
        fit.predict(N=1e9, D=1e9, Q=1)


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda fit, frame: fit.allocate("much"), "the budget in FLOPs is 'much'"),
        (lambda fit, frame: fit.predict(N=-1, D=1e6), "N is -1; it must be positive"),
        (lambda fit, frame: fit.predict(N="big", D=1e6), "N is 'big'; give a number"),
        (lambda fit, frame: fit.predict(N=[1e6, 2e6], D=[1e7, 2e7, 3e7]), "lengths, N 2, D 3"),
        (
            lambda fit, frame: scaling.fit(frame, N=frame.params_m, D="D", L="L"),
            "N is a Series; give the name",
        ),
        (lambda fit, frame: scaling.fit([]), "has no rows"),
        (lambda fit, frame: scaling.fit(frame, N="N", D="D", L="L", resamples=-1), "resamples is -1; give a"),
        (lambda fit, frame: fit.forecast(N="big", D=1e6), "N is 'big'; give a number"),
        (lambda fit, frame: fit.forecast(N=-1e9, D=1e6), "N is -1000000000.0; it must be positive"),
        (lambda fit, frame: fit.next_runs(cells=10**9), "cells is 1000000000; give a whole number from 1"),
        (lambda fit, frame: fit.next_runs(simulations=10**9), "simulations is 1000000000; give a whole"),
        (lambda fit, frame: fit.next_runs(reach="4"), "the reach is 4; give a number above zero"),
        (lambda fit, frame: scaling.compare([frame, frame]), "needs two tables or more"),
        (
            lambda fit, frame: scaling.fit(frame, N="N", D="D", L="L", where=3),
            "an expression is given as a int",
        ),
        (
            lambda fit, frame: scaling.fit(frame, N="params_m", D="tokens_b", L="val_loss", weights=3),
            "is given as a int",
        ),
        (lambda fit, frame: scaling.plan("demo", ["seed=1"]), r"an override is \['seed=1'\]"),
        (lambda fit, frame: scaling.plan(3), "the sweep is 3; give its name"),
        (lambda fit, frame: scaling.runs("transfer-gpu"), "type first: scaling run transfer-gpu"),
    ],
)
def test_an_argument_that_cannot_be_is_one_sentence(
    ask: Callable[[Fit, pd.DataFrame], object], sentence: str, fit: Fit, frame: pd.DataFrame
) -> None:
    with pytest.raises(ScalingError, match=sentence):
        ask(fit, frame)


def test_runs_plan_and_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    runs = scaling.runs("demo-2-cores")
    assert {"run_id", "params", "tokens", "loss"} <= set(runs)
    plan = scaling.plan("demo")
    assert set(plan.to_frame()["run_id"]) == set(runs["run_id"])
    assert repr(plan).startswith("Plan of demo: 36 cells")
