"""Define the problem that the solver works on: a law, a table and an estimator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scaling.fitting.arrays import Array, Values
from scaling.fitting.estimation.coordinates import Coordinates
from scaling.fitting.estimation.likelihood import Noise
from scaling.fitting.estimation.losses import Loss
from scaling.fitting.estimation.objectives.generic import GenericObjective
from scaling.fitting.estimation.objectives.objective import Objective
from scaling.fitting.law import Law

MANY = 20_000
"""Number of rows above which starts are tried on a random part of the table and optima of resampled tables
are not used as starts, because with so many points the objective is nearly smooth."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """A law, a table and an estimator: all that the solver needs."""

    law: Law
    """Law to be fitted."""
    x: Values
    """Variables by letter, each (n,)."""
    y: Array
    """(n,) observations of the target; (K, n) when every resample has its own."""
    weights: Array
    """(n,) weights of the points, mean 1."""
    coordinates: Coordinates
    """Search coordinates."""
    loss: Loss
    """Loss of a residual."""
    starts: int = 24
    """Number of random starts."""
    seed: int = 0
    """Seed of the starts."""

    def objective(self, weights: Array, loss: Loss | None = None) -> Objective:
        """Return the objective for weights (K, n), one member of the batch per row."""
        made = self.law.objective or GenericObjective
        return made(self.x, self.y, weights, self.coordinates, loss or self.loss)

    def residuals(self, u: Array) -> Array:
        """Return prediction − observation on the loss's scale (..., n)."""
        predicted = self.law.predict(self.coordinates.natural(u), self.x)
        if self.loss.scale == "raw":
            return np.asarray(predicted - self.y)
        return np.asarray(np.log(predicted) - np.log(self.y))

    def value(self, u: Array, weights: Array | None = None) -> Array:
        """Return the reported objective (...)."""
        residual = self.residuals(u)
        weights = self.weights if weights is None else weights
        if self.loss.name == "likelihood":
            return (
                Noise.of(self.x)
                .fit(np.atleast_2d(residual), np.atleast_2d(weights))[1]
                .reshape(residual.shape[:-1])
            )
        return self.loss.value(residual, weights)
