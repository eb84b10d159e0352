"""Words of warning: what a reader must know is said, and only then."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scaling.fitting import laws
from scaling.fitting.estimation.starts import started
from scaling.fitting.fit import fit as run
from scaling.fitting.fit import make_problem
from scaling.fitting.options import Options
from scaling.fitting.table import read
from scaling.fitting.validation.validate import validate

LAW = laws.get("chinchilla")
TRUE = {"E": 1.7, "A": 400.0, "B": 900.0, "alpha": 0.34, "beta": 0.30}


def runs(n: int = 60, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    c = 10 ** rng.uniform(17, 21, n)
    size = 0.1 * c**0.47 * 10 ** rng.uniform(-0.5, 0.5, n)
    frame = pd.DataFrame({"N": size, "D": c / 6 / size, "C": c})
    clean = LAW.predict(TRUE, {"N": frame["N"], "D": frame["D"]})
    return frame.assign(L=clean * np.exp(0.003 * rng.standard_normal(n)))


def said(frame: pd.DataFrame, **options: object) -> str:
    return "\n".join(run(frame, LAW, resamples=60, **options).warnings)


def test_checkpoints_ask_for_a_cluster_bootstrap() -> None:
    frame = runs().assign(run_id=np.repeat(np.arange(10), 6))
    assert "checkpoints of 10 runs" in said(frame)
    assert "checkpoints" not in said(frame, bootstrap="cluster", cluster="run_id")
    assert "checkpoints" not in said(runs())


def test_a_wild_bootstrap_of_absolute_deviations_is_warned_of() -> None:
    assert "wild bootstrap" in said(runs(), bootstrap="wild", delta=1e-3)
    assert "wild bootstrap" not in said(runs(), bootstrap="wild", objective="squares")


def test_few_rows_and_one_budget_and_one_size_are_said() -> None:
    assert "says little" in said(runs(7))
    flat = runs().assign(C=1e19)
    flat["D"] = flat["C"] / 6 / flat["N"]
    flat["L"] = LAW.predict(TRUE, {"N": flat["N"], "D": flat["D"]})
    assert "one compute budget" in said(flat)
    single = runs()
    single["N"] = 1e8
    single["L"] = LAW.predict(TRUE, {"N": single["N"], "D": single["D"]})
    told = said(single)
    assert "same N" in told
    assert "not determined" in told or "at a bound" in told or "at zero" in told


@pytest.mark.slow
def test_a_flat_fit_shows_its_profiles() -> None:
    single = runs(40)
    single["N"] = 10 ** np.random.default_rng(2).uniform(8, 8.02, 40)
    clean = LAW.predict(TRUE, {"N": single["N"], "D": single["D"]})
    single["L"] = clean * np.exp(0.003 * np.random.default_rng(3).standard_normal(40))
    fit = run(single, LAW, objective="squares", resamples=60)
    found = validate(fit).profiles
    assert found
    assert any(row["open_ended"] for row in found)


@pytest.mark.slow
def test_large_tables_start_on_a_part_and_end_at_the_truth() -> None:
    table = read(runs(30_000))
    problem = make_problem(LAW, table, Options(objective="squares"))
    assert len(started(problem, None)) == 1
    fit = run(table, LAW, objective="squares", bootstrap="none")
    assert abs(fit.values["alpha"] - 0.34) < 0.002
    assert fit.certificate.definite


def checkpoints() -> pd.DataFrame:
    """Six runs of 5 and 20 tokens a parameter, four points each, whose rate falls to 1e-5."""
    rows = [
        {
            "run": f"r{n:.0f}-{ratio}",
            "N": n,
            "D": ratio * n * part,
            "lr": (1 - part) * 1e-3 + 1e-5,
        }
        for n in (1e7, 1e8, 1e9)
        for ratio in (5, 20)
        for part in (0.25, 0.5, 0.75, 1.0)
    ]
    frame = pd.DataFrame(rows)
    return frame.assign(loss=LAW.predict(TRUE, {"N": frame["N"], "D": frame["D"]}))


def warned(frame: pd.DataFrame) -> str:
    return "\n".join(run(frame, LAW, bootstrap="none", starts=2).warnings)


def test_points_on_the_way_of_a_run_are_no_ends() -> None:
    frame = checkpoints()
    for shown in (frame, frame.drop(columns="run")):
        told = warned(shown)
        assert "18 of 24 rows seem to be points on the way of 6 runs" in told
        assert '--where "lr <= 1e-05", unless the rate is constant' in told
        assert "keep the best of each" not in told
    assert "on the way" not in warned(frame.query("lr <= 1e-5"))
    assert "on the way" not in warned(frame.assign(schedule="constant"))
    assert "on the way" not in warned(frame[["N", "D", "loss"]])
    assert '--where "D / N >= 20"' in warned(
        frame[["run", "N", "D", "loss"]][frame["run"].str.endswith("-20")]
    )
    assert '--where "last == 1"' in warned(frame[["run", "N", "D", "loss"]].assign(schedule="cosine"))
