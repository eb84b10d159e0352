"""Declare laws of fine-tuning: the tokens that pre-training saves, and the loss against fine-tuning data."""

from __future__ import annotations

import numpy as np

from scaling.fitting.arrays import Array, Values
from scaling.fitting.law import Law, Parameter, amplitude, exponent, floor
from scaling.fitting.laws.registry import register
from scaling.fitting.laws.terms import power, summed

register(
    summed(
        name="transfer",
        variables=("N", "D_F"),
        target="D_T",
        formula="D_T = k D_F^alpha N^beta",
        source="Hernandez et al. 2021, arXiv 2102.01293, eq. 1.1",
        kind="fine-tuning",
        parameters=(
            Parameter(
                name="k",
                meaning="size at D_F = N = 1",
                start=(0.1, 10.0),
                positive=True,
                unit="target",
                centre=(("D_F", "alpha", 1.0), ("N", "beta", 1.0)),
            ),
            exponent("alpha", "how pre-training's worth grows with fine-tuning tokens"),
            exponent("beta", "how it grows with parameters"),
        ),
        notes="D_T are the tokens from scratch that pre-training saved, D_F the tokens of fine-tuning.",
    )
)

register(
    summed(
        name="fine-tuning-joint",
        variables=("X", "D_f"),
        formula="L = E + A X^-alpha D_f^-beta",
        source="Zhang et al. 2024, arXiv 2402.17193, eq. 1",
        kind="fine-tuning",
        parameters=(
            floor("E"),
            amplitude("A", {"X": "alpha", "D_f": "beta"}),
            exponent("alpha", "how fast loss falls with X"),
            exponent("beta", "how fast loss falls with fine-tuning data"),
        ),
        notes="X is one of model size, pre-training data or the size of the tuned part.",
    )
)


def _rectified(p: Values, x: Values) -> Array:
    return np.asarray(p["E"] + p["B"] / (p["D_l"] + power(x["D"], p["beta"])))


def _rectified_gradient(p: Values, x: Values) -> dict[str, Array]:
    log_d = np.log(x["D"])
    worth = np.exp(p["beta"] * log_d)
    part = 1 / (p["D_l"] + worth)
    by_worth = -p["B"] * part**2
    return {"B": part, "D_l": by_worth, "beta": by_worth * worth * log_d, "E": np.ones(1)}


register(
    Law(
        name="fine-tuning-rectified",
        variables=("D",),
        formula="L = B / (D_l + D^beta) + E",
        source="Lin et al. 2024, arXiv 2402.02314, eq. 4",
        kind="fine-tuning",
        parameters=(
            Parameter(
                name="B",
                meaning="size of the power phase",
                start=(0.05, 2.0),
                positive=True,
                unit="target",
                centre=(("D", "beta", -1.0),),
            ),
            # D_l carries the unit of D^beta.
            Parameter(
                name="D_l",
                meaning="what pre-training is worth, in the unit of D^beta",
                start=(0.01, 10.0),
                positive=True,
                centre=(("D", "beta", -1.0),),
            ),
            exponent("beta", "how fast loss falls in the power phase", start=(0.1, 1.5)),
            # The best floor is often zero, which a logarithm cannot reach.
            Parameter(
                name="E", meaning="irreducible loss", start=(0.0, 0.9), unit="target", bounds=(0.0, np.inf)
            ),
        ),
        function=_rectified,
        gradient_function=_rectified_gradient,
        analytic=True,
        derived={
            "D_transition": lambda p: p["D_l"] ** (1 / p["beta"]),
            "L_without": lambda p: p["E"] + p["B"] / p["D_l"],
        },
        notes="Leave out the row with no data: the paper fits D of at least one step of its grid.",
    )
)


def _outer_power(p: Values, x: Values) -> Array:
    return power(power(x["D"], -p["beta"]) / p["B"] + p["E"], p["alpha"])


def _outer_power_slopes(p: Values, x: Values) -> tuple[Array, dict[str, Array]]:
    log_d = np.log(x["D"])
    term = np.exp(-p["beta"] * log_d) / p["B"]
    inner = term + p["E"]
    log_inner = np.log(inner)
    loss = np.exp(p["alpha"] * log_inner)
    outer = p["alpha"] * loss / inner
    by_term = outer * term
    return loss, {"B": -by_term / p["B"], "beta": -by_term * log_d, "E": outer, "alpha": loss * log_inner}


register(
    Law(
        name="fine-tuning-power",
        variables=("D",),
        formula="L = (1/(B D^beta) + E)^alpha",
        source="Lin et al. 2024, arXiv 2402.02314, the law it argues against",
        kind="fine-tuning",
        parameters=(
            Parameter(
                name="B",
                meaning="size of the power law, inverse",
                start=(0.01, 100.0),
                positive=True,
                centre=(("D", "beta", 1.0),),
            ),
            # The starts have both signs: with both positive the loss falls towards E^alpha, with both
            # negative it falls from E^alpha. The middle of the range is a law that falls.
            Parameter(name="beta", meaning="how the inner sum falls with data", start=(-0.5, 1.0)),
            Parameter(name="E", meaning="inner floor", start=(0.01, 5.0), bounds=(0.0, np.inf)),
            Parameter(name="alpha", meaning="outer exponent", start=(-1.0, 2.0)),
        ),
        function=_outer_power,
        gradient_function=lambda p, x: _outer_power_slopes(p, x)[1],
        slopes_function=_outer_power_slopes,
        analytic=True,
        notes=(
            "With beta and alpha both negative it bends like the law fine-tuning-rectified without a floor."
        ),
    )
)
