"""Declare further laws of the loss in two scales: Kaplan's joint forms, Rosenfeld's envelope, coupling,
over-training."""

from __future__ import annotations

import numpy as np

from scaling.fitting.arrays import Array, Values
from scaling.fitting.law import Law, Parameter, amplitude, exponent, floor
from scaling.fitting.laws.registry import register
from scaling.fitting.laws.terms import Sum, chained, power, softplus, summed


def _kaplan_parts(p: Values, x: Values) -> tuple[Array, Array, Array]:
    # (N_c/N)^(alpha_N/alpha_D) and D_c/D as logarithms, with the amplitudes A = N_c^alpha_N and
    # B = D_c^alpha_D, and the logarithm of their sum.
    in_n = (np.log(p["A"]) - p["alpha_N"] * np.log(x["N"])) / p["alpha_D"]
    in_d = (np.log(p["B"]) - p["alpha_D"] * np.log(x["D"])) / p["alpha_D"]
    return in_n, in_d, in_d + softplus(in_n - in_d)


def _kaplan(p: Values, x: Values) -> Array:
    return np.asarray(np.exp(p["alpha_D"] * _kaplan_parts(p, x)[2]))


def _kaplan_gradient(p: Values, x: Values) -> dict[str, Array]:
    in_n, in_d, both = _kaplan_parts(p, x)
    loss = np.exp(p["alpha_D"] * both)
    by_n, by_d = loss * np.exp(in_n - both), loss * np.exp(in_d - both)
    return {
        "A": by_n / p["A"],
        "B": by_d / p["B"],
        "alpha_N": -by_n * np.log(x["N"]),
        "alpha_D": by_n * (both - in_n) + by_d * (both - in_d - np.log(x["D"])),
    }


_KAPLAN = (
    amplitude("A", {"N": "alpha_N"}, "N_c^alpha_N"),
    amplitude("B", {"D": "alpha_D"}, "D_c^alpha_D"),
    exponent("alpha_N", "how fast loss falls with parameters, data unlimited", bounds=(1e-4, np.inf)),
    exponent("alpha_D", "how fast loss falls with tokens, size unlimited", bounds=(1e-4, np.inf)),
)
_KAPLAN_DERIVED = {
    "N_c": lambda p: p["A"] ** (1 / p["alpha_N"]),
    "D_c": lambda p: p["B"] ** (1 / p["alpha_D"]),
}

register(
    Law(
        name="kaplan",
        variables=("N", "D"),
        formula="L = [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D, with A = N_c^alpha_N and B = D_c^alpha_D",
        source="Kaplan et al. 2020, arXiv 2001.08361, eq. 1.5",
        parameters=_KAPLAN,
        function=_kaplan,
        gradient_function=_kaplan_gradient,
        analytic=True,
        derived=_KAPLAN_DERIVED,
        notes="N counts no embeddings in the paper. No floor: extrapolation goes to zero loss.",
    )
)

register(
    Law(
        name="kaplan-floor",
        variables=("N", "D"),
        formula=(
            "L = E + [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D, with A = N_c^alpha_N and B = D_c^alpha_D"
        ),
        source=(
            "Kaplan et al. 2020, arXiv 2001.08361, eq. 1.5, with the floor of Henighan et al. 2020, arXiv "
            "2010.14701"
        ),
        parameters=(floor("E"), *_KAPLAN),
        function=lambda p, x: p["E"] + _kaplan(p, x),
        gradient_function=lambda p, x: {"E": np.ones(1), **_kaplan_gradient(p, x)},
        analytic=True,
        derived=_KAPLAN_DERIVED,
    )
)

register(
    summed(
        name="kaplan-steps",
        variables=("N", "S"),
        formula="L = (N_c/N)^alpha_N + (S_c/S)^alpha_S, with A = N_c^alpha_N and B = S_c^alpha_S",
        source="Kaplan et al. 2020, arXiv 2001.08361, eq. 1.6",
        parameters=(
            amplitude("A", {"N": "alpha_N"}, "N_c^alpha_N"),
            amplitude("B", {"S": "alpha_S"}, "S_c^alpha_S"),
            exponent("alpha_N", "how fast loss falls with parameters"),
            exponent("alpha_S", "how fast loss falls with steps"),
        ),
        derived={
            "N_c": lambda p: p["A"] ** (1 / p["alpha_N"]),
            "S_c": lambda p: p["B"] ** (1 / p["alpha_S"]),
        },
        notes=(
            "S is S_min, the steps at a batch far above critical: see the laws critical-batch and "
            "steps-at-batch."
        ),
    )
)


_ENVELOPE = (
    Parameter(
        name="a",
        meaning="size of the term in N, in units of eta",
        start=(0.05, 3.0),
        positive=True,
        centre=(("N", "alpha", -1.0),),
    ),
    Parameter(
        name="b",
        meaning="size of the term in D, in units of eta",
        start=(0.05, 3.0),
        positive=True,
        centre=(("D", "beta", -1.0),),
    ),
    Parameter(name="c", meaning="floor, in units of eta", start=(0.02, 1.0), positive=True),
    exponent("alpha", "how fast error falls with parameters"),
    exponent("beta", "how fast error falls with tokens"),
)
_H = Sum(_ENVELOPE)


