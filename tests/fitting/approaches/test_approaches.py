"""Approaches 1 and 2: known optima, the published bias of the parabola, and what cannot be trusted."""

from __future__ import annotations

import numpy as np
import pytest

from scaling.errors import ConfigError, FitError
from scaling.fitting import laws, table
from scaling.fitting.approaches.agreement import _words
from scaling.fitting.approaches.budgets import budgets
from scaling.fitting.approaches.one import Curve, approach_one
from scaling.fitting.approaches.profiles import lowest
from scaling.fitting.approaches.two import Two, approach_two
from scaling.fitting.fit import fit as run
from scaling.fitting.laws.chinchilla import best_split

LAW = laws.get("chinchilla")
HOFFMANN = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}


def designed(
    half_width: float, points: int = 15, noise: float = 0.0, truth: dict[str, float] = HOFFMANN
) -> table.Table:
    """Five budgets, sizes spread evenly in log D around the optimum."""
    rng = np.random.default_rng(0)
    d, c = [], []
    for flops in np.geomspace(1e17, 1e21, 5):
        best = best_split(LAW.values(LAW.vector(truth)), np.array([flops]))[1].item()
        d += list(np.geomspace(best / half_width, best * half_width, points))
        c += [flops] * points
    tokens, compute = np.array(d), np.array(c)
    rows = {"N": compute / 6 / tokens, "D": tokens, "C": compute}
    clean = LAW.predict(truth, rows)
    return table.read({**rows, "L": clean * np.exp(noise * rng.standard_normal(len(clean)))})


def two(made: table.Table, truth: dict[str, float] = HOFFMANN, **more: object) -> Two:
    p = LAW.values(LAW.vector(truth))
    return approach_two(
        made,
        surface=lambda n, d: LAW.predict(truth, {"N": n, "D": d}),
        optimum=lambda c: best_split(p, c),
        **more,
    )


@pytest.mark.parametrize(("half_width", "percent"), [(2, -0.3269), (4, -1.3011), (8, -2.9029), (16, -5.1002)])
def test_the_parabola_has_its_published_bias_and_the_correction_removes_it(
    half_width: float, percent: float
) -> None:
    found = two(designed(half_width))
    truth = best_split(LAW.values(LAW.vector(HOFFMANN)), np.array([1e24]))[1].item()
    assert 100 * (found.at(1e24)[1] / truth - 1) == pytest.approx(percent, abs=2e-4)
    corrected = found.corrected["D_coefficient"] * 1e24 ** found.corrected["b"]["value"]
    assert corrected / truth == pytest.approx(1, abs=1e-9)


def test_a_symmetric_surface_has_no_bias() -> None:
    even = {**HOFFMANN, "beta": 0.34}
    found = two(designed(8, truth=even), truth=even)
    truth = best_split(LAW.values(LAW.vector(even)), np.array([1e24]))[1].item()
    assert found.at(1e24)[1] / truth == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("curve", ["parabola", "robust", "cubic", "akima"])
def test_every_curve_finds_the_exponent_and_covers_it(curve: str) -> None:
    found = two(designed(4, points=9, noise=0.0005), curve=curve, resamples=100)
    assert found.a.value == pytest.approx(0.28 / 0.62, abs=0.02)
    assert found.a.interval[0] < 0.28 / 0.62 < found.a.interval[1]
    assert set(found.curves) == {"parabola", "robust", "cubic", "akima"}


def test_a_robust_parabola_shrugs_off_one_wild_run() -> None:
    x = np.geomspace(1e6, 1e8, 11)
    loss = 3 + 0.05 * np.log(x / 1e7) ** 2
    loss[9] += 0.5
    assert lowest(x, loss, "robust").at == pytest.approx(1e7, rel=0.1)
    assert abs(np.log(lowest(x, loss, "parabola").at / 1e7)) > 0.1
    with pytest.raises(ConfigError, match="'parabola'"):
        lowest(x, loss, "parabel")


def test_optima_outside_and_concave_curves_are_said_and_left_out() -> None:
    good = designed(4, points=7)
    keep = np.ones(good.n, dtype=bool)
    keep[3:7] = False  # the first budget keeps the three fewest-token runs: its optimum lies outside
    frame = good.take(keep).frame
    frame.loc[frame["C"] == frame["C"].max(), "L"] = 9 - frame["L"]  # and the last is turned upside down
    found = two(table.read(frame))
    said = " ".join(found.warnings)
    assert "outside the sampled sizes" in said
    assert "concave" in said
    assert [row["inside"] for row in found.budgets] == [False, True, True, True, False]
    assert found.a.value == pytest.approx(0.28 / 0.62, abs=0.01)


def test_one_budget_is_refused() -> None:
    made = designed(4)
    with pytest.raises(FitError, match="two budgets"):
        two(made.take(made.values["C"] < 2e17))


def test_budgets_are_found_in_noisy_compute() -> None:
    rng = np.random.default_rng(1)
    c = np.repeat(np.geomspace(1e17, 1e20, 4), 8) * rng.uniform(0.95, 1.05, 32)
    found = budgets(table.read({"N": c**0.5, "D": c**0.5 / 6, "C": c, "L": rng.uniform(2, 3, 32)}))
    assert [len(b.members) for b in found] == [8, 8, 8, 8]
    assert found[2].flops == pytest.approx(1e19, rel=0.05)


