"""Define the interface of an objective, which the solver minimises."""

from __future__ import annotations

from typing import Protocol

from scaling.fitting.arrays import Array, Flags, Integers


class Objective(Protocol):
    """The sum Σ w ρ(residual) as a function of free coordinates, for a batch of coordinates and weights."""

    lower: Array
    """(q,) bounds."""
    upper: Array
    """(q,) bounds."""
    linear: Flags
    """(q,) whether the prediction is linear in a coordinate: floors and amplitudes."""
    exact: bool
    """Whether the Hessian is exact and costs no more than Gauss-Newton's."""

    def evaluate(
        self, u: Array, rows: Integers, delta: float, exact: bool
    ) -> tuple[Array, Array, Array, Array]:
        """Return value (K,), gradient (K, q), Hessian (K, q, q) and a positive diagonal (K, q) at u (K, q).

        The weights are those of `rows` (K,) and Huber's δ is `delta`. The Hessian is exact or Gauss-Newton;
        the diagonal sets the scale of each coordinate.
        """
        ...

    def value(self, u: Array, rows: Integers, delta: float) -> Array:
        """Return the value (K,) without derivatives."""
        ...

    def near(self, u: Array) -> Array:
        """Return starts (K, q) moved from u (K, q) towards an optimum by a faster method than Newton's, else
        u itself."""
        ...
