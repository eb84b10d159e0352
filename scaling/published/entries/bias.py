"""Compute the bias of approach 2 on a known loss surface without noise.

Where alpha and beta differ, the loss is not symmetric in log D around its optimum, and the vertex of a fitted
parabola is biased.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from scaling.fitting import laws
from scaling.published.entries.chinchilla import PRINTED
from scaling.published.outcome import Entry, Refit

_BUDGETS = np.array([1e17, 1e18, 1e19, 1e20, 1e21])
"""Fitted compute budgets, in FLOPs."""
_TARGET = 1e24
"""Compute budget of the extrapolation, in FLOPs."""


def relative_error(
    factor: float, alpha: float = PRINTED["alpha"], beta: float = PRINTED["beta"], points: int = 15
) -> float:
    """Return the relative error of D* extrapolated to 1e24 FLOPs by approach 2.

    Parabolas of L in log D are fitted at five budgets to `points` values of D, from D*/factor to D* factor.
    """
    law = laws.get("chinchilla")
    parameters = {**PRINTED, "alpha": alpha, "beta": beta}
    g = float(np.squeeze(law.derived["G"](law.values(law.vector(parameters)))))
    b = alpha / (alpha + beta)

    def best(flops: float) -> float:
        return float((flops / 6) ** b / g)

    minima = []
    for flops in _BUDGETS:
        log_d = np.log10(best(flops)) + np.linspace(-np.log10(factor), np.log10(factor), points)
        d = 10**log_d
        quadratic, linear, _ = np.polyfit(log_d, law.predict(parameters, {"N": flops / (6 * d), "D": d}), 2)
        minima.append(-linear / (2 * quadratic))
    line = np.polyfit(np.log10(_BUDGETS), minima, 1)
    return float(10 ** np.polyval(line, np.log10(_TARGET)) / best(_TARGET) - 1)


def _run(factor: float, alpha: float, beta: float) -> Refit:
    # The error is rounded to nine decimals, because further digits differ between machines.
    return Refit(values={"percent": round(100 * relative_error(factor, alpha, beta), 9)})


_ROWS = (
    (2.0, -0.3269, PRINTED["alpha"], PRINTED["beta"]),
    (4.0, -1.3011, PRINTED["alpha"], PRINTED["beta"]),
    (8.0, -2.9029, PRINTED["alpha"], PRINTED["beta"]),
    (16.0, -5.1002, PRINTED["alpha"], PRINTED["beta"]),
    (16.0, 0.0, 0.31, 0.31),
)

ENTRIES = tuple(
    Entry(
        name=f"approach-2-bias/x{factor:.0f}" + ("-symmetric" if alpha == beta else ""),
        paper="Czech 2026, on the surface of arXiv 2203.15556",
        claim=(
            f"Fifteen points within a factor of {factor:.0f} at each of five budgets, extrapolated to 1e24 "
            "FLOPs: error of D* in percent."
        ),
        data=(),
        law="approach 2, parabola in log D",
        objective="least squares of loss",
        published={"percent": percent},
        run=partial(_run, factor, alpha, beta),
        within={"percent": 1e-3},
    )
    for factor, percent, alpha, beta in _ROWS
)
