"""Seeds are told from sweeps of settings: only rows between which nothing but the seed differs repeat each
other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scaling.fitting import laws
from scaling.fitting.fit import fit as run
from scaling.fitting.result import Fit
from scaling.fitting.table import read
from scaling.fitting.validation.replicates import lack_of_fit
from scaling.fitting.validation.settings import apart, kinds, settings

LAW = laws.get("chinchilla")
TRUE = {"E": 1.7, "A": 400.0, "B": 900.0, "alpha": 0.34, "beta": 0.30}
NOISE = 0.004


def runs(rates: int, seeds: int) -> pd.DataFrame:
    """Twelve cells, each at some learning rates (a quarter of a nat from one to the next) and seeds."""
    rng = np.random.default_rng(1)
    rows = [
        {
            "N": n,
            "D": d,
            "learning_rate": 1e-4 * 3**rate,
            "seed": seed,
            "run_id": f"{n:.0f}-{d:.0f}-{rate}-{seed}",
        }
        for n in np.geomspace(1e6, 1e9, 4)
        for d in np.geomspace(1e9, 1e11, 3)
        for rate in range(rates)
        for seed in range(seeds)
    ]
    frame = pd.DataFrame(rows)
    bend = 0.25 * np.log(frame["learning_rate"] / 3e-4) ** 2
    clean = LAW.predict(TRUE, {"N": frame["N"], "D": frame["D"]}) + bend
    loss = clean * np.exp(NOISE * rng.standard_normal(len(frame)))
    return frame.assign(
        loss=loss,
        loss_train=loss.round(1),
        seconds=rng.integers(1, 5, len(frame)),
        host=list("ab") * (len(frame) // 2),
    )


def fit(frame: pd.DataFrame) -> Fit:
    return run(frame, LAW, objective="squares", bootstrap="none", starts=4)


def test_a_sweep_of_learning_rates_is_no_set_of_seeds() -> None:
    made = fit(runs(rates=3, seeds=1).drop(columns="seed"))
    found = lack_of_fit(made)
    assert found["seed_deviation"] is None
    assert found["differ_in"] == ["learning_rate"]
    assert "rows at equal N and D differ in `learning_rate`" in found["words"]
    assert any("`learning_rate`; keep the best of each or filter with --where" in w for w in made.warnings)
    assert "seeds differ by" not in repr(made)


def test_seeds_within_a_sweep_keep_their_own_deviation() -> None:
    made = fit(runs(rates=3, seeds=3))
    found = lack_of_fit(made)
    assert found["differ_in"] == ["learning_rate"]
    assert found["degrees_of_freedom"][1] == 36 * 2
    assert found["seed_deviation"] == pytest.approx(NOISE, rel=0.25)


def test_plain_seeds_are_replicates_whatever_host_they_ran_on() -> None:
    made = fit(runs(rates=1, seeds=4).assign(colour=list("rg") * 24))
    assert settings(made.table, ("N", "D"), "L") == []
    found = lack_of_fit(made)
    cells = made.table.frame.groupby(["N", "D"])["L" if "L" in made.table.frame else "loss"]
    pooled = np.sqrt(np.mean(cells.apply(lambda y: np.var(np.log(y), ddof=1))))
    assert found["seed_deviation"] == pytest.approx(pooled, rel=1e-9)
    assert not any("rows at equal" in w for w in made.warnings)


def test_settings_drawn_at_random_are_known_by_their_names() -> None:
    frame = runs(rates=3, seeds=1)
    rng = np.random.default_rng(2)
    frame = frame.assign(batch_size=rng.uniform(1, 2, len(frame)), odd=rng.uniform(1, 2, len(frame)))
    assert set(settings(read(frame), ("N", "D"), "L")) == {"learning_rate", "batch_size"}


@pytest.mark.parametrize("name", ["loss_curation_corpus", "data/ppl", "batch_loss", "data_seed"])
def test_results_and_seeds_are_no_settings_whatever_else_their_names_say(name: str) -> None:
    frame = runs(rates=1, seeds=4)
    other = frame["loss"] + 0.1 if "seed" not in name else frame["seed"]
    assert settings(read(frame.assign(**{name: other})), ("N", "D"), "L") == []
    assert kinds(read(frame.assign(**{name: other.astype(str).str[:1] + "x"}))) == []


def test_rows_further_apart_than_seeds_are_counted_where_no_column_says_why() -> None:
    frame = runs(1, 2)[["N", "D", "loss"]]
    assert apart(read(frame), ("N", "D"), "L") is None
    odd = frame.assign(
        loss=np.where(np.arange(len(frame)) < 4, frame["loss"] * np.tile([1.5, 1], 12), frame["loss"])
    )
    cells, factor = apart(read(odd), ("N", "D"), "L") or (0, 0.0)
    assert cells == 2
    pairs = odd["loss"].to_numpy().reshape(-1, 2)
    assert factor == pytest.approx((pairs.max(axis=1) / pairs.min(axis=1)).max())
    assert "in 2 cells of equal N and D losses differ by a factor of up to 1.5" in repr(fit(odd).warnings)
    assert apart(read(runs(3, 2)), ("N", "D"), "L") is None


def test_words_that_recur_are_kinds_of_runs() -> None:
    frame = runs(1, 2)
    count = len(frame)
    assert kinds(read(frame)) == []
    assert kinds(read(frame.assign(family=["llama", "gpt"] * (count // 2)))) == ["family"]
    assert kinds(read(frame.assign(family="llama", recipe=[f"run {k}" for k in range(count)]))) == []
    assert "they differ in `family`" in repr(fit(frame.assign(family=["a", "b"] * (count // 2))).warnings)
