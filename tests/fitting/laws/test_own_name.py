"""A law is what it declares, whatever it is called."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from scaling.cli import app
from scaling.errors import FitError
from scaling.figures.laws.predict import law_of
from scaling.fitting import laws
from scaling.fitting.comparison.gain import gain
from scaling.fitting.decisions.allocate import allocate, cheapest_way
from scaling.fitting.decisions.design import next_runs
from scaling.fitting.fit import fit
from scaling.fitting.fit_file import contents, refit

OWN = """
from scaling.fitting.law import Law, amplitude, exponent, floor

law = Law(
    name="chinchilla",
    variables=("N", "D"),
    formula="L = E + A N^-alpha + B (N D)^-beta",
    source="a notebook",
    parameters=(
        floor("E"),
        amplitude("A", {"N": "alpha"}),
        amplitude("B", {"N": "beta", "D": "beta"}),
        exponent("alpha"),
        exponent("beta"),
    ),
    function=lambda p, x: (
        p["E"] + p["A"] * x["N"] ** -p["alpha"] + p["B"] * (x["N"] * x["D"]) ** -p["beta"]
    ),
    analytic=True,
)
"""
TRUE = {"E": 1.7, "A": 60.0, "B": 3e4, "alpha": 0.3, "beta": 0.25}
LAW = laws.get("chinchilla")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(OWN)
    return path


def runs(law: str = "chinchilla", seed: int = 0) -> pd.DataFrame:
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e10, 6), np.geomspace(1e9, 1e11, 6)))
    clean = laws.get(law).predict(TRUE, {"N": n, "D": d})
    noise = np.exp(0.002 * np.random.default_rng(seed).standard_normal(36))
    return pd.DataFrame({"params": n, "tokens": d, "loss": clean * noise})


def test_ones_own_law_of_a_known_name_reaches_its_own_optimum(own: Path, tmp_path: Path) -> None:
    reference, frame = f"{own}:law", runs(f"{own}:law")
    named = laws.get(reference)
    found, again = (
        fit(frame, law, objective="squares", bootstrap="none") for law in (named, replace(named, name="mine"))
    )
    assert found.optimum.objective < 36 * 0.002**2
    assert np.array_equal(found.theta, again.theta)
    assert found.values["alpha"] == pytest.approx(0.3, abs=0.02)
    assert "3" not in found.approaches.to_json()
    with pytest.raises(FitError, match="gain needs"):
        gain(found, found, ("one", "two"))

    table, file = tmp_path / "runs.csv", tmp_path / "fit.json"
    frame.to_csv(table, index=False)
    words = ["fit", str(table), "--law", reference, "--objective", "squares", "--bootstrap", "none"]
    done = CliRunner().invoke(app, [*words, "--quick", "--json", "--out", str(file)])
    made = json.loads(done.stdout)
    assert made["objective"]["value"] == pytest.approx(found.optimum.objective, rel=1e-9)
    # Its file is not taken for one of the catalogue's law.
    with pytest.raises(FitError, match="another law than the chinchilla of the catalogue"):
        refit(file)
    with pytest.raises(Exception, match="not in the catalogue"):
        law_of(made)


@pytest.mark.slow
def test_a_known_law_of_another_name_stays_the_same_to_the_bit() -> None:
    named = LAW, replace(LAW, name="another")
    one, two = ([fit(runs(seed=seed), law, resamples=60) for seed in (0, 1)] for law in named)
    assert np.array_equal(one[0].draws.theta, two[0].draws.theta)
    first, second = (contents(each[0]) | {"law": ""} for each in (one, two))
    assert json.dumps(first) == json.dumps(second)
    assert "3" in first["approaches"]
    for question in (
        lambda fits: allocate(fits[0], 1e21, data_limit=1e10).to_json(),
        lambda fits: cheapest_way(fits[0], 2.2).to_json(),
        lambda fits: next_runs(fits[0], simulations=20).to_json(),
        lambda fits: gain(fits[0], fits[1], ("one", "two")).to_json(),
    ):
        assert json.dumps(question(one)) == json.dumps(question(two))
