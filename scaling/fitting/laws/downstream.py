"""Declare laws from loss or capability to a task's score, and from one loss to another."""

from __future__ import annotations

import numpy as np

from scaling.fitting.arrays import Array, Values
from scaling.fitting.law import Law, Parameter, amplitude, exponent, floor
from scaling.fitting.laws.registry import register
from scaling.fitting.laws.terms import chained, power


def _sigmoid(z: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(z / 2)))


def _rise(p: Values, x: Values) -> tuple[Array, dict[str, Array]]:
    """Return sigmoid(k (L - L_0)) and its slopes."""
    past = x["L"] - p["L_0"]
    share = _sigmoid(p["k"] * past)
    steep = share * (1 - share)
    return share, {"k": steep * past, "L_0": -steep * p["k"]}


def _accuracy_gradient(p: Values, x: Values) -> dict[str, Array]:
    share, slopes = _rise(p, x)
    return {"b": np.ones(1), "a": share, **chained(p["a"], slopes)}


def _floor_gradient(p: Values, x: Values) -> dict[str, Array]:
    share, slopes = _rise(p, x)
    return {"a": -share, "floor": 1 - share, **chained(1 - p["a"] - p["floor"], slopes)}


def _error_gradient(p: Values, x: Values) -> dict[str, Array]:
    left = np.exp(-p["gamma"] * x["L"])
    return {"epsilon": np.ones(1), "k": -left, "gamma": p["k"] * left * x["L"]}


_SLOPE = Parameter(name="k", meaning="how steep", start=(0.5, 20.0), positive=True)

register(
    Law(
        name="accuracy",
        variables=("L",),
        target="accuracy",
        formula="accuracy = b + a / (1 + e^(-k (L - L_0)))",
        source="Bhagia et al. 2024, arXiv 2412.04403, eq. 3; Llama 3, arXiv 2407.21783",
        kind="downstream",
        scale="raw",
        parameters=(
            Parameter(name="b", meaning="accuracy at zero loss", start=(0.4, 1.0)),
            Parameter(name="a", meaning="fall from there to a guess, negative", start=(-0.9, -0.1)),
            _SLOPE,
            Parameter(
                name="L_0", meaning="loss of the steepest rise", start=(0.5, 1.5), positive=True, unit="L"
            ),
        ),
        function=lambda p, x: p["b"] + p["a"] * _sigmoid(p["k"] * (x["L"] - p["L_0"])),
        gradient_function=_accuracy_gradient,
        analytic=True,
        derived={"guess": lambda p: p["b"] + p["a"]},
        notes="Second of two steps; the first predicts the task's loss from N and D by the law chinchilla.",
    )
)

register(
    Law(
        name="error",
        variables=("L",),
        target="error",
        formula="error = epsilon - k e^(-gamma L)",
        source="Gadre et al. 2024, arXiv 2403.08540, eq. 5",
        kind="downstream",
        scale="raw",
        parameters=(
            Parameter(name="epsilon", meaning="error of a guess", start=(0.5, 1.0), positive=True),
            Parameter(name="k", meaning="size of the gain", start=(0.1, 10.0), positive=True),
            Parameter(
                name="gamma", meaning="how fast the gain fades with loss", start=(0.1, 2.0), positive=True
            ),
        ),
        function=lambda p, x: p["epsilon"] - p["k"] * np.exp(-p["gamma"] * x["L"]),
        gradient_function=_error_gradient,
        analytic=True,
        notes="Meant for the average error over tasks that the smallest run already does better than chance.",
    )
)

register(
    Law(
        name="error-floor",
        variables=("L",),
        target="error",
        formula="error = (1 - a) sigmoid(k (L - L_0)) (1 - floor) + floor",
        source="the law accuracy with error = 1 - accuracy and both ends named",
        kind="downstream",
        scale="raw",
        parameters=(
            Parameter(name="a", meaning="accuracy of a guess", start=(0.0, 0.5), bounds=(0.0, 1.0)),
            _SLOPE,
            Parameter(
                name="L_0", meaning="loss of the steepest rise", start=(0.5, 1.5), positive=True, unit="L"
            ),
            Parameter(
                name="floor", meaning="error that no loss removes", start=(0.0, 0.4), bounds=(0.0, 1.0)
            ),
        ),
        function=lambda p, x: (1 - p["a"] - p["floor"]) * _sigmoid(p["k"] * (x["L"] - p["L_0"])) + p["floor"],
        gradient_function=_floor_gradient,
        analytic=True,
    )
)


