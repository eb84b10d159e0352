"""Declare laws of the loss by shape: separate width and depth, and routed experts."""

from __future__ import annotations

import numpy as np

from scaling.fitting.arrays import Array, Values
from scaling.fitting.law import Law, Parameter, amplitude, exponent, floor
from scaling.fitting.laws.registry import register
from scaling.fitting.laws.terms import summed

_WIDTH = amplitude("A", {"width": "alpha"})
_DEPTH = amplitude("B", {"depth": "beta"})
_TOKENS = amplitude("F", {"D": "delta"})
_EXPONENTS = (
    exponent("alpha", "how fast loss falls with width"),
    exponent("beta", "how fast loss falls with depth"),
)


register(
    summed(
        name="width-depth",
        variables=("width", "depth", "D"),
        formula="L = E + A width^-alpha + B depth^-beta + F D^-delta",
        source="McLeish et al. 2025, arXiv 2502.06857, section 3",
        kind="shape",
        parameters=(
            floor("E"),
            _WIDTH,
            _DEPTH,
            _TOKENS,
            *_EXPONENTS,
            exponent("delta", "how fast loss falls with tokens"),
        ),
    )
)

register(
    summed(
        name="width-depth-size",
        variables=("width", "depth", "N", "D"),
        formula="L = E + A width^-alpha + B depth^-beta + C N^-gamma + F D^-delta",
        source="McLeish et al. 2025, arXiv 2502.06857, section 3",
        kind="shape",
        parameters=(
            floor("E"),
            _WIDTH,
            _DEPTH,
            amplitude("C", {"N": "gamma"}),
            _TOKENS,
            *_EXPONENTS,
            exponent("gamma", "how fast loss falls with parameters beside width and depth"),
            exponent("delta", "how fast loss falls with tokens"),
        ),
        notes=(
            "Width, depth and N are nearly a sum in logarithms: the three terms trade off against each other."
        ),
    )
)


def saturated(experts: Array, start: Array, most: Array) -> Array:
    """Return the effective expert count, from `start` at one expert to `most` at infinitely many (arXiv
    2202.01169, eq. 7)."""
    return np.asarray(1 / (1 / (experts - 1 + 1 / _gap(start, most)) + 1 / most))


def _gap(start: Array, most: Array) -> Array:
    gap = 1 / start - 1 / most
    return np.where(np.real(gap) > 1e-12, gap, 1e-12)


def _routed(p: Values, x: Values) -> Array:
    n, e = np.log10(x["N"]), np.log10(saturated(x["experts"], p["E_start"], p["E_max"]))
    return np.asarray(np.exp(np.log(10.0) * (p["a"] * n + p["b"] * e + p["c"] * n * e + p["d"])))


def _routed_gradient(p: Values, x: Values) -> dict[str, Array]:
    start, most = p["E_start"], p["E_max"]
    n, worth, gap = np.log10(x["N"]), saturated(x["experts"], start, most), _gap(start, most)
    e = np.log10(worth)
    loss = np.exp(np.log(10.0) * (p["a"] * n + p["b"] * e + p["c"] * n * e + p["d"]))
    decades = loss * np.log(10.0)
    by_worth = loss * (p["b"] + p["c"] * n) * worth
    # derivative of 1/(E - 1 + 1/gap) in the gap, which is held where the ends cross
    by_gap = by_worth / (1 + gap * (x["experts"] - 1)) ** 2 * (gap > 1e-12)
    return {
        "a": decades * n,
        "b": decades * e,
        "c": decades * n * e,
        "d": decades,
        "E_start": by_gap / start**2,
        "E_max": (by_worth - by_gap) / most**2,
    }


register(
    Law(
        name="routed",
        variables=("N", "experts"),
        formula=(
            "log10 L = a log10 N + b log10 Ê + c log10 N log10 Ê + d, 1/Ê = 1/(E - 1 + (1/E_start - "
            "1/E_max)^-1) + 1/E_max"
        ),
        source="Clark et al. 2022, arXiv 2202.01169, eqs. 1, 6 and 7",
        kind="shape",
        parameters=(
            Parameter(name="a", meaning="exponent of N at Ê = 1", start=(-0.2, 0.0)),
            Parameter(name="b", meaning="exponent of Ê at N = 1", start=(-0.4, 0.1)),
            Parameter(name="c", meaning="how the gain of experts fades with size", start=(-0.02, 0.05)),
            Parameter(name="d", meaning="log10 loss at N = Ê = 1", start=(0.2, 2.0)),
            Parameter(
                name="E_start",
                meaning="effective experts of a dense model",
                start=(1.2, 6.0),
                positive=True,
                bounds=(1.0, np.inf),
            ),
            Parameter(
                name="E_max",
                meaning="effective experts of infinitely many",
                start=(50.0, 2000.0),
                positive=True,
            ),
        ),
        function=_routed,
        gradient_function=_routed_gradient,
        analytic=True,
        derived={"N_cutoff": lambda p: 10 ** (-p["b"] / p["c"])},
        notes=(
            "N counts the dense parameters (those one token meets), E the experts; logarithms to base 10 as "
            "published."
        ),
    )
)
