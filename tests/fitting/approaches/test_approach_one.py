"""Approach 1 in a world whose surface is known: curves of decaying learning rates mislead it, ends and held
rates do not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scaling.errors import FitError
from scaling.fitting import laws, table
from scaling.fitting.approaches.one import Curve, approach_one, curves_of
from scaling.fitting.fit import fit
from scaling.fitting.table import Table

LAW = laws.get("chinchilla")
TRUTH = {"E": 1.69, "A": 9000.0, "B": 250.0, "alpha": 0.5, "beta": 0.25}
A_TRUE = 0.25 / 0.75
SIZES = np.geomspace(3e7, 3e10, 25)
BUDGETS = np.geomspace(1e19, 1e22, 7)


def loss(size: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    return LAW.predict(TRUTH, {"N": size, "D": tokens})


def rate(progress: np.ndarray, schedule: str) -> np.ndarray:
    """Learning rate as a share of the peak, after a warm-up of 2 %."""
    falls = {
        "linear": 1 - progress,
        "cosine": 0.5 * (1 + np.cos(np.pi * progress)),
        "wsd": np.where(progress < 0.8, 1.0, (1 - progress) / 0.2),
        "constant": np.ones_like(progress),
    }[schedule]
    return falls * np.minimum(progress / 0.02, 1.0)


def grid(budgets: np.ndarray) -> list[tuple[float, float]]:
    """Sizes and tokens at every budget."""
    cells = [(size, budget / 6 / size) for size in SIZES for budget in budgets]
    return [(size, tokens) for size, tokens in cells if 0.1 < tokens / size < 30000]


def world(folder: Path, schedule: str, cells: list[tuple[float, float]], penalty: float = 0.08) -> Table:
    """A ledger of runs: a point of a curve lies above the surface by a share `penalty` of the learning rate
    that is left; the end of a decayed run lies on it."""
    rows, curves = [], []
    for size, end in cells:
        budget = 6 * size * end
        run = f"{len(rows):016d}"
        progress = np.geomspace(0.005, 1.0, 160)
        share = rate(progress, schedule)
        tokens = progress * end
        measured = loss(np.full(160, size), tokens) * (1 + penalty * share)
        rows.append(
            {
                "run_id": run,
                "status": "done",
                "params": size,
                "tokens": end,
                "flops": budget,
                "budget_flops": budget,
                "loss": measured[-1],
            }
        )
        curves.append(
            pd.DataFrame(
                {
                    "run_id": run,
                    "tokens": tokens,
                    "flops": 6 * size * tokens,
                    "learning_rate": 1e-3 * share,
                    "loss": measured,
                    "loss_train": measured,
                }
            )
        )
    folder.mkdir(exist_ok=True)
    pd.DataFrame(rows).to_parquet(folder / "ledger.parquet")
    pd.concat(curves).to_parquet(folder / "curves.parquet")
    return table.read(str(folder))


def naive(made: Table) -> list[Curve]:
    """Every point of every curve, as if it were an end."""
    assert made.folder is not None
    sizes = made.frame.set_index("run_id")["params"]
    return [
        Curve(
            size=float(sizes[run]),
            flops=part["flops"].to_numpy(),
            tokens=part["tokens"].to_numpy(),
            loss=part["loss"].to_numpy(),
        )
        for run, part in pd.read_parquet(made.folder / "curves.parquet").groupby("run_id")
    ]


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_decaying_runs_of_one_budget_a_size_are_refused_where_their_curves_mislead(
    tmp_path: Path, schedule: str
) -> None:
    made = world(tmp_path / "line", schedule, [(size, 20 * size) for size in SIZES])
    wrong = approach_one(naive(made), resamples=20)["a"]["value"]
    even = world(tmp_path / "even", schedule, [(size, 20 * size) for size in SIZES], penalty=0.0)
    assert approach_one(naive(even), resamples=20)["a"]["value"] == pytest.approx(A_TRUE, abs=0.03)
    assert abs(wrong - A_TRUE) > 0.2
    with pytest.raises(FitError, match=r"held learning rate.*there are 0"):
        approach_one(curves_of(made))


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_ends_of_several_budgets_give_the_exponent(tmp_path: Path, schedule: str) -> None:
    found = approach_one(curves_of(world(tmp_path / schedule, schedule, grid(BUDGETS))), resamples=50)
    assert found["a"]["value"] == pytest.approx(A_TRUE, abs=0.04)
    assert found["a"]["interval"][0] < A_TRUE < found["a"]["interval"][1]
    assert "ends of the runs" in found["words"]


@pytest.mark.parametrize("schedule", ["constant", "wsd"])
def test_a_held_rate_gives_its_curves(tmp_path: Path, schedule: str) -> None:
    made = world(tmp_path / schedule, schedule, grid(BUDGETS[-1:]))
    curves = curves_of(made)
    found = approach_one(curves, resamples=20)
    assert "held learning rate" in found["words"]
    assert found["a"]["value"] == pytest.approx(A_TRUE, abs=0.03)
    if schedule == "wsd":
        # The decay at the end is left out: it lies below what was held.
        assert all(c.flops[-1] <= 0.81 * BUDGETS[-1] for c in curves)


def test_sizes_and_compute_are_those_of_the_table(tmp_path: Path) -> None:
    made = world(tmp_path / "own", "constant", grid(BUDGETS[-1:]))
    own = table.read(str(tmp_path / "own"), columns={"N": "2 * params", "C": "3 * flops"})
    for one, two in zip(curves_of(made), curves_of(own), strict=True):
        assert two.size == pytest.approx(2 * one.size)
        assert two.flops == pytest.approx(3 * one.flops)


def test_runs_of_several_families_have_no_envelope_and_no_curves(tmp_path: Path) -> None:
    made = world(tmp_path / "one", "constant", grid(BUDGETS))
    alone = fit(made, LAW, resamples=20, starts=4).approaches
    assert alone is not None
    assert {"1", "2", "3"} <= set(alone.to_json())
    other = pd.read_parquet(tmp_path / "one" / "ledger.parquet")
    other["family"] = np.where(np.arange(len(other)) % 2, "llama", "gpt")
    other.loc[other["family"] == "gpt", "loss"] *= 1.3
    other.to_parquet(tmp_path / "one" / "ledger.parquet")
    mixed = fit(str(tmp_path / "one"), LAW, resamples=20, starts=4).approaches
    assert mixed is not None
    assert not {"1", "2"} & set(mixed.to_json())
    for approach in "12":
        assert "these differ in `family`; keep one value of each with --where" in mixed.missing[approach]
    kept = fit(str(tmp_path / "one"), LAW, where="family == 'llama'", resamples=20, starts=4).approaches
    assert kept is not None
    assert kept.to_json()["1"]["a"]["value"] == pytest.approx(A_TRUE, abs=0.05)
