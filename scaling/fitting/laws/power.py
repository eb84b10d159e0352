"""Declare power laws of one variable, with and without a floor: Hestness 2017, Kaplan 2020, Henighan 2020."""

from __future__ import annotations

import numpy as np

from scaling.fitting.arrays import Array, Values
from scaling.fitting.law import amplitude, exponent, floor
from scaling.fitting.laws.registry import register
from scaling.fitting.laws.terms import summed

_WORDS = {"N": "parameters", "D": "tokens", "C": "compute", "S": "steps"}


def _frontier(p: Values) -> tuple[Array, Array, Array]:
    """Return the floor, the amplitude and the exponent (..., 1) against compute."""
    return p.get("E", np.zeros_like(p["a"])), p["a"], p["b"]


def _declare(variable: str, word: str) -> None:
    """Declare the pure and the floored power law of one variable."""
    term = amplitude("a", {variable: "b"})
    front = _frontier if variable == "C" else None
    power = exponent("b", f"how fast loss falls with {word}")
    register(
        summed(
            name=f"power-{variable.lower()}",
            variables=(variable,),
            formula=f"L = a {variable}^-b",
            source=(
                "Hestness et al. 2017, arXiv 1712.00409, eq. 1 without floor; Kaplan et al. 2020, "
                "arXiv 2001.08361, eqs. 1.1-1.3"
            ),
            parameters=(term, power),
            frontier=front,
        )
    )
    register(
        summed(
            name=f"power-floor-{variable.lower()}",
            variables=(variable,),
            formula=f"L = E + a {variable}^-b",
            source="Henighan et al. 2020, arXiv 2010.14701, eq. 1.1",
            parameters=(floor("E"), term, power),
            frontier=front,
        )
    )


for _variable, _word in _WORDS.items():
    _declare(_variable, _word)
