"""Build laws that are sums of power-law terms, with their slopes, from the parameters alone.

An amplitude's `centre` names its factors, as `amplitude("A", {"N": "alpha"})` does for A N^-alpha. Parameters
without a centre that are in no other parameter's centre are floors and are added. A law that is a sum of such
terms needs no formula in code: `summed(name="mine", parameters=(floor("E"), amplitude("A", {"N": "alpha"}),
exponent("alpha")), …)`. Laws with a sum inside another function use `Sum` and the chain rule.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from scaling.fitting.arrays import Array, Values
from scaling.fitting.law import Law, Parameter


def power(base: Any, exponent: Any) -> Array:
    """Return base^exponent of a positive base, real or complex: exp and log are several times faster than
    `**`."""
    return np.asarray(np.exp(exponent * np.log(base)))


def softplus(z: Array) -> Array:
    """Return log(1 + e^z), real or complex, without overflow."""
    low = np.where(np.real(z) > 0, -z, z)
    return np.asarray((z - low) / 2 + np.log1p(np.exp(low)))


def chained(outer: Any, inner: Mapping[str, Array]) -> dict[str, Array]:
    """Return the slopes of f(g) from the slope of f in g and those of g by parameter."""
    return {name: outer * slope for name, slope in inner.items()}


class Sum:
    """The sum Σ amplitude × Π variable^(sign × exponent) + Σ floors over the given parameters."""

    def __init__(self, parameters: Sequence[Parameter], subtracted: Collection[str] = ()) -> None:
        """Set up the sum; the floors in `subtracted` are subtracted."""
        self.terms = {p.name: p.centre for p in parameters if p.centre}
        exponents = {power for factors in self.terms.values() for _, power, _ in factors}
        loose = [p.name for p in parameters if p.name not in self.terms and p.name not in exponents]
        self.floors = {name: -1.0 if name in subtracted else 1.0 for name in loose}

    def value(self, p: Values, x: Values) -> Array:
        """Return the sum (..., n)."""
        logs = self._logs(x)
        total: Any = sum(sign * p[name] for name, sign in self.floors.items())
        for name in self.terms:
            total = total + p[name] * self._factor(name, p, logs)
        return np.asarray(total)

    def slopes(self, p: Values, x: Values) -> tuple[Array, dict[str, Array]]:
        """Return the sum (..., n) and its slope in each parameter."""
        logs = self._logs(x)
        total: Any = sum(sign * p[name] for name, sign in self.floors.items())
        out: dict[str, Array] = {name: np.full(1, sign) for name, sign in self.floors.items()}
        for name, factors in self.terms.items():
            out[name] = self._factor(name, p, logs)
            term = p[name] * out[name]
            total = total + term
            for variable, power, sign in factors:
                slope = term * (sign * logs[variable])
                out[power] = out[power] + slope if power in out else slope
        return np.asarray(total), out

    def _logs(self, x: Values) -> dict[str, Array]:
        variables = {variable for factors in self.terms.values() for variable, _, _ in factors}
        return {variable: np.log(x[variable]) for variable in variables}

    def _factor(self, name: str, p: Values, logs: Mapping[str, Array]) -> Array:
        """Return Π variable^(sign × exponent) of one term, with one exponential."""
        raised: Any = sum(p[power] * (sign * logs[variable]) for variable, power, sign in self.terms[name])
        return np.asarray(np.exp(raised))


def summed(*, parameters: tuple[Parameter, ...], subtracted: Collection[str] = (), **words: Any) -> Law:
    """Return the law whose prediction is the `Sum` of its parameters. `words` holds the other fields of
    `Law`."""
    total = Sum(parameters, subtracted)
    return Law(
        parameters=parameters,
        function=total.value,
        gradient_function=lambda p, x: total.slopes(p, x)[1],
        slopes_function=total.slopes,
        analytic=True,
        **words,
    )
