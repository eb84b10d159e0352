"""Evaluate the objective of E + A N^-α + B D^-β with its exact Hessian for many resamples at once.

L = e + a e^(−α x) + b e^(−β z) in units of the target, with centred x = ln N − mean and z = ln D − mean. Each
sum over points in the Hessian is a matrix product of (resamples × points) with (1, x, z, x², z², xz), without
a loop and without an array of (resamples × points × 5).
"""

from __future__ import annotations

import numpy as np

from scaling.fitting.arrays import Array, Integers, Values
from scaling.fitting.estimation.coordinates import Coordinates
from scaling.fitting.estimation.losses import Loss
from scaling.fitting.estimation.objectives.projection import projected

_BLOCK = 16384
"""Numbers per working array, so that a dozen arrays fit into a core's cache."""

_UPPER = np.triu_indices(5)


class ChinchillaObjective:
    """The `Objective` of E + A N^-α + B D^-β."""

    exact = True

    def __init__(self, x: Values, y: Array, weights: Array, coordinates: Coordinates, loss: Loss) -> None:
        log_n, log_d = np.log(np.asarray(x["N"], float)), np.log(np.asarray(x["D"], float))
        shift = coordinates.shift
        # A fixed or tied amplitude is not centred; the shift matrix holds the centring of each amplitude.
        self.x, self.z = log_n - shift[1, 3], log_d - shift[2, 4]
        self.scale, self.log = coordinates.scale[:3], coordinates.log[:3]
        self.y = np.atleast_2d(y)
        self.log_y = np.log(self.y) if loss.scale == "log" else self.y
        self.weights, self.coordinates, self.loss = weights, coordinates, loss
        self.lower, self.upper = coordinates.lower, coordinates.upper
        self.linear = coordinates.linear
        ones = np.ones_like(self.x)
        self.basis = np.stack([ones, self.x, self.z, self.x**2, self.z**2, self.x * self.z], axis=1)
        self.rows_per_block = max(1, _BLOCK // self.y.shape[1])

    def near(self, u: Array) -> Array:
        """Return starts (K, q) at a local optimum of relative squares, from the exponents of u (K, q)."""
        return projected(self.x, self.z, self.y[0], self.coordinates, u)

    def _sizes(self, v: Array) -> tuple[Array, Array, Array]:
        """Return the sizes of the three terms at the centre, their slopes in v, and their second derivatives,
        each (K, 3)."""
        grown = np.exp(np.where(self.log, v[:, :3], 0.0))
        size = np.where(self.log, grown, self.scale * v[:, :3])
        return size, np.where(self.log, grown, self.scale), np.where(self.log, grown, 0.0)

    def _terms(self, v: Array, size: Array, rows: Integers) -> tuple[Array, Array, Array, Array]:
        """Return e^(−α x), e^(−β z), the predicted loss, and residuals, each (K, n)."""
        in_n = np.exp(-v[:, 3, None] * self.x)
        in_d = np.exp(-v[:, 4, None] * self.z)
        total = size[:, 0, None] + size[:, 1, None] * in_n + size[:, 2, None] * in_d
        if self.loss.scale == "log":
            residual = np.log(np.maximum(total, 1e-300)) - self._observed(self.log_y, rows)
        else:
            residual = total - self._observed(self.y, rows)
        return in_n, in_d, total, residual

    @staticmethod
    def _observed(y: Array, rows: Integers) -> Array:
        """Return the observations of these members: one series for all, or one per resample."""
        return y[rows] if len(y) > 1 else y

    def value(self, u: Array, rows: Integers, delta: float) -> Array:
        """Return the value (K,) without derivatives."""
        v = self.coordinates.centred(u)
        out = np.empty(len(u))
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            for i in range(0, len(u), self.rows_per_block):
                part = slice(i, i + self.rows_per_block)
                residual = self._terms(v[part], self._sizes(v[part])[0], rows[part])[3]
                out[part] = np.einsum(
                    "kn,kn->k", self.weights[rows[part]], self.loss.slopes(residual, delta)[0]
                )
        return out

    def evaluate(
        self, u: Array, rows: Integers, delta: float, exact: bool
    ) -> tuple[Array, Array, Array, Array]:
        """Return value (K,), gradient (K, q), Hessian (K, q, q) and positive diagonal (K, q)."""
        v = self.coordinates.centred(u)
        count = len(u)
        value, gradient, hessian, diagonal = (
            np.empty(count),
            np.empty((count, 5)),
            np.empty((count, 5, 5)),
            np.empty((count, 5)),
        )
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            for i in range(0, count, self.rows_per_block):
                part = slice(i, i + self.rows_per_block)
                self._block(
                    v[part],
                    rows[part],
                    delta,
                    exact,
                    value[part],
                    gradient[part],
                    hessian[part],
                    diagonal[part],
                )
        free = self.coordinates.free
        if free.shape[1] == 5 and np.array_equal(free, np.eye(5)):
            return value, gradient, hessian, diagonal
        return value, gradient @ free, free.T @ hessian @ free, diagonal @ (free**2)

    def _block(
        self,
        v: Array,
        rows: Integers,
        delta: float,
        exact: bool,
        value: Array,
        gradient: Array,
        hessian: Array,
        diagonal: Array,
    ) -> None:
        weights = self.weights[rows]
        size, slope, bent = self._sizes(v)
        in_n, in_d, total, residual = self._terms(v, size, rows)
        rho, psi, curve = self.loss.slopes(residual, delta)
        value[:] = np.einsum("kn,kn->k", weights, rho)
        pull, bend = weights * psi, weights * curve
        basis = self.basis
        if self.loss.scale == "log":
            # d log L = dL / L; in the second derivative the product of the first ones is subtracted.
            p_e = 1.0 / total
            p_n, p_d = in_n * p_e, in_d * p_e
            cross = bend - pull if exact else bend
        else:
            p_n, p_d, p_e = in_n, in_d, np.ones_like(in_n)
            cross = bend
        cross_n, cross_e = cross * p_n, cross * p_e
        nd, en, ed = (cross_n * p_d) @ basis, (cross_e * p_n) @ basis, (cross_e * p_d) @ basis
        nn, dd = (cross_n * p_n) @ basis, (cross * p_d * p_d) @ basis
        g_n, g_d, g_e = (pull * p_n) @ basis, (pull * p_d) @ basis, (pull * p_e).sum(-1)
        # Steps are scaled by the diagonal of the reweighted squares with the same slope. The Gauss-Newton
        # diagonal is zero where no residual lies below δ, and then no step would count as small.
        steep = weights * self.loss.steepness(residual, delta)
        gn_n, gn_d = (steep * p_n * p_n) @ basis, (steep * p_d * p_d) @ basis
        gn_e = (steep * p_e * p_e).sum(-1)
        (e1, a1, b1), (_, a, b) = slope.T, size.T
        diagonal[:] = np.stack(
            [
                *(e1**2 * gn_e, a1**2 * gn_n[:, 0], b1**2 * gn_d[:, 0]),
                *(a**2 * gn_n[:, 3], b**2 * gn_d[:, 4]),
            ],
            axis=1,
        )
        gradient[:] = np.stack(
            [e1 * g_e, a1 * g_n[:, 0], b1 * g_d[:, 0], -a * g_n[:, 1], -b * g_d[:, 2]], axis=1
        )
        entries = [
            e1**2 * (cross_e * p_e).sum(-1),
            *(e1 * a1 * en[:, 0], e1 * b1 * ed[:, 0], -e1 * a * en[:, 1], -e1 * b * ed[:, 2]),
            *(a1**2 * nn[:, 0], a1 * b1 * nd[:, 0], -a1 * a * nn[:, 1], -a1 * b * nd[:, 2]),
            *(b1**2 * dd[:, 0], -b1 * a * nd[:, 1], -b1 * b * dd[:, 2]),
            *(a**2 * nn[:, 3], a * b * nd[:, 5]),
            b**2 * dd[:, 4],
        ]
        if exact:
            for at, more in (
                *((0, bent[:, 0] * g_e), (5, bent[:, 1] * g_n[:, 0]), (9, bent[:, 2] * g_d[:, 0])),
                *((7, -a1 * g_n[:, 1]), (11, -b1 * g_d[:, 2])),
                *((12, a * g_n[:, 3]), (14, b * g_d[:, 4])),
            ):
                entries[at] = entries[at] + more
        upper = np.stack(entries, axis=1)
        hessian[:, _UPPER[0], _UPPER[1]] = upper
        hessian[:, _UPPER[1], _UPPER[0]] = upper
