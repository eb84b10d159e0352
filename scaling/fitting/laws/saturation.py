"""Declare laws of learning curves that bend, in one variable x: M1 to M4 and smoothly broken power laws."""

from __future__ import annotations

import numpy as np

from scaling.fitting.arrays import Array, Values
from scaling.fitting.law import Law, Parameter, amplitude, exponent
from scaling.fitting.laws.registry import register
from scaling.fitting.laws.terms import power, softplus, summed

_PAPER = "Alabdulmohsin et al. 2022, arXiv 2209.06640, section 3"
_SIGN = "c > 0 here is -c in the paper."
_BETA = amplitude("beta", {"x": "c"}, "size of the power law")
_C = exponent("c", "how fast the loss falls")


def _floor(name: str) -> Parameter:
    # The best floor is often exactly zero, which a logarithm never reaches, so it is searched linearly with a
    # bound.
    return Parameter(
        name=name, meaning="loss at infinite x", start=(0.0, 0.95), unit="target", bounds=(0.0, np.inf)
    )


_FLOOR = _floor("epsilon_inf")

register(
    summed(
        name="m1",
        variables=("x",),
        formula="L = beta x^-c",
        source=_PAPER + ", M1",
        kind="saturation",
        parameters=(_BETA, _C),
        notes=_SIGN,
    )
)

register(
    summed(
        name="m2",
        variables=("x",),
        formula="L = epsilon_inf + beta x^-c",
        source=_PAPER + ", M2",
        kind="saturation",
        parameters=(_BETA, _C, _FLOOR),
        notes=_SIGN,
    )
)


def _m3_gradient(p: Values, x: Values) -> dict[str, Array]:
    inner = 1 / x["x"] + 1 / p["x_s"]
    log_inner = np.log(inner)
    shape = np.exp(p["c"] * log_inner)
    fall = p["beta"] * shape
    return {
        "beta": shape,
        "c": fall * log_inner,
        "epsilon_inf": np.ones(1),
        "x_s": -fall * p["c"] / inner / p["x_s"] ** 2,
    }


register(
    Law(
        name="m3",
        variables=("x",),
        formula="L = epsilon_inf + beta (1/x + gamma)^c, gamma = 1/x_s",
        source=_PAPER + ", M3",
        kind="saturation",
        parameters=(
            _BETA,
            _C,
            _FLOOR,
            Parameter(
                name="x_s", meaning="where the curve saturates", start=(1.0, 1e4), positive=True, unit="x"
            ),
        ),
        function=lambda p, x: p["epsilon_inf"] + p["beta"] * power(1 / x["x"] + 1 / p["x_s"], p["c"]),
        gradient_function=_m3_gradient,
        analytic=True,
        derived={"gamma": lambda p: 1 / p["x_s"]},
        notes=_SIGN + " gamma and epsilon_inf both end the fall: far below x_s they cannot be told apart.",
    )
)


def _width(p: Values) -> Array:
    width = p["epsilon_0"] - p["epsilon_inf"]
    return np.where(np.real(width) > 1e-12, width, 1e-12)


def _m4_logit(p: Values, x: Values) -> tuple[Array, Array]:
    """Return z of L = eps_inf + (eps_0 - eps_inf) sigmoid(z), and log(1 + e^z).

    z solves log(L - eps_inf) - alpha log(eps_0 - L) = log(beta x^-c), which is z - (1 - alpha) log(1 + e^z) =
    goal. The left side rises in z with a slope between 1 and alpha. The iteration starts within |1 - alpha|
    log 2 of the goal.
    """
    alpha = p["alpha"]
    goal = np.log(p["beta"]) - p["c"] * np.log(x["x"]) - (1 - alpha) * np.log(_width(p))
    z = np.where(np.real(goal) < 0, goal, goal / alpha)
    for _ in range(40):
        bent = softplus(z)
        share = np.exp(z - bent)
        off, slope = z - (1 - alpha) * bent - goal, 1 - (1 - alpha) * share
        # Halley's step; the error goes with its cube, so the step after one of 1e-5 is exact.
        step = off / (slope + off * (1 - alpha) * share * (1 - share) / (2 * slope))
        z = z - step
        if np.max(np.abs(step)) < 1e-5:
            break
    return z, softplus(z)


def _m4(p: Values, x: Values) -> Array:
    z, bent = _m4_logit(p, x)
    return np.asarray(p["epsilon_inf"] + _width(p) * np.exp(z - bent))