def _observational(components: int) -> Law:
    names = tuple(f"PC{i}" for i in range(1, components + 1))

    def predict(p: Values, x: Values) -> Array:
        return _sigmoid(p["b"] + sum(p[f"w{i}"] * x[name] for i, name in enumerate(names, start=1)))

    def gradient(p: Values, x: Values) -> dict[str, Array]:
        share = predict(p, x)
        steep = share * (1 - share)
        return {"b": steep, **{f"w{i}": steep * x[name] for i, name in enumerate(names, start=1)}}

    weights = (
        Parameter(name=f"w{i}", meaning=f"weight of component {i}", start=(-3.0, 6.0))
        for i in range(1, components + 1)
    )
    return Law(
        name=f"observational-{components}",
        variables=names,
        target="accuracy",
        signed=names,
        formula="accuracy = sigmoid(" + " + ".join(f"w{i} PC{i}" for i in range(1, components + 1)) + " + b)",
        source="Ruan et al. 2024, arXiv 2405.10938, eqs. 3 to 7",
        kind="downstream",
        scale="raw",
        parameters=(*weights, Parameter(name="b", meaning="offset", start=(-3.0, 3.0))),
        function=predict,
        gradient_function=gradient,
        analytic=True,
        notes=(
            "PC are principal components of a table of benchmark scores; within a family PC1 is linear in "
            "log C."
        ),
    )


for _components in (1, 3):
    register(_observational(_components))

register(
    Law(
        name="component-compute",
        variables=("C",),
        target="PC1",
        signed=("PC1",),
        formula="PC1 = w log10 C + b",
        source="Ruan et al. 2024, arXiv 2405.10938, eq. 4",
        kind="downstream",
        scale="raw",
        parameters=(
            Parameter(
                name="w",
                meaning="gain of capability for ten times the compute, in one family",
                start=(-1.0, 1.0),
            ),
            Parameter(name="b", meaning="offset of the family", start=(-5.0, 5.0)),
        ),
        function=lambda p, x: p["w"] * np.log10(x["C"]) + p["b"],
        gradient_function=lambda p, x: {"w": np.log10(x["C"]) * np.ones_like(p["w"]), "b": np.ones(1)},
        analytic=True,
    )
)


def _above(p: Values, x: Values) -> Array:
    # A loss below its floor has no prediction; a tiny excess steers the search away instead of giving NaN.
    above = x["L0"] - p["E0"]
    return np.where(np.real(above) > _LEAST, above, _LEAST)


_LEAST = 1e-9


def _other_loss(p: Values, x: Values) -> Array:
    return np.asarray(p["K"] * power(_above(p, x), p["kappa"]) + p["E1"])


def _other_loss_slopes(p: Values, x: Values) -> tuple[Array, dict[str, Array]]:
    above = _above(p, x)
    log_above = np.log(above)
    image = np.exp(p["kappa"] * log_above)
    term = p["K"] * image
    return term + p["E1"], {
        "K": image,
        "kappa": term * log_above,
        "E0": -p["kappa"] * term / above * (above > _LEAST),
        "E1": np.ones(1),
    }


register(
    Law(
        name="loss-to-loss",
        variables=("L0",),
        target="L1",
        formula="L1 = K (L0 - E0)^kappa + E1",
        source="Brandfonbrener et al. 2024, arXiv 2411.12925, eq. 3",
        kind="downstream",
        scale="raw",
        parameters=(
            amplitude("K", {"L0": "kappa"}, "ratio of the two excess losses", start=(0.2, 2.0), sign=1.0),
            exponent("kappa", "how one excess loss grows with the other", start=(0.5, 1.6)),
            Parameter(
                name="E0",
                meaning="floor of the loss that is known",
                start=(0.1, 0.8),
                bounds=(0.0, np.inf),
                unit="L0",
                stays="below",
            ),
            floor("E1", "floor of the loss that is asked for", start=(0.1, 0.9)),
        ),
        function=_other_loss,
        gradient_function=lambda p, x: _other_loss_slopes(p, x)[1],
        slopes_function=_other_loss_slopes,
        analytic=True,
        notes=(
            "E0 and E1 are best fixed at the floors of two Chinchilla fits: with both free they trade off "
            "with kappa."
        ),
    )
)
