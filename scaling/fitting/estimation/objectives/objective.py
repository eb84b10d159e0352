"""What the solver minimises, whoever computes it."""

from __future__ import annotations

from typing import Protocol

from scaling.fitting.arrays import Array, Flags, Integers


class Objective(Protocol):
    """Σ w ρ(residual) as a function of free coordinates, for a batch of coordinates and of weights."""

    lower: Array
    """(q,) bounds."""
    upper: Array
    """(q,) bounds."""
    linear: Flags
    """(q,) floors and amplitudes: the prediction is linear in them."""
    exact: bool
    """Whether the Hessian is exact and costs no more than Gauss-Newton's."""

    def evaluate(
        self, u: Array, rows: Integers, delta: float, exact: bool
    ) -> tuple[Array, Array, Array, Array]:
        """At u (K, q), with the weights of `rows` (K,) and Huber's δ: value (K,), gradient (K, q), Hessian
        (K, q, q), exact or Gauss-Newton, and a positive diagonal (K, q) that sets the size of each
        coordinate."""
        ...

    def value(self, u: Array, rows: Integers, delta: float) -> Array:
        """Value alone (K,)."""
        ...

    def near(self, u: Array) -> Array:
        """Starts moved (K, q) from u (K, q) towards an optimum, where there is a way that is shorter than
        Newton's; else u."""
        ...
