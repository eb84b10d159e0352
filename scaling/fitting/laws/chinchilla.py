"""Declare the Chinchilla law: a floor plus one power law in parameters and one in tokens."""

from __future__ import annotations

import numpy as np

from scaling.fitting.arrays import Array, Values
from scaling.fitting.estimation.objectives.chinchilla import ChinchillaObjective
from scaling.fitting.law import amplitude, exponent, floor
from scaling.fitting.laws.registry import register
from scaling.fitting.laws.terms import summed


def coefficient(p: Values) -> Array:
    """Return G = (αA/βB)^(1/(α+β)), with N* = G (C/6)^a and D* = (C/6)^b / G.

    Hoffmann et al., arXiv 2203.15556, eq. 4.
    """
    log_ratio = np.log(p["alpha"] * p["A"]) - np.log(p["beta"] * p["B"])
    return np.asarray(np.exp(log_ratio / (p["alpha"] + p["beta"])))


def best_split(p: Values, flops: Array) -> tuple[Array, Array]:
    """Return N* and D* (..., m) of the lowest loss under 6 N D = flops (m,). Hoffmann et al., arXiv
    2203.15556, eq. 4."""
    total = p["alpha"] + p["beta"]
    log_g = (np.log(p["alpha"] * p["A"]) - np.log(p["beta"] * p["B"])) / total
    log_nd = np.log(np.asarray(flops, dtype=np.float64) / 6)
    return np.exp(log_g + p["beta"] / total * log_nd), np.exp(-log_g + p["alpha"] / total * log_nd)


def tokens_for(p: Values, n: Array, loss: float) -> Array:
    """Return D (..., m) at which sizes n (m,) reach a loss; infinite where they never do."""
    left = loss - p["E"] - p["A"] * n ** -p["alpha"]
    return np.where(left > 0, np.exp(np.log(p["B"] / np.maximum(left, 1e-300)) / p["beta"]), np.inf)


def frontier(p: Values) -> tuple[Array, Array, Array]:
    """Return E, K and γ (..., 1) of the loss at the best split, E + K C^-γ: γ = αβ/(α+β), and K from the law
    at its own optimum (Hoffmann et al., arXiv 2203.15556, eq. 4)."""
    n, d = best_split(p, np.array([6.0]))
    amplitude = p["A"] * n ** -p["alpha"] + p["B"] * d ** -p["beta"]
    power = p["alpha"] * p["beta"] / (p["alpha"] + p["beta"])
    return p["E"], amplitude * 6.0**power, power


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
        objective=ChinchillaObjective,
        best_split=best_split,
        tokens_for=tokens_for,
        frontier=frontier,
    )
)