def _envelope(p: Values, x: Values) -> Array:
    # |h / (h - i)| = h / sqrt(h^2 + 1)
    h = _H.value(p, x)
    return np.asarray(p["epsilon_0"] * h / np.sqrt(h**2 + 1))


def _envelope_gradient(p: Values, x: Values) -> dict[str, Array]:
    h, slopes = _H.slopes(p, x)
    root = 1 / np.sqrt(h**2 + 1)
    return {"epsilon_0": h * root, **chained(p["epsilon_0"] * root**3, slopes)}


register(
    Law(
        name="rosenfeld",
        variables=("N", "D"),
        formula="L = epsilon_0 |h / (h - i)|, h = a N^-alpha + b D^-beta + c",
        source="Rosenfeld et al. 2020, arXiv 1909.12673, section 5, eqs. 4 and 5",
        parameters=(
            Parameter(
                name="epsilon_0",
                meaning="error of a guess",
                start=(1.0, 4.0),
                positive=True,
                unit="target",
            ),
            *_ENVELOPE,
        ),
        function=_envelope,
        gradient_function=_envelope_gradient,
        analytic=True,
        derived={"floor": lambda p: p["epsilon_0"] * p["c"] / np.sqrt(p["c"] ** 2 + 1)},
        notes=(
            "The paper's eta only multiplies a, b and c together, so it is taken into them: six unknowns, "
            "not seven."
        ),
    )
)

COUPLED = (
    amplitude("A", {"N": "alpha"}),
    amplitude("B", {"D": "beta"}),
    exponent("alpha", "how fast the inner sum falls with parameters"),
    exponent("beta", "how fast the inner sum falls with tokens"),
)
_INNER = Sum(COUPLED)


def _coupled_gradient(p: Values, x: Values) -> dict[str, Array]:
    inner, slopes = _INNER.slopes(p, x)
    outer = power(inner, p["gamma"])
    return {
        "E": np.ones(1),
        **chained(p["gamma"] * outer / inner, slopes),
        "gamma": outer * np.log(inner),
    }


register(
    Law(
        name="coupled",
        variables=("N", "D"),
        formula="L = E + (A N^-alpha + B D^-beta)^gamma",
        source="Busbridge et al. 2025, arXiv 2502.08606, eq. 1; Videau et al. 2026",
        parameters=(
            floor("E"),
            *COUPLED,
            Parameter(name="gamma", meaning="coupling; 1 is Chinchilla", start=(0.4, 1.6), positive=True),
        ),
        function=lambda p, x: p["E"] + power(_INNER.value(p, x), p["gamma"]),
        gradient_function=_coupled_gradient,
        analytic=True,
        derived={
            "a": lambda p: p["beta"] / (p["alpha"] + p["beta"]),
            "b": lambda p: p["alpha"] / (p["alpha"] + p["beta"]),
        },
        notes=(
            "Where one term dominates everywhere, gamma only multiplies the other exponents and is not "
            "identified."
        ),
    )
)


# M^eta C^-eta = (6 N^2)^-eta and M^-eta C^-eta = (6 D^2)^-eta: Chinchilla with equal exponents 2 eta.
_OVER_TRAINED = (
    Parameter(
        name="a",
        meaning="size of the term that more tokens per parameter leave",
        start=(0.01, 1.0),
        positive=True,
        unit="target",
        centre=(("N", "eta", -2.0),),
    ),
    Parameter(
        name="b",
        meaning="size of the term that more tokens per parameter remove",
        start=(0.01, 1.0),
        positive=True,
        unit="target",
        centre=(("D", "eta", -2.0),),
    ),
    exponent("eta", "how fast loss falls with compute at any fixed M", start=(0.03, 0.5)),
)
_SQUARES = Sum(_OVER_TRAINED)


def _over_trained_gradient(p: Values, x: Values) -> dict[str, Array]:
    inner, slopes = _SQUARES.slopes(p, x)
    six = power(6.0, -p["eta"])
    by = chained(six, slopes)
    return {"E": np.ones(1), **by, "eta": by["eta"] - np.log(6.0) * six * inner}


register(
    Law(
        name="over-training",
        variables=("N", "D"),
        formula="L = E + (a M^eta + b M^-eta) C^-eta, M = D/N, C = 6 N D",
        source="Gadre et al. 2024, arXiv 2403.08540, eq. 4",
        kind="over-training",
        parameters=(
            floor("E"),
            *_OVER_TRAINED,
        ),
        function=lambda p, x: p["E"] + power(6.0, -p["eta"]) * _SQUARES.value(p, x),
        gradient_function=_over_trained_gradient,
        analytic=True,
        derived={"M_star": lambda p: (p["b"] / p["a"]) ** (1 / (2 * p["eta"]))},
        notes="It is Chinchilla with alpha = beta = 2 eta.",
    )
)