def _m4_gradient(p: Values, x: Values) -> dict[str, Array]:
    # Implicit differentiation of the same equation.
    z, bent = _m4_logit(p, x)
    width = _width(p)
    below, above = width * np.exp(z - bent), width * np.exp(-bent)
    rise = below * above / (above + p["alpha"] * below)
    return {
        "beta": rise / p["beta"],
        "c": -np.log(x["x"]) * rise,
        "alpha": np.log(above) * rise,
        "epsilon_inf": rise / below,
        "epsilon_0": p["alpha"] * rise / above,
    }


register(
    Law(
        name="m4",
        variables=("x",),
        formula="(L - epsilon_inf) / (epsilon_0 - L)^alpha = beta x^-c",
        source=_PAPER + ", M4",
        kind="saturation",
        parameters=(
            _BETA,
            _C,
            Parameter(
                name="alpha",
                meaning="how sharply the curve leaves its start",
                start=(0.1, 3.0),
                bounds=(0.01, 20.0),
            ),
            _FLOOR,
            Parameter(
                name="epsilon_0", meaning="loss of a guess", start=(1.05, 3.0), positive=True, unit="target"
            ),
        ),
        function=_m4,
        gradient_function=_m4_gradient,
        analytic=True,
        notes=_SIGN
        + " alpha = 0 is M2. The loss is solved for at every x, not fitted through its logarithm.",
    )
)


def broken(breaks: int) -> Law:
    """Return the smoothly broken power law with a number of breaks: L = a + b x^-c0 Π (1 +
    (x/d_i)^(1/f_i))^(-c_i f_i)."""

    def predict(p: Values, x: Values) -> Array:
        log_x = np.log(x["x"])
        log_y = np.log(p["b"]) - p["c0"] * log_x
        for i in range(1, breaks + 1):
            sharp = p[f"f{i}"]
            log_y = log_y - p[f"c{i}"] * sharp * softplus((log_x - np.log(p[f"d{i}"])) / sharp)
        return np.asarray(p["a"] + np.exp(log_y))

    def slopes(p: Values, x: Values) -> tuple[Array, dict[str, Array]]:
        log_x = np.log(x["x"])
        log_y = np.log(p["b"]) - p["c0"] * log_x
        parts: list[tuple[Array, Array]] = []
        for i in range(1, breaks + 1):
            past = (log_x - np.log(p[f"d{i}"])) / p[f"f{i}"]
            parts.append((past, softplus(past)))
            log_y = log_y - p[f"c{i}"] * p[f"f{i}"] * parts[-1][1]
        y = np.exp(log_y)
        found = {"a": np.ones(1), "b": y / p["b"], "c0": -y * log_x}
        for i, (past, bent) in enumerate(parts, start=1):
            share, turned = np.exp(past - bent), y * p[f"c{i}"]
            found[f"c{i}"] = -y * p[f"f{i}"] * bent
            found[f"d{i}"] = turned * share / p[f"d{i}"]
            found[f"f{i}"] = turned * (share * past - bent)
        return p["a"] + y, found

    per_break: list[Parameter] = []
    # The order of the breaks is arbitrary, so the starts give each break its own part of the range.
    edges = np.geomspace(0.05, 20.0, breaks + 1).tolist()
    for i in range(1, breaks + 1):
        per_break += [
            Parameter(name=f"c{i}", meaning=f"change of slope at break {i}", start=(-0.5, 1.0)),
            Parameter(
                name=f"d{i}",
                meaning=f"where break {i} lies",
                start=(edges[i - 1], edges[i]),
                positive=True,
                unit="x",
                stays="within",
            ),
            Parameter(
                name=f"f{i}",
                meaning=f"how gentle break {i} is",
                start=(0.1, 1.5),
                positive=True,
                bounds=(0.05, 10.0),
            ),
        ]
    return Law(
        name=f"bnsl-{breaks}",
        variables=("x",),
        formula="L = a + b x^-c0 "
        + " ".join(f"(1 + (x/d{i})^(1/f{i}))^(-c{i} f{i})" for i in range(1, breaks + 1)),
        source="Caballero et al. 2023, arXiv 2210.14891, eq. 1",
        kind="saturation",
        parameters=(
            _floor("a"),
            amplitude("b", {"x": "c0"}, "size of the power law"),
            exponent("c0", "slope before the first break", start=(-0.1, 0.8)),
            *per_break,
        ),
        function=predict,
        gradient_function=lambda p, x: slopes(p, x)[1],
        slopes_function=slopes,
        analytic=True,
        notes=(
            "The breaks may be named in any order, so every optimum has twins; start it often. A break stays "
            "within the data."
        ),
    )


for _breaks in (1, 2, 3):
    register(broken(_breaks))
