"""Evaluate the objective of any law: derivatives from the law's gradient, Hessian by Gauss-Newton or
completed by differences."""

from __future__ import annotations

import numpy as np

from scaling.fitting.arrays import Array, Integers, Values
from scaling.fitting.estimation.coordinates import Coordinates
from scaling.fitting.estimation.losses import Loss

_BLOCK = 80_000
"""Numbers in the largest working array (resamples × points × parameters), 3 MB, so that memory does not grow
with the number of resamples."""


class GenericObjective:
    """The `Objective` of any law."""

    exact = False

    def __init__(self, x: Values, y: Array, weights: Array, coordinates: Coordinates, loss: Loss) -> None:
        self.variables = {name: np.asarray(value) for name, value in x.items()}
        self.weights, self.coordinates, self.loss = weights, coordinates, loss
        self.observed = np.atleast_2d(np.log(y) if loss.scale == "log" else y)
        self.lower, self.upper = coordinates.lower, coordinates.upper
        self.linear = coordinates.linear
        self.law = coordinates.law
        self.rows_per_block = max(1, _BLOCK // (self.observed.shape[1] * len(coordinates.names)))

    def residual(self, u: Array, rows: Integers) -> Array:
        """Return prediction − observation on the loss's scale (K, n), not finite where undefined."""
        predicted = self.law.predict(self.coordinates.natural(u), self.variables)
        return self._against(predicted, rows)

    def _against(self, predicted: Array, rows: Integers) -> Array:
        observed = self.observed[rows] if len(self.observed) > 1 else self.observed
        if self.loss.scale == "raw":
            return np.asarray(predicted - observed)
        logs = np.where(predicted > 0, np.log(np.maximum(predicted, 1e-300)), np.inf)
        return np.asarray(logs - observed)

    def slopes(self, u: Array, rows: Integers) -> tuple[Array, Array]:
        """Return residuals (K, n) and their slopes in the natural parameters (K, P, n)."""
        theta = self.coordinates.natural(u)
        predicted, slopes = self.law.slopes(theta, self.variables)
        residual = self._against(predicted, rows)
        if self.loss.scale == "log":
            slopes = slopes / np.maximum(predicted, 1e-300)[..., None, :]
        return residual, np.where(np.isfinite(slopes), slopes, 0.0)

    def near(self, u: Array) -> Array:
        """Return u itself (K, q)."""
        return u

    def value(self, u: Array, rows: Integers, delta: float) -> Array:
        """Return the value (K,) without derivatives."""
        out = np.empty(len(u))
        with np.errstate(all="ignore"):
            for i in range(0, len(u), self.rows_per_block):
                part = slice(i, i + self.rows_per_block)
                rho = self.loss.slopes(self.residual(u[part], rows[part]), delta)[0]
                out[part] = np.einsum("kn,kn->k", self.weights[rows[part]], rho)
        return out

    def evaluate(
        self, u: Array, rows: Integers, delta: float, exact: bool
    ) -> tuple[Array, Array, Array, Array]:
        """Return value (K,), gradient (K, q), Hessian (K, q, q) and positive diagonal (K, q)."""
        count, size = u.shape
        value, gradient = np.empty(count), np.empty((count, size))
        hessian, diagonal = np.empty((count, size, size)), np.empty((count, size))
        with np.errstate(all="ignore"):
            for i in range(0, count, self.rows_per_block):
                part = slice(i, i + self.rows_per_block)
                weights, here = self.weights[rows[part]], u[part]
                residual, slopes = self.slopes(here, rows[part])
                chain = np.nan_to_num(self.coordinates.slopes(here), nan=0.0, posinf=0.0, neginf=0.0)
                rho, psi, curve = self.loss.slopes(residual, delta)
                value[part] = np.einsum("kn,kn->k", weights, rho)
                pull = weights * psi
                gradient[part] = _pulled(slopes, pull, chain)
                steep = weights * self.loss.steepness(residual, delta)
                diagonal[part] = np.einsum("kqq->kq", _squared(slopes, steep, chain))
                matrix = _squared(slopes, weights * curve, chain)
                if exact:
                    matrix = matrix + self._curvature(here, pull, rows[part], gradient[part])
                hessian[part] = matrix
        return value, gradient, hessian, diagonal

    def _curvature(self, u: Array, pull: Array, rows: Integers, gradient: Array) -> Array:
        """Return Σ w ρ′ ∇²residual (K, q, q) by differences of the slopes.

        The weights w ρ′ are held, so that no difference crosses a kink of Huber's.
        """
        size = u.shape[1]
        out = np.empty((len(u), size, size))
        for j in range(size):
            there = u.copy()
            there[:, j] += 1e-7 * np.maximum(1.0, np.abs(u[:, j]))
            moved = _pulled(self.slopes(there, rows)[1], pull, self.coordinates.slopes(there))
            out[:, j] = (moved - gradient) / (there[:, j] - u[:, j])[:, None]
        out = np.nan_to_num(out, nan=0.0, posinf=0.0, neginf=0.0)
        return np.asarray(0.5 * (out + np.swapaxes(out, 1, 2)))


def _pulled(slopes: Array, pull: Array, chain: Array) -> Array:
    """Return Σ pull × d residual / du (K, q) of slopes in θ (K, P, n) and dθ/du (K, P, q)."""
    in_theta = slopes @ pull[..., None]
    return np.asarray((np.swapaxes(chain, 1, 2) @ in_theta)[..., 0])


def _squared(slopes: Array, weights: Array, chain: Array) -> Array:
    """Return Σ w (d residual / du)(d residual / du)ᵀ (K, q, q)."""
    in_theta = (slopes * weights[:, None, :]) @ np.swapaxes(slopes, 1, 2)
    return np.asarray(np.swapaxes(chain, 1, 2) @ in_theta @ chain)
