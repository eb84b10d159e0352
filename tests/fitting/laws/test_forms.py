"""Laws against what they must reduce to, and schedule laws against sums over every step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scaling.errors import TableError
from scaling.fitting import laws
from scaling.fitting.arrays import Array
from scaling.fitting.fit import fit as run
from scaling.fitting.laws.curves import collapse_spread
from scaling.fitting.laws.data_limits import effective
from scaling.fitting.laws.schedules import annealing_area, total_rate
from scaling.fitting.laws.shapes import saturated
from scaling.published.entries.schedules import METRICS, TEST

N = np.geomspace(1e7, 1e10, 9)
D = np.geomspace(2e8, 3e11, 9)
PUBLISHED = {
    "L_0": 2.651,
    "A": 0.601,
    "alpha": 0.453,
    "B": 437.946,
    "C": 2.132,
    "beta": 0.598,
    "gamma": 0.655,
}


def schedule(kind: str, steps: int = 12000, warm: int = 2000, peak: float = 3e-4) -> Array:
    """The rate at every step from 0."""
    t = np.arange(steps + 1)
    rate = np.minimum(peak * t / warm, peak)
    if kind == "cosine":
        down = t >= warm
        rate[down] = 0.1 * peak + 0.45 * peak * (1 + np.cos(np.pi * (t[down] - warm) / (steps - warm)))
    if kind == "two-stage":
        rate[7000:] = 0.3 * peak
    return rate


def logged(kind: str) -> tuple[Array, Array, Array]:
    """(rate at every step, logged steps, rate there)."""
    rate = schedule(kind)
    step = np.arange(2000, 12001, 125)
    return rate, step.astype(float), rate[step]


@pytest.mark.parametrize("kind", ["constant", "cosine", "two-stage"])
def test_multi_power_agrees_with_the_sum_over_every_step(kind: str) -> None:
    rate, step, lr = logged(kind)
    p = PUBLISHED
    total = np.concatenate([[0.0], np.cumsum(rate[1:])])
    expected = []
    for t in step.astype(int):
        k = np.arange(1, t + 1)
        since = total[t] - total[k - 1]
        gain = (rate[k - 1] - rate[k]) * (1 - (p["C"] * rate[k] ** -p["gamma"] * since + 1) ** -p["beta"])
        expected.append(p["L_0"] + p["A"] * total[t] ** -p["alpha"] - p["B"] * gain.sum())
    found = laws.get("multi-power").predict(p, {"step": step, "lr": lr})
    # Between rows a cosine is taken to be straight: its first fall is what moves most.
    assert np.max(np.abs(found - expected)) < 5e-5
    assert np.mean(np.abs(found - expected)) < 1e-5


@pytest.mark.parametrize("kind", ["cosine", "two-stage"])
def test_areas_agree_with_the_sum_over_every_step(kind: str) -> None:
    rate, step, lr = logged(kind)
    assert total_rate({"step": step, "lr": lr}) == pytest.approx(np.cumsum(rate)[step.astype(int)], rel=2e-3)
    momentum, area, areas = 0.0, 0.0, []
    for k in range(1, len(rate)):
        drop = rate[k - 1] - rate[k] if k > 2000 else 0.0
        momentum = 0.999 * momentum + drop
        area += momentum
        areas.append(area)
    expected = np.array(areas)[step.astype(int) - 1]
    assert annealing_area({"step": step, "lr": lr}) == pytest.approx(
        expected, rel=2e-2, abs=2e-2 * float(expected.max())
    )


def test_two_curves_in_one_table_do_not_meet() -> None:
    law = laws.get("multi-power")
    parts = [logged(kind) for kind in ("cosine", "two-stage")]
    apart = np.concatenate([law.predict(PUBLISHED, {"step": s, "lr": r}) for _, s, r in parts])
    x = {key: np.concatenate([part[i] for part in parts]) for i, key in ((1, "step"), (2, "lr"))}
    # The nodes of the sums span the whole table, so their rounding, but nothing else, depends on it.
    assert law.predict(PUBLISHED, x) == pytest.approx(apart, rel=1e-6)


def test_over_training_is_chinchilla_with_equal_exponents() -> None:
    p = {"E": 1.8366, "a": 212.24, "b": 366.69, "eta": 0.1364}
    factor = 6 ** -p["eta"]
    same = {
        "E": p["E"],
        "A": p["a"] * factor,
        "B": p["b"] * factor,
        "alpha": 2 * p["eta"],
        "beta": 2 * p["eta"],
    }
    x = {"N": N, "D": D}
    assert laws.get("over-training").predict(p, x) == pytest.approx(laws.get("chinchilla").predict(same, x))
    coupled = {**same, "gamma": 1.0}
    assert laws.get("coupled").predict(coupled, x) == pytest.approx(laws.get("chinchilla").predict(same, x))


def test_kaplan_has_its_two_limits() -> None:
    p = {"A": 8.8e13**0.076, "B": 5.4e13**0.095, "alpha_N": 0.076, "alpha_D": 0.095}
    law = laws.get("kaplan")
    assert law.predict(p, {"N": N, "D": np.full_like(N, 1e40)}) == pytest.approx(
        (8.8e13 / N) ** 0.076, rel=1e-3
    )
    assert law.predict(p, {"N": np.full_like(D, 1e40), "D": D}) == pytest.approx(
        (5.4e13 / D) ** 0.095, rel=1e-3
    )


def test_repeats_without_repeats_is_chinchilla() -> None:
    p = {"E": 1.87, "A": 521.0, "B": 1488.0, "alpha": 0.353, "beta": 0.353}
    stars = {"R_D_star": 15.4, "R_N_star": 5.3}
    d = np.full_like(N, 1e15)
    once = laws.get("repeats").predict({**p, **stars}, {"N": N, "D": d, "U": d})
    assert once == pytest.approx(laws.get("chinchilla").predict(p, {"N": N, "D": d}))
    assert effective(np.array([4e9]), np.array([1e9]), np.array(15.4))[0] == pytest.approx(
        1e9 * (1 + 15.4 * (1 - np.exp(-3 / 15.4)))
    )
    assert effective(np.array([1e14]), np.array([1e9]), np.array(15.4))[0] == pytest.approx(16.4e9)


def test_bounded_stays_between_its_floor_and_the_loss_of_a_guess() -> None:
    p = {
        "E": 1.8,
        "L_0": 11.0,
        "a": 60.0,
        "b": 90.0,
        "c": 2.0,
        "alpha": 0.34,
        "beta": 0.33,
        "gamma": 0.5,
        "delta": 0.6,
    }
    x = {"N": np.geomspace(1, 1e14, 30), "D": np.full(30, 1e9), "U": np.full(30, 1e6)}
    loss = laws.get("bounded").predict(p, x)
    assert np.all((loss > 1.8) & (loss < 11.0))


def test_effective_experts_run_from_start_to_most() -> None:
    ends = saturated(np.array([1.0, 1e12]), np.array(4.175), np.array(477.7))
    assert ends == pytest.approx([4.175, 477.7], rel=1e-6)


def test_m4_solves_its_equation_and_becomes_m2() -> None:
    x = {"x": np.geomspace(10, 1e8, 40)}
    p = {"beta": 200.0, "c": 0.5, "alpha": 0.7, "epsilon_inf": 0.3, "epsilon_0": 1.5}
    loss = laws.get("m4").predict(p, x)
    left = (loss - 0.3) / (1.5 - loss) ** 0.7
    keep = loss < 1.5 - 1e-6
    assert left[keep] == pytest.approx(200 * x["x"][keep] ** -0.5, rel=1e-6)
    plain = {"beta": 20.0, "c": 0.4, "epsilon_inf": 0.3}
    late = {"x": np.geomspace(1e6, 1e9, 9)}
    near = laws.get("m4").predict({**plain, "alpha": 0.01, "epsilon_0": 1.3}, late)
    assert near == pytest.approx(laws.get("m2").predict(plain, late), rel=1e-3)


def test_a_break_joins_two_power_laws() -> None:
    p = {"a": 0.0, "b": 4.0, "c0": 0.1, "c1": 0.4, "d1": 1e5, "f1": 0.1}
    law = laws.get("bnsl-1")
    x = np.array([1e1, 1e2, 1e8, 1e9])
    log_y = np.log10(law.predict(p, {"x": x}))
    assert log_y[1] - log_y[0] == pytest.approx(-0.1, abs=1e-6)
    assert log_y[3] - log_y[2] == pytest.approx(-0.5, abs=1e-6)
    assert np.isfinite(law.predict({**p, "f1": 1e-3}, {"x": np.geomspace(1, 1e12, 50)})).all()


def test_rosenfelds_envelope_ends_at_a_guess() -> None:
    p = {"epsilon_0": 8.0, "a": 60.0, "b": 90.0, "c": 0.2, "alpha": 0.3, "beta": 0.28}
    tiny = laws.get("rosenfeld").predict(p, {"N": np.array([1e-9]), "D": np.array([1e-9])})
    assert tiny[0] == pytest.approx(8.0, rel=1e-6)


def test_curves_that_collapse_have_no_spread_at_the_right_floor() -> None:
    progress = np.linspace(0.1, 1, 30)
    loss = np.array([[2.0 + gain * share**-0.3 for share in progress] for gain in (0.4, 0.7, 1.1)])
    assert collapse_spread(progress, loss, 2.0) < 1e-12
    assert collapse_spread(progress, loss, 1.5) > 1e-2


AUTHORS = {
    "L_0": 2.6514477,
    "A": 0.60115152,
    "alpha": 0.45295811,
    "B": 437.9464276,
    "C": 2.13245612,
    "beta": 0.59785199,
    "gamma": 0.65523644,
}
"""The authors' parameters for 100M in full digits, from src/config.py of their repository."""


