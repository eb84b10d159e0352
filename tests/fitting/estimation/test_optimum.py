"""The optimum: certified points of the public Chinchilla data under four objectives, and the solver against
SciPy and against itself."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import least_squares, linprog

from scaling.errors import FitError
from scaling.fitting import laws
from scaling.fitting.estimation import solve
from scaling.fitting.estimation.coordinates import build
from scaling.fitting.estimation.losses import Loss
from scaling.fitting.estimation.newton import minimise
from scaling.fitting.fit import fit as run
from scaling.fitting.law import Law

CHINCHILLA = laws.get("chinchilla")
SLOW = Law(
    name="the same without its own solver",
    variables=CHINCHILLA.variables,
    parameters=CHINCHILLA.parameters,
    function=CHINCHILLA.function,
    formula="",
    source="",
    analytic=True,
)

CERTIFIED = [
    # objective, scale, value, A, B, E, alpha, beta: optima of the 240 public points
    ("lad", "log", None, 482.00606, 2085.43625, 1.81686413, 0.34781307, 0.36585416),
    ("huber", "log", 1.0182740178e-3, 477.8259, 2143.4174, 1.8172181, 0.3473105, 0.3671724),
    ("squares", "log", None, 593.322, 4875.638, 1.86455, 0.36025, 0.40588),
    ("squares", "raw", 0.0832038077, 567.8054, 7581.8524, 1.8828136, 0.3576151, 0.4276206),
]


def synthetic(n: int = 60, noise: float = 0.01, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    x = {"N": 10 ** rng.uniform(6, 9, n), "D": 10 ** rng.uniform(8, 11, n)}
    clean = CHINCHILLA.predict({"E": 1.7, "A": 400.0, "B": 900.0, "alpha": 0.34, "beta": 0.3}, x)
    return x, clean * np.exp(noise * rng.standard_normal(n))


def problem(law: Law, x: dict[str, np.ndarray], y: np.ndarray, loss: Loss, **more: object) -> solve.Problem:
    return solve.Problem(
        law=law, x=x, y=y, weights=np.ones(len(y)), coordinates=build(law, x, y), loss=loss, **more
    )


@pytest.mark.parametrize(("objective", "scale", "value", "a", "b", "e", "alpha", "beta"), CERTIFIED)
def test_public_points_give_the_certified_optima(
    mirror: Path,
    objective: str,
    scale: str,
    value: float | None,
    a: float,
    b: float,
    e: float,
    alpha: float,
    beta: float,
) -> None:
    data = pd.read_csv(mirror / "runs" / "epoch_chinchilla_240.csv")
    n, c = data["Model Size"].to_numpy(), data["Training FLOP"].to_numpy()
    fit = run(
        {"N": n, "D": c / 6 / n, "L": data["loss"].to_numpy()},
        CHINCHILLA,
        objective=objective,
        scale=scale,
        delta=1e-3 if objective == "huber" else "auto",
        bootstrap="none",
    )
    tight = {"lad": 3e-8, "huber": 1e-7}.get(objective, 2e-5 if scale == "log" else 1e-7)
    for name, known in {"A": a, "B": b, "E": e, "alpha": alpha, "beta": beta}.items():
        assert fit.values[name] == pytest.approx(known, rel=tight), name
    if value is not None:
        assert fit.optimum.objective <= value * (1 + 1e-9)


def test_squares_agree_with_scipy() -> None:
    x, y = synthetic()
    best = solve.solve(problem(CHINCHILLA, x, y, Loss(name="squares")))

    def residual(s: np.ndarray) -> np.ndarray:
        theta = np.array([np.exp(s[0]), np.exp(s[1]), np.exp(s[2]), s[3], s[4]])
        return np.log(CHINCHILLA.predict(theta, x)) - np.log(y)

    start = np.array([0.5, 6.0, 6.8, 0.34, 0.3])
    peer = least_squares(residual, start, xtol=1e-15, ftol=1e-15, gtol=1e-15, x_scale="jac", max_nfev=5000)
    assert best.objective <= 2 * peer.cost * (1 + 1e-10)
    assert best.theta[3] == pytest.approx(peer.x[3], rel=1e-4)


def test_own_delta_is_measured_on_absolute_deviations() -> None:
    rng = np.random.default_rng(3)
    n = np.exp(rng.uniform(np.log(1e6), np.log(1e10), 60))
    y = 12 * n**-0.1 * np.exp(0.01 * rng.standard_normal(60))
    y[:6] *= 3
    made = solve.solve(problem(laws.get("power-n"), {"N": n}, y, Loss(delta=None)))
    # log L = log A - alpha log N is linear: its absolute deviations are a linear programme
    design, eye = np.column_stack([np.ones(60), np.log(n)]), np.eye(60)
    cost = np.concatenate([np.zeros(2), np.ones(120)])
    free = [(None, None)] * 2 + [(0, None)] * 120
    peer = linprog(cost, A_eq=np.hstack([design, eye, -eye]), b_eq=np.log(y), bounds=free)
    left = np.sort(np.abs(np.log(y) - design @ peer.x[:2]))[2:]
    assert made.loss.delta == pytest.approx(1.345 * np.median(left) / 0.6745, rel=0.03)


@pytest.mark.parametrize("seed", [0, 1, 5])
def test_one_outlier_among_twelve_rows_does_not_drag_the_fit(seed: int) -> None:
    x, y = synthetic(12, 0.005, seed)
    y[0] *= 10
    made = solve.solve(problem(CHINCHILLA, x, y, Loss(delta=None)))
    rest = {name: values[1:] for name, values in x.items()}
    clean = solve.solve(problem(CHINCHILLA, rest, y[1:], Loss(name="squares")))
    assert made.loss.delta is not None
    assert made.loss.delta < 5 * 0.005
    assert made.theta[3] == pytest.approx(clean.theta[3], abs=0.05)
    assert np.abs(np.log(CHINCHILLA.predict(made.theta, rest) / y[1:])).max() < 5 * 0.005


@pytest.mark.parametrize("name", ["huber", "lad", "squares", "asymmetric", "likelihood"])
def test_the_general_solver_finds_what_the_special_one_finds(name: str) -> None:
    x, y = synthetic()
    fast = solve.solve(problem(CHINCHILLA, x, y, Loss(name=name)))
    slow = solve.solve(problem(SLOW, x, y, Loss(name=name)))
    assert slow.objective == pytest.approx(fast.objective, rel=1e-8)
    assert np.allclose(slow.theta, fast.theta, rtol=2e-3)


@pytest.mark.parametrize("scale", ["log", "raw"])
@pytest.mark.parametrize("delta", [np.inf, 0.02])
def test_gradient_and_hessian_agree_with_differences(scale: str, delta: float) -> None:
    x, y = synthetic()
    for law in (CHINCHILLA, SLOW):
        made = problem(law, x, y, Loss(name="huber", scale=scale))
        objective = made.objective(made.weights[None])
        u, rows = made.coordinates.starts(2, 3) + 0.01, np.zeros(2, dtype=np.int64)
        _, gradient, hessian, _ = objective.evaluate(u, rows, delta, True)
        step = 1e-6 * np.eye(5)
        rise = [objective.value(u + s, rows, delta) - objective.value(u - s, rows, delta) for s in step]
        assert np.allclose(np.stack(rise, 1) / 2e-6, gradient, rtol=1e-5, atol=1e-6 * np.abs(gradient).max())
        if law is CHINCHILLA:
            turn = [
                objective.evaluate(u + s, rows, delta, True)[1]
                - objective.evaluate(u - s, rows, delta, True)[1]
                for s in step
            ]
            assert np.allclose(
                np.stack(turn, 1) / 2e-6, hessian, rtol=1e-4, atol=1e-5 * np.abs(hessian).max()
            )


def test_ninety_nine_of_a_hundred_random_starts_reach_the_optimum() -> None:
    x, y = synthetic(n=240)
    many = solve.solve(problem(CHINCHILLA, x, y, Loss(), starts=500))
    assert many.basins[0].starts >= 0.99 * many.starts


def test_a_batch_of_resamples_equals_one_at_a_time() -> None:
    x, y = synthetic()
    base = problem(CHINCHILLA, x, y, Loss())
    best = solve.solve(base)
    weights = np.random.default_rng(1).multinomial(60, np.full(60, 1 / 60), size=20).astype(float)
    together = solve.refit(base, weights, best.u)
    assert together.converged.all()
    for row in (0, 7, 19):
        alone = solve.solve(replace(base, weights=weights[row]))
        assert together.value[row] <= alone.objective * (1 + 1e-9)
        assert np.allclose(base.coordinates.natural(together.u[row]), alone.theta, rtol=1e-4)


def test_lad_is_exact_where_smoothing_is_not() -> None:
    # LAD through five of the points: residuals there vanish to rounding, not to the width of a smoothing.
    x, y = synthetic(n=30)
    best = solve.solve(problem(CHINCHILLA, x, y, Loss(name="lad")))
    residual = np.sort(np.abs(np.log(CHINCHILLA.predict(best.theta, x) / y)))
    assert (residual < 1e-12).sum() >= 4


def test_newton_never_raises_the_objective_and_keeps_bounds() -> None:
    x, y = synthetic()
    coordinates = build(CHINCHILLA, x, y, bounds={"alpha": (0.4, 0.9)})
    made = replace(problem(CHINCHILLA, x, y, Loss(name="squares")), coordinates=coordinates)
    objective = made.objective(made.weights[None])
    u, rows = coordinates.starts(8, 0), np.zeros(8, dtype=np.int64)
    end = minimise(objective, u, rows, np.inf)
    assert (end.value <= objective.value(u, rows, np.inf)).all()
    best = solve.solve(made)
    assert best.theta[3] == pytest.approx(0.4, abs=1e-9)


def test_weights_count_like_copies() -> None:
    x, y = synthetic(n=40)
    base = problem(CHINCHILLA, x, y, Loss(name="squares"))
    weights = np.ones(40)
    weights[:10] = 2
    weighted = solve.solve(replace(base, weights=weights))
    copies = {k: np.concatenate([v, v[:10]]) for k, v in x.items()}
    copied = solve.solve(problem(CHINCHILLA, copies, np.concatenate([y, y[:10]]), Loss(name="squares")))
    assert np.allclose(weighted.theta, copied.theta, rtol=1e-6)


def test_a_floor_that_the_data_do_not_see_is_at_zero_and_one_basin() -> None:
    """Logarithms have no zero: each start once ended at a floor of its own, 1e-16 here and 1e-20 there."""
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"N": 10 ** rng.uniform(6, 9, 60), "D": 10 ** rng.uniform(8, 11, 60)})
    clean = CHINCHILLA.predict({"E": 1e-9, "A": 40.0, "B": 90.0, "alpha": 0.14, "beta": 0.2}, table)
    # the curve bends the other way: a floor could only do harm
    table["L"] = clean * np.exp(-0.01 * (np.log(table["N"] / 3e7) ** 2 + np.log(table["D"] / 3e9) ** 2) / 4)
    fit = run(table, CHINCHILLA, objective="squares", resamples=0)
    assert fit.values["E"] < 2e-6 * table["L"].median()
    assert fit.certificate.reached >= 0.9 * fit.certificate.starts
    assert fit.certificate.at_bounds == ("E",)
    assert "E and" not in fit.certificate.ridge
    said = [float(number) for number in re.findall(r"\(([+-][\d.]+)\)", fit.certificate.ridge)]
    assert all(0.9 <= abs(number) <= 1 for number in said)
    assert any("E is at zero" in warning for warning in fit.warnings)


def test_a_law_too_far_from_the_rows_is_given_up() -> None:
    x, y = synthetic()
    it = problem(laws.get("power-n"), {"N": x["N"]}, y, Loss())
    least = float((it.residuals(solve.solve(it).u) ** 2).sum())
    assert solve.solve(it, worst=1.01 * least).starts == it.starts
    with pytest.raises(FitError, match="power-n lies too far from these 60 points"):
        solve.solve(it, worst=0.5 * least)
