"""Newton within bounds, against SciPy's bounded least squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import lsq_linear

from scaling.fitting.estimation.newton import minimise
from scaling.fitting.law import Array, Integers


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