def test_multi_power_gives_the_published_figures_of_merit(mirror: Path) -> None:
    merits = []
    for name in TEST:
        table = pd.read_csv(mirror / "runs" / "multipowerlaw_100m" / f"{name.replace('-', '_')}.csv")
        x = {key: table[key].to_numpy(float) for key in ("step", "lr")}
        x["warm_up"] = np.full(len(table), 2160.0)
        loss = table["loss"].to_numpy(float)
        error = loss - laws.get("multi-power").predict(AUTHORS, x)
        merits.append(
            [
                1 - np.sum(error**2) / np.sum((loss - loss.mean()) ** 2),
                np.mean(np.abs(error)),
                np.sqrt(np.mean(error**2)),
                np.mean(np.abs(error) / loss),
                np.max(np.abs(error) / loss),
            ]
        )
    found = dict(zip(METRICS, np.mean(merits, axis=0), strict=True))
    assert found["R2"] == pytest.approx(METRICS["R2"], abs=5e-5)
    for name in ("MAE", "RMSE", "PredE", "WorstE"):
        assert found[name] == pytest.approx(METRICS[name], abs=1e-5)


def test_warm_up_may_end_before_the_first_row() -> None:
    rate = schedule("constant", steps=9000, warm=500)
    step = np.arange(3000, 9001, 250)
    x = {"step": step.astype(float), "lr": rate[step], "warm_up": np.full(len(step), 500.0)}
    assert total_rate(x) == pytest.approx(np.cumsum(rate)[step], rel=1e-12)
    steady = total_rate({**x, "warm_up": np.zeros(len(step))})
    assert steady == pytest.approx(3e-4 * step, rel=1e-12)
    rows = np.concatenate([step, step]), np.concatenate([rate[step], rate[step]])
    two = {"step": rows[0].astype(float), "lr": rows[1], "warm_up": np.repeat([500.0, 0.0], len(step))}
    assert total_rate(two) == pytest.approx(np.concatenate([np.cumsum(rate)[step], steady]))


def test_warm_up_is_one_number_a_curve() -> None:
    x = {"step": np.array([100.0, 200.0]), "lr": np.array([1e-3, 1e-3]), "warm_up": np.array([50.0, 60.0])}
    with pytest.raises(TableError, match="give each curve one number"):
        total_rate(x)


def test_a_column_of_warm_up_is_taken_in() -> None:
    rate = schedule("cosine", steps=9000, warm=500)
    step = np.arange(1000, 9001, 100)
    frame = pd.DataFrame({"step": step, "lr": rate[step], "warm_up": 500})
    law = laws.get("annealing")
    values = {"L_0": 2.6, "A": 0.5, "alpha": 0.5, "C": 0.4}
    frame["L"] = law.predict(values, {name: frame[name].to_numpy(float) for name in frame})
    fit = run(frame, law, objective="squares", bootstrap="none", starts=4)
    assert fit.values == pytest.approx(values, rel=1e-5)
    assert run(frame.drop(columns="warm_up"), law, bootstrap="none", starts=4).values["A"] != pytest.approx(
        0.5, rel=1e-3
    )
