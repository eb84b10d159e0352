"""Declare laws of the loss by vocabulary size and by the shares of a data mixture."""

from __future__ import annotations

import numpy as np

from scaling.fitting.arrays import Array, Values
from scaling.fitting.law import Law, Parameter, amplitude, exponent, floor
from scaling.fitting.laws.registry import register
from scaling.fitting.laws.terms import summed

register(
    summed(
        name="vocabulary",
        variables=("N_nv", "N_v", "D"),
        signed=("L",),
        formula="L = -E + A_1 N_nv^-alpha_1 + A_2 N_v^-alpha_2 + B D^-beta",
        source="Tao et al. 2024, arXiv 2407.13623, eq. 7",
        kind="mixture",
        scale="raw",
        parameters=(
            Parameter(
                name="E",
                meaning="what an infinite model gains, subtracted",
                start=(0.3, 5.0),
                positive=True,
                zero=True,
                unit="target",
            ),
            amplitude("A_1", {"N_nv": "alpha_1"}, start=(0.05, 3.0)),
            amplitude("A_2", {"N_v": "alpha_2"}, start=(0.05, 3.0)),
            amplitude("B", {"D": "beta"}, start=(0.05, 3.0)),
            exponent("alpha_1", "how fast loss falls with parameters outside the vocabulary"),
            exponent("alpha_2", "how fast loss falls with vocabulary parameters"),
            exponent("beta", "how fast loss falls with characters of training"),
        ),
        subtracted=("E",),
        notes=(
            "L is normalised by a unigram model and so may be negative: residuals are taken on the raw scale."
        ),
    )
)


def mixture(domains: int) -> Law:
    """Return the law of the loss on one domain against the shares of the training domains; the last share is
    the remainder."""
    shares = tuple(f"r{i}" for i in range(1, domains))

    def predict(p: Values, x: Values) -> Array:
        total = sum(p[f"t{i}"] * x[share] for i, share in enumerate(shares, start=1))
        return np.asarray(p["c"] + p["k"] * np.exp(total))

    def gradient(p: Values, x: Values) -> dict[str, Array]:
        pulled = np.exp(sum(p[f"t{i}"] * x[share] for i, share in enumerate(shares, start=1)))
        moved = p["k"] * pulled
        by_share = {f"t{i}": moved * x[share] for i, share in enumerate(shares, start=1)}
        return {"c": np.ones(1), "k": pulled, **by_share}

    pulls = (
        Parameter(name=f"t{i}", meaning=f"pull of share {i} against the last", start=(-4.0, 2.0))
        for i in range(1, domains)
    )
    return Law(
        name=f"mixture-{domains}",
        variables=shares,
        signed=shares,
        formula="L = c + k exp(" + " + ".join(f"t{i} r{i}" for i in range(1, domains)) + ")",
        source="Ye et al. 2024, arXiv 2403.16952, eq. 1",
        kind="mixture",
        parameters=(
            floor("c", "loss that no share removes"),
            Parameter(
                name="k",
                meaning="loss that shares can remove",
                start=(0.05, 2.0),
                positive=True,
                unit="target",
            ),
            *pulls,
        ),
        function=predict,
        gradient_function=gradient,
        analytic=True,
        notes=(
            "Shares sum to one, so the last domain's pull is taken into k: with all of them the paper's k "
            "is not identified."
        ),
    )


for _domains in range(2, 7):
    register(mixture(_domains))
