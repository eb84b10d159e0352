"""Declare laws of the loss under low precision, sparsity and distillation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scaling.fitting.arrays import Array, Values
from scaling.fitting.law import Law, Parameter, amplitude, exponent, floor
from scaling.fitting.laws.registry import register
from scaling.fitting.laws.terms import Sum, chained, softplus

_PRECISION = "Kumar et al. 2024, arXiv 2411.04330"


_CHINCHILLA = (
    floor("E"),
    amplitude("A", {"N": "alpha"}),
    amplitude("B", {"D": "beta"}),
    exponent("alpha", "how fast loss falls with parameters"),
    exponent("beta", "how fast loss falls with tokens"),
)
_TOTAL = Sum(_CHINCHILLA)


def _effective(p: Values, x: Values, bits: dict[str, str]) -> Values:
    """Return the variables with N replaced by the effective N at these bits."""
    worth = 1.0
    for variable, gamma in bits.items():
        worth = worth * -np.expm1(-x[variable] / p[gamma])
    return {**x, "N": x["N"] * worth}


def _precision(p: Values, x: Values, bits: dict[str, str]) -> Array:
    return _TOTAL.value(p, _effective(p, x, bits))


def _precision_gradient(p: Values, x: Values, bits: dict[str, str]) -> dict[str, Array]:
    slopes = _TOTAL.slopes(p, _effective(p, x, bits))[1]
    size = p["alpha"] * p["A"] * slopes["A"]
    for variable, gamma in bits.items():
        q = x[variable] / p[gamma]
        slopes[gamma] = size * q / np.expm1(q) / p[gamma]
    return slopes


def _bits(name: str, what: str) -> Parameter:
    return Parameter(
        name=name, meaning=f"bits at which {what} keep 63 % of their worth", start=(0.5, 8.0), positive=True
    )


_ONE = {"P": "gamma"}
_THREE = {"P_w": "gamma_w", "P_a": "gamma_a", "P_kv": "gamma_kv"}

register(
    Law(
        name="precision-weights",
        variables=("N", "D", "P"),
        formula="L = E + A [N (1 - e^(-P/gamma))]^-alpha + B D^-beta",
        source=_PRECISION + ", eq. 3",
        kind="compression",
        parameters=(*_CHINCHILLA, _bits("gamma", "weights")),
        function=lambda p, x: _precision(p, x, _ONE),
        gradient_function=lambda p, x: _precision_gradient(p, x, _ONE),
        analytic=True,
        notes="P is the precision of training in bits.",
    )
)

register(
    Law(
        name="precision",
        variables=("N", "D", "P_w", "P_a", "P_kv"),
        formula="L = E + A [N Π (1 - e^(-P/gamma))]^-alpha + B D^-beta over weights, activations and cache",
        source=_PRECISION + ", eqs. 4 and 9",
        kind="compression",
        parameters=(
            *_CHINCHILLA,
            _bits("gamma_w", "weights"),
            _bits("gamma_a", "activations"),
            _bits("gamma_kv", "keys and values"),
        ),
        function=lambda p, x: _precision(p, x, _THREE),
        gradient_function=lambda p, x: _precision_gradient(p, x, _THREE),
        analytic=True,
    )
)

_DAMAGE = (
    Parameter(
        name="C_T",
        meaning="size of the damage",
        start=(1.0, 100.0),
        positive=True,
        unit="target",
        centre=(("D", "gamma_D", 1.0), ("N", "gamma_N", -1.0)),
    ),
    exponent("gamma_D", "how damage grows with training tokens"),
    exponent("gamma_N", "how damage falls with parameters"),
)
_FULL = Sum(_DAMAGE)


def _damage_gradient(p: Values, x: Values) -> dict[str, Array]:
    full, slopes = _FULL.slopes(p, x)
    kept = np.exp(-x["P"] / p["gamma"])
    return {**chained(kept, slopes), "gamma": full * kept * x["P"] / p["gamma"] ** 2}


register(
    Law(
        name="quantised-after-training",
        variables=("N", "D", "P"),
        target="delta_L",
        formula="delta_L = C_T D^gamma_D N^-gamma_N e^(-P/gamma)",
        source=_PRECISION + ", eq. 2",
        kind="compression",
        parameters=(
            *_DAMAGE,
            Parameter(
                name="gamma",
                meaning="bits over which the damage falls e-fold",
                start=(0.2, 4.0),
                positive=True,
            ),
        ),
        function=lambda p, x: _FULL.value(p, x) * np.exp(-x["P"] / p["gamma"]),
        gradient_function=_damage_gradient,
        analytic=True,
    )
)


_SPARSE = (
    amplitude("a_S", {"N": "b_N"}, "part of the size term that sparsity moves"),
    Parameter(name="b_S", meaning="how sparsity moves it", start=(0.1, 2.0)),
    amplitude("c_S", {"N": "b_N"}, "part of the size term that sparsity leaves"),
    exponent("b_N", "how fast loss falls with parameters that are not zero"),
    amplitude("B", {"D": "b_D"}, "a_D^b_D"),
    exponent("b_D", "how fast loss falls with tokens"),
    floor("c"),
)
# The share of weights that are kept is one more factor of the first term.
_KEPT = Sum((replace(_SPARSE[0], centre=(*_SPARSE[0].centre, ("kept", "b_S", 1.0))), *_SPARSE[1:]))


def _with_kept(x: Values) -> Values:
    return {**x, "kept": 1 - x["sparsity"]}


register(
    Law(
        name="sparsity",
        variables=("sparsity", "N", "D"),
        signed=("sparsity",),
        formula="L = (a_S (1 - sparsity)^b_S + c_S) N^-b_N + (a_D/D)^b_D + c, with B = a_D^b_D",
        source="Frantar et al. 2023, arXiv 2309.08520, eq. 1",
        kind="compression",
        parameters=_SPARSE,
        function=lambda p, x: _KEPT.value(p, _with_kept(x)),
        gradient_function=lambda p, x: _KEPT.slopes(p, _with_kept(x))[1],
        analytic=True,
        derived={"a_D": lambda p: p["B"] ** (1 / p["b_D"])},
        notes="N counts parameters that are not zero; sparsity lies in [0, 1).",
    )
)


_STUDENT = (
    amplitude("A", {"N": "alpha"}),
    amplitude("B", {"D": "beta"}),
    exponent("alpha", "how fast the student improves with parameters"),
    exponent("beta", "how fast the student improves with tokens"),
)
_INNER = Sum(_STUDENT)


def _past_gap(p: Values, x: Values) -> Array:
    """Return log (L_T/(L_S d1))^(1/f1)."""
    return np.asarray((np.log(x["L_teacher"]) - np.log(x["L_student"]) - np.log(p["d1"])) / p["f1"])


def _distilled(p: Values, x: Values) -> Array:
    bend = p["c1"] * p["f1"] * softplus(_past_gap(p, x))
    student = p["gamma"] * np.log(_INNER.value(p, x))
    return np.asarray(x["L_teacher"] + np.exp(student - bend - p["c0"] * np.log(x["L_teacher"])))


def _distilled_slopes(p: Values, x: Values) -> tuple[Array, dict[str, Array]]:
    inner, slopes = _INNER.slopes(p, x)
    past = _past_gap(p, x)
    bent, log_inner, log_teacher = softplus(past), np.log(inner), np.log(x["L_teacher"])
    above = np.exp(p["gamma"] * log_inner - p["c1"] * p["f1"] * bent - p["c0"] * log_teacher)
    share = np.exp(past - bent)
    return x["L_teacher"] + above, {
        **chained(above * p["gamma"] / inner, slopes),
        "gamma": above * log_inner,
        "c0": -above * log_teacher,
        "c1": -above * p["f1"] * bent,
        "d1": above * share * (p["c1"] / p["d1"]),
        "f1": -above * p["c1"] * (bent - share * past),
    }


register(
    Law(
        name="distillation",
        variables=("N", "D", "L_teacher", "L_student"),
        formula="L = L_T + L_T^-c0 (1 + (L_T/(L_S d1))^(1/f1))^(-c1 f1) (A N^-alpha + B D^-beta)^gamma",
        source="Busbridge et al. 2025, arXiv 2502.08606, eq. 8",
        kind="compression",
        parameters=(
            *_STUDENT,
            Parameter(name="gamma", meaning="coupling of the two", start=(0.4, 1.6), positive=True),
            Parameter(name="c0", meaning="how a better teacher leaves more to learn", start=(0.0, 3.0)),
            Parameter(name="c1", meaning="how that changes past the capacity gap", start=(0.0, 3.0)),
            Parameter(
                name="d1",
                meaning="ratio of losses at the capacity gap",
                start=(0.7, 1.4),
                positive=True,
                bounds=(0.5, 2.0),
            ),
            Parameter(
                name="f1",
                meaning="how gentle that change is",
                start=(0.05, 0.8),
                positive=True,
                bounds=(1e-2, 10.0),
            ),
        ),
        function=_distilled,
        gradient_function=lambda p, x: _distilled_slopes(p, x)[1],
        slopes_function=_distilled_slopes,
        analytic=True,
        notes=(
            "L_student is the loss that the same student would have without a teacher, from the law coupled."
        ),
    )
)
