"""Declare laws of the loss curve of one run under a learning-rate schedule: annealing area, multi-power law,
collapse.

Both schedule laws read `step` and `lr` row by row, and `warm_up`, the steps of the warm-up, where the table
has it. `schedules` states the assumptions between rows and before the first row.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scaling.fitting.arrays import Array, Values
from scaling.fitting.law import Law, Parameter, exponent, floor
from scaling.fitting.laws import schedules
from scaling.fitting.laws.registry import register
from scaling.fitting.laws.terms import Sum, power

_RATE = Parameter(
    name="A", meaning="size of the power law in the summed rate", start=(0.05, 3.0), positive=True
)
_CALM = (
    floor("L_0", "loss after endless training", start=(0.3, 1.0)),
    _RATE,
    exponent("alpha", "how fast loss falls with the summed rate", start=(0.2, 1.0)),
)
# The summed rate S1 is not a column, so the search does not centre A there.
_LOSS = Sum((_CALM[0], replace(_RATE, centre=(("S1", "alpha", -1.0),)), _CALM[2]))
_WARM_UP = (
    "A column `warm_up` gives the steps of the warm-up; without it the warm-up is taken to end at a curve's "
    "first row, which moves predictions near that row by some thousandths."
)


def _annealing(p: Values, x: Values) -> Array:
    total, area, _ = schedules.summed(x)
    return np.asarray(_LOSS.value(p, {"S1": total}) - p["C"] * area)


def _annealing_gradient(p: Values, x: Values) -> dict[str, Array]:
    total, area, _ = schedules.summed(x)
    return {**_LOSS.slopes(p, {"S1": total})[1], "C": -area}


register(
    Law(
        name="annealing",
        variables=("step", "lr"),
        optional=("warm_up",),
        signed=("warm_up",),
        formula="L = L_0 + A S1^-alpha - C S2, S1 the summed rate, S2 the annealing area with memory 0.999",
        source="Tissue et al. 2024, arXiv 2408.11029, eqs. 1 and 2",
        kind="curve",
        parameters=(
            *_CALM,
            Parameter(name="C", meaning="gain per annealing area", start=(0.05, 5.0), positive=True),
        ),
        function=_annealing,
        gradient_function=_annealing_gradient,
        analytic=True,
        notes=_WARM_UP,
    )
)


def _multi_power(p: Values, x: Values) -> Array:
    total, _, falls = schedules.summed(x)
    z = np.exp(np.log(p["C"]) - p["gamma"] * falls.log_rate + falls.log_since)
    gained = falls.over(1 - np.exp(-p["beta"] * np.log1p(z)))
    return np.asarray(_LOSS.value(p, {"S1": total}) - p["B"] * gained)


def _multi_power_slopes(p: Values, x: Values) -> tuple[Array, dict[str, Array]]:
    total, _, falls = schedules.summed(x)
    z = np.exp(np.log(p["C"]) - p["gamma"] * falls.log_rate + falls.log_since)
    log_base = np.log1p(z)
    left = np.exp(-p["beta"] * log_base)
    # d(1 - (1 + z)^-β) = β (1 + z)^-β z/(1 + z) d log z, and z is proportional to C and to η^-γ.
    move = left * (z / (1 + z))
    lost, by_c, by_gamma, by_beta = falls.over(
        np.stack(np.broadcast_arrays(left - 1, move, move * falls.log_rate, left * log_base))
    )
    with_beta = p["B"] * p["beta"]
    calm, slopes = _LOSS.slopes(p, {"S1": total})
    return calm + p["B"] * lost, {
        **slopes,
        "B": lost,
        "C": -with_beta / p["C"] * by_c,
        "beta": -p["B"] * by_beta,
        "gamma": with_beta * by_gamma,
    }


register(
    Law(
        name="multi-power",
        variables=("step", "lr"),
        optional=("warm_up",),
        signed=("warm_up",),
        formula="L = L_0 + A (S1 + S_W)^-alpha - B Σ_k (η_(k-1) - η_k) [1 - (C η_k^-gamma S_k + 1)^-beta]",
        source="Luo et al. 2025, arXiv 2503.12811, eqs. 1 and 2",
        kind="curve",
        parameters=(
            *_CALM,
            Parameter(name="B", meaning="gain per fall of the rate", start=(50.0, 2000.0), positive=True),
            Parameter(
                name="C",
                meaning="how soon the gain comes",
                start=(30.0, 3000.0),
                positive=True,
                centre=(("lr", "gamma", -1.0),),
            ),
            # As beta goes to 0 the gain is a logarithm of size B beta; as it goes to infinity, an exponential
            # in C beta. At both ends the factors cannot be separated.
            Parameter(
                name="beta",
                meaning="how the gain comes",
                start=(0.2, 1.2),
                positive=True,
                bounds=(0.01, 10.0),
            ),
            Parameter(name="gamma", meaning="how sooner at lower rates", start=(0.1, 1.2)),
        ),
        function=_multi_power,
        gradient_function=lambda p, x: _multi_power_slopes(p, x)[1],
        slopes_function=_multi_power_slopes,
        analytic=True,
        notes=(
            "The sum runs over the warm-up too, where the rate rises: without it every prediction lies B η "
            "too low. " + _WARM_UP
        ),
    )
)


def _collapse(p: Values, x: Values) -> Array:
    return np.asarray(p["E"] + (x["L_final"] - p["E"]) * power(x["progress"], -p["b"]))


def _collapse_gradient(p: Values, x: Values) -> dict[str, Array]:
    log_t = np.log(x["progress"])
    common = np.exp(-p["b"] * log_t)
    return {"E": 1 - common, "b": (p["E"] - x["L_final"]) * common * log_t}


register(
    Law(
        name="collapse",
        variables=("progress", "L_final"),
        formula="(L - E)/(L_final - E) = progress^-b, progress = t/t_final",
        source="Qiu et al. 2025, arXiv 2507.02119, eq. 2, with a power law as the common curve",
        kind="curve",
        parameters=(
            floor("E", "loss without end", start=(0.1, 0.7)),
            exponent("b", "slope of the common curve"),
        ),
        function=_collapse,
        gradient_function=_collapse_gradient,
        analytic=True,
        notes="The power law holds at a constant rate; for any other common curve see `collapse_spread`.",
    )
)


def normalised(loss: Array, final: Array, limit: float) -> Array:
    """Return (L - L_inf)/(L_final - L_inf), which is equal for all sizes where curves collapse (arXiv
    2507.02119)."""
    return np.asarray((loss - limit) / (final - limit))


def collapse_spread(progress: Array, loss: Array, limit: float) -> float:
    """Return the mean relative standard deviation over normalised curves. loss: (curves, points)."""
    del progress  # Every curve must be sampled at the same fractions of its length.
    common = normalised(loss, loss[:, -1:], limit)
    return float(np.mean(common[:, :-1].std(axis=0) / common[:, :-1].mean(axis=0)))
