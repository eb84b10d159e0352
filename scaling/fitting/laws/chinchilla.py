"""A floor plus one power law in parameters and one in tokens: the form behind compute-optimal training."""

from __future__ import annotations

import numpy as np

from scaling.fitting.law import Array, Values, amplitude, exponent, floor, register
from scaling.fitting.laws.terms import summed


def coefficient(p: Values) -> Array:
    """G = (αA/βB)^(1/(α+β)); N* = G (C/6)^a and D* = (C/6)^b / G. Hoffmann et al., arXiv 2203.15556, eq.
    4."""
    log_ratio = np.log(p["alpha"] * p["A"]) - np.log(p["beta"] * p["B"])
    return np.asarray(np.exp(log_ratio / (p["alpha"] + p["beta"])))


chinchilla = register(
    summed(
        name="chinchilla",
        variables=("N", "D"),
        formula="L = E + A N^-alpha + B D^-beta",
        source="Hoffmann et al. 2022, arXiv 2203.15556, eq. 2; objective eq. 3",
        parameters=(
            floor("E"),
            amplitude("A", {"N": "alpha"}),
            amplitude("B", {"D": "beta"}),
            exponent("alpha", "how fast loss falls with parameters"),
            exponent("beta", "how fast loss falls with tokens"),
        ),
        derived={
            "a": lambda p: p["beta"] / (p["alpha"] + p["beta"]),
            "b": lambda p: p["alpha"] / (p["alpha"] + p["beta"]),
            "G": coefficient,
        },
        notes=(
            "A and alpha, B and beta lie on ridges: their product at the centre of the data is well "
            "known, each alone much less."
        ),
    )
)
