"""Declare laws of the loss when data are limited and repeated."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scaling.fitting.arrays import Array, Values
from scaling.fitting.law import Law, Parameter, amplitude, exponent, floor
from scaling.fitting.laws.chinchilla import coefficient
from scaling.fitting.laws.registry import register
from scaling.fitting.laws.terms import Sum, chained, power

HALVES = (0.01, 1e6)
"""Search range of R_D* and R_N*. Below it a single repeat is already worthless; above it a thousand repeats
are worth 99.95 % of new tokens. Without bounds 4 % of the resamples of a public table did not converge."""


def effective(amount: Array, unique: Array, half: Array) -> Array:
    """Return the effective amount with repeats, U + U R* (1 - e^(-R/R*)) with R = amount/unique - 1 (arXiv
    2305.16264, eq. 5)."""
    repeats = amount / unique - 1
    return np.asarray(unique + unique * half * -np.expm1(-repeats / half))


def _filled(p: Values, x: Values) -> Array:
    """Return U_N = min(N, G (G U)^(beta/alpha)); parameters beyond this optimum for U count as repeats."""
    log_g = np.log(coefficient(p))
    optimum = np.exp(log_g + (p["beta"] / p["alpha"]) * (log_g + np.log(x["U"])))
    return np.asarray(np.where(np.real(optimum) < x["N"], optimum, x["N"]))


def _repeats(p: Values, x: Values) -> Array:
    n = effective(x["N"], _filled(p, x), p["R_N_star"])
    d = effective(x["D"], x["U"], p["R_D_star"])
    return np.asarray(p["E"] + p["A"] * power(n, -p["alpha"]) + p["B"] * power(d, -p["beta"]))


def _repeats_gradient(p: Values, x: Values) -> Mapping[str, Array]:
    # A bootstrap of this law needs millions of slopes; explicit slopes cost a tenth of complex steps.
    alpha, beta, both = p["alpha"], p["beta"], p["alpha"] + p["beta"]
    log_g = np.log(coefficient(p))
    unique = _filled(p, x)
    n = effective(x["N"], unique, p["R_N_star"])
    d = effective(x["D"], x["U"], p["R_D_star"])
    in_n, in_d = power(n, -alpha), power(d, -beta)
    # dL/dn and dL/dd; then how n moves with U_N, and U_N with G and with the exponents
    by_n, by_d = -alpha * p["A"] * in_n / n, -beta * p["B"] * in_d / d
    left = np.exp(-(x["N"] / unique - 1) / p["R_N_star"])
    by_unique = by_n * (1 + p["R_N_star"] * (1 - left) - x["N"] / unique * left)
    by_optimum = np.where(unique < x["N"], by_unique * unique, 0.0)  # per unit of log U_N
    by_log_g = by_optimum * (1 + beta / alpha)
    by_ratio = by_optimum * (log_g + np.log(x["U"]))
    return {
        "E": np.ones_like(in_n),
        "A": in_n + by_log_g / (p["A"] * both),
        "B": in_d - by_log_g / (p["B"] * both),
        "alpha": -p["A"] * in_n * np.log(n)
        + by_log_g * (1 / alpha - log_g) / both
        - by_ratio * beta / alpha**2,
        "beta": -p["B"] * in_d * np.log(d) - by_log_g * (1 / beta + log_g) / both + by_ratio / alpha,
        "R_D_star": by_d * x["U"] * _loosened(x["D"] / x["U"] - 1, p["R_D_star"]),
        "R_N_star": by_n * unique * _loosened(x["N"] / unique - 1, p["R_N_star"]),
    }


def _loosened(repeats: Array, half: Array) -> Array:
    """Return d/dR* of R* (1 - e^(-R/R*))."""
    q = repeats / half
    return np.asarray(-np.expm1(-q) - q * np.exp(-q))


register(
    Law(
        name="repeats",
        variables=("N", "D", "U"),
        formula=(
            "L = E + A N'^-alpha + B D'^-beta, D' = U + U R_D* (1 - e^(-R_D/R_D*)), R_D = D/U - 1, N' "
            "likewise from "
            "U_N = min(N, G (G U)^(beta/alpha))"
        ),
        source="Muennighoff et al. 2023, arXiv 2305.16264, eqs. 5 and 6",
        kind="limited data",
        parameters=(
            floor("E"),
            amplitude("A", {"N": "alpha"}),
            amplitude("B", {"D": "beta"}),
            exponent("alpha", "how fast loss falls with parameters", bounds=(1e-3, np.inf)),
            exponent("beta", "how fast loss falls with tokens", bounds=(1e-3, np.inf)),
            Parameter(
                name="R_D_star",
                meaning="repeats after which tokens have lost 63 % of their worth",
                start=(1.0, 100.0),
                positive=True,
                bounds=HALVES,
            ),
            Parameter(
                name="R_N_star",
                meaning="the same for parameters beyond what the unique tokens can fill",
                start=(0.3, 300.0),
                positive=True,
                bounds=HALVES,
            ),
        ),
        function=_repeats,
        gradient_function=_repeats_gradient,
        # The minimum has a kink; the complex step gives the derivative of the active side.
        analytic=True,
        notes=(
            "U is the number of unique tokens. The objective has more than one valley in R_N*; the "
            "published point lies "
            "in a shallow one: look at the profile."
        ),
    )
)


def _share(name: str, meaning: str, *centre: tuple[str, str, float]) -> Parameter:
    return Parameter(name=name, meaning=meaning, start=(0.01, 1.0), positive=True, centre=centre)


_EXCESS = (
    _share("a", "too few parameters", ("N", "alpha", -1.0)),
    _share("b", "too little training", ("D", "beta", -1.0)),
    _share("c", "overfitting", ("N", "gamma", 1.0), ("U", "delta", -1.0)),
    exponent("alpha", "how fast more parameters help"),
    exponent("beta", "how fast more training helps"),
    exponent("gamma", "how fast more parameters overfit"),
    exponent("delta", "how fast more unique tokens prevent it"),
)
_H = Sum(_EXCESS)


def _bounded(p: Values, x: Values) -> Array:
    h = _H.value(p, x)
    return np.asarray(p["E"] + (p["L_0"] - p["E"]) * (h / (1 + h)))


def _bounded_gradient(p: Values, x: Values) -> dict[str, Array]:
    h, slopes = _H.slopes(p, x)
    left = 1 / (1 + h)
    return {"E": left, "L_0": h * left, **chained((p["L_0"] - p["E"]) * left**2, slopes)}


register(
    Law(
        name="bounded",
        variables=("N", "D", "U"),
        formula="L = E + (L_0 - E) h/(1 + h), h = a N^-alpha + b D^-beta + c N^gamma U^-delta",
        source="Practical Scaling Laws 2026, arXiv 2605.09189, main equation",
        kind="limited data",
        parameters=(
            floor("E"),
            Parameter(
                name="L_0",
                meaning="loss of a model that knows nothing",
                start=(1.5, 6.0),
                positive=True,
                unit="target",
            ),
            *_EXCESS,
        ),
        function=_bounded,
        gradient_function=_bounded_gradient,
        analytic=True,
        notes=(
            "D are the tokens seen (T in the paper), U the unique ones (D in the paper). Far below L_0 it "
            "is Chinchilla plus overfitting."
        ),
    )
)