def test_the_envelope_of_true_curves_gives_the_true_exponent() -> None:
    curves = []
    for size in np.geomspace(1e6, 1e10, 41):
        tokens = np.geomspace(0.05, 2000, 200) * size
        curves.append(
            Curve(
                size=size,
                flops=6 * size * tokens,
                tokens=tokens,
                loss=LAW.predict(HOFFMANN, {"N": np.full(200, size), "D": tokens}),
            )
        )
    found = approach_one(curves, resamples=50)
    assert found["a"]["value"] == pytest.approx(0.28 / 0.62, abs=0.01)
    assert found["b"]["value"] == pytest.approx(0.34 / 0.62, abs=0.01)
    with pytest.raises(FitError, match="three sizes"):
        approach_one(curves[:2])


def undersized(slope: float) -> table.Table:
    """Two budgets whose N curve is lowest inside its sizes, while loss is nearly a line in log tokens (its
    lowest point lies at e^±5000 times the middle)."""
    z = np.linspace(-1.5, 1.5, 7)
    loss = 3 + 0.1 * z**2 + 0.02 * z
    u = 5000 * (np.sqrt(1 + (loss - 3) * 4 * 1e-5 / slope**2) - 1) * np.sign(slope)
    rows = {
        "N": np.concatenate([np.exp(z) * 1e7, np.exp(z) * 1e8]),
        "D": np.concatenate([np.exp(u) * 1e9, np.exp(u) * 1e10]),
        "L": np.concatenate([loss, loss - 0.5]),
        "C": np.repeat([6e16, 6e18], 7),
    }
    return table.read(rows, columns={"C": "C"})


@pytest.mark.parametrize("slope", [0.1, -0.1])
def test_a_minimum_that_no_float_holds_is_no_minimum(slope: float) -> None:
    made = undersized(slope)
    assert all(lowest(made.values["N"][b.members], made.values["L"][b.members]).inside for b in budgets(made))
    with pytest.raises(FitError, match="a lowest point in fewer than two budgets"):
        approach_two(made)


def test_a_budget_whose_tokens_reach_no_minimum_is_left_out() -> None:
    frame = designed(4, points=7).frame
    first = frame["C"] == frame["C"].min()
    clean = two(table.read(frame[~first].reset_index(drop=True)), resamples=0)
    # Tokens of the first budget follow its loss and not its sizes: only their curve leaves the data.
    frame.loc[first, "D"] = 1e9 * np.exp(np.linspace(0, 1, 7)) ** 2 * frame["L"][first] ** 40 / 1e30
    found = two(table.read(frame, columns={"C": "C"}), resamples=0)
    row = found.budgets[0]
    assert row["inside"]
    assert not row["D_inside"]
    assert found.a.value == pytest.approx(clean.a.value, rel=1e-12)
    assert found.b.value == pytest.approx(clean.b.value, rel=1e-12)


@pytest.mark.parametrize("curve", [pytest.param("robust", marks=pytest.mark.slow), "cubic", "akima"])
def test_a_fit_takes_the_curve_that_was_asked_for(curve: str) -> None:
    made = run(designed(4, points=7, noise=0.001), LAW, curve=curve, bootstrap="none", resamples=50, starts=4)
    assert made.approaches.two.curve == curve
    assert made.approaches.two.a.value == pytest.approx(made.approaches.two.curves[curve], rel=1e-9)
    with pytest.raises(ConfigError, match="curve of approach 2 cannot be 'cubik'; did you mean 'cubic'"):
        run(designed(4, points=7), LAW, curve="cubik")


def test_no_slope_is_drawn_through_budgets_that_are_left_out() -> None:
    made = designed(4, points=7)
    right = made.values["D"] < 0.5 * best_split(LAW.values(LAW.vector(HOFFMANN)), made.values["C"])[1]
    with pytest.raises(FitError, match="fewer than two budgets inside their sizes and tokens"):
        two(made.take(right | (np.arange(made.n) % 7 == 2)))
    fit = run(made.take(right | (np.arange(made.n) % 7 == 2)), LAW, bootstrap="none", starts=4)
    assert fit.approaches.two is None
    assert fit.approaches.words.startswith("only approach 3 could be run")
    assert "widen the sizes at each budget" in fit.approaches.words


@pytest.mark.parametrize(
    ("first", "third", "part"),
    [
        ([0.40, 0.55], [0.44, 0.46], "[0.440, 0.460]: the intervals overlap, the approaches agree"),
        ([0.50, 0.55], [0.44, 0.46], "the intervals do not overlap, the approaches disagree"),
        (None, [0.44, 0.46], "(no interval), approach 3 a = 0.450 [0.440, 0.460]: too few intervals"),
        ([-0.9, 1.8], [0.44, 0.46], "too wide an interval of approach 1 to judge agreement"),
    ],
)
def test_agreement_needs_intervals_that_say_something(
    first: list[float] | None, third: list[float], part: str
) -> None:
    one, three = ({"a": {"value": 0.45, "interval": interval}} for interval in (first, third))
    words = _words(one, None, three, {})
    assert part in words
    assert ("approaches agree" in words) == ("approaches agree" in part)
