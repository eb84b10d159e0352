"""Newton within bounds, against SciPy's bounded least squares."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import lsq_linear

from scaling.fitting.arrays import Array, Flags, Integers
from scaling.fitting.estimation import newton
from scaling.fitting.estimation.newton import minimise


@dataclass(frozen=True, kw_only=True)
class Straight:
    """Half the squares of M u - y, weights all one: the least of them is known exactly."""

    matrix: Array
    right: Array
    lower: Array
    upper: Array

    def evaluate(
        self, u: Array, rows: Integers, delta: float, exact: bool
    ) -> tuple[Array, Array, Array, Array]:
        square = self.matrix.T @ self.matrix
        gradient = (u @ self.matrix.T - self.right) @ self.matrix
        hessian = np.broadcast_to(square, (len(u), *square.shape)).copy()
        return self.value(u, rows, delta), gradient, hessian, np.diagonal(hessian, axis1=1, axis2=2).copy()

    def value(self, u: Array, rows: Integers, delta: float) -> Array:
        return np.asarray(0.5 * ((u @ self.matrix.T - self.right) ** 2).sum(-1))


@given(seed=st.integers(0, 10**6), size=st.integers(2, 7), ridge=st.floats(0, 4))
def test_the_lowest_point_within_bounds_is_that_of_scipy(seed: int, size: int, ridge: float) -> None:
    rng = np.random.default_rng(seed)
    # columns that are alike up to 10^-ridge: a coordinate cut short at its bound drags the others uphill
    matrix = rng.standard_normal((3 * size, 1)) + 10.0**-ridge * rng.standard_normal((3 * size, size))
    right = rng.standard_normal(3 * size)
    lower, upper = -rng.exponential(1, size), rng.exponential(1, size)
    starts = lower + rng.random((5, size)) * (upper - lower)
    objective = Straight(matrix=matrix, right=right, lower=lower, upper=upper)
    found = minimise(objective, starts, np.zeros(5, dtype=np.int64), np.inf)
    best = lsq_linear(matrix, right, bounds=(lower, upper), method="bvls", tol=1e-14).cost
    assert found.value.max() <= best * (1 + 1e-9)
    assert ((found.u >= lower) & (found.u <= upper)).all()


@dataclass(frozen=True, kw_only=True)
class BrownDennis:
    """Problem 16 of Moré, Garbow & Hillstrom 1981 (ACM TOMS 7, 17): residuals so large at the optimum that
    Gauss-Newton creeps. Its least sum of squares is 85822.2."""

    linear: Flags = field(default_factory=lambda: np.zeros(4, dtype=bool))
    lower: Array = field(default_factory=lambda: np.full(4, -np.inf))
    upper: Array = field(default_factory=lambda: np.full(4, np.inf))

    def parts(self, u: Array) -> tuple[Array, Array]:
        t = np.arange(1, 21) / 5
        first = u[:, :1] + t * u[:, 1:2] - np.exp(t)
        second = u[:, 2:3] + np.sin(t) * u[:, 3:4] - np.cos(t)
        ones = np.ones_like(first)
        slopes = np.stack([first, first * t, second, second * np.sin(t)], axis=1) * 2 * ones[:, None]
        return first**2 + second**2, slopes

    def evaluate(
        self, u: Array, rows: Integers, delta: float, exact: bool
    ) -> tuple[Array, Array, Array, Array]:
        residual, slopes = self.parts(u)
        hessian = slopes @ np.swapaxes(slopes, 1, 2)
        gradient = (slopes @ residual[..., None])[..., 0]
        return self.value(u, rows, delta), gradient, hessian, np.diagonal(hessian, axis1=1, axis2=2).copy()

    def value(self, u: Array, rows: Integers, delta: float) -> Array:
        return np.asarray(0.5 * (self.parts(u)[0] ** 2).sum(-1))


def test_gauss_newton_learns_the_curvature_that_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    start, rows = np.array([[25.0, 5.0, -5.0, -1.0]]), np.zeros(1, dtype=np.int64)

    def steps() -> int:
        end = minimise(BrownDennis(), start, rows, np.inf, exact=False, across=True, iterations=500)
        assert 2 * end.value[0] == pytest.approx(85822.2, abs=0.05)
        return end.iterations

    learnt = steps()
    monkeypatch.setattr(newton, "SECANT", 0.0)
    assert learnt < 0.5 * steps()


def test_a_matrix_that_is_not_finite_takes_no_step_and_leaves_the_others_theirs() -> None:
    matrices = np.stack([np.full((2, 2), np.nan), np.zeros((2, 2)), np.eye(2)])
    steps = newton._solve(matrices, np.ones((3, 2)))
    assert steps.tolist() == [[0.0, 0.0], [0.0, 0.0], [1.0, 1.0]]
