"""Refit approach 3 to the Gemstones runs, and the four-term law of width, depth, size and tokens.

The fits count N with and without embeddings, and use two δ.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from scaling.published.outcome import Entry, Refit
from scaling.published.refit import fit, frame, printed, problem

VOCABULARY = 50304
"""Number of tokens in the vocabulary; vocabulary × width is subtracted from N in fits without embeddings."""


def _run(
    runs: str, law: str, delta: float, bare: bool, published: Mapping[str, float], objective: float
) -> Refit:
    table = frame(f"gemstones-{runs}")
    x = {
        "N": table["params_active_precise"] - (VOCABULARY * table["width"] if bare else 0),
        "D": table["tokens"],
        "width": table["width"],
        "depth": table["depth"],
    }
    starts = 24 if law == "chinchilla" else 6
    refit = fit(problem(law, x, table["final_loss"], delta=delta, starts=starts), published)
    return Refit(
        values=refit.values,
        objective=refit.objective,
        at_published=refit.at_published,
        detail={**refit.detail, "objective_as_published": objective},
    )


def _entry(row: dict[str, Any]) -> Entry:
    """Return the entry of one row of `gemstones.csv`.

    A row holds the exponents, the logarithms of the coefficients and of the floor, and the objective.
    """
    runs, law, delta, bare = row["runs"], row["law"], row["huber_delta"], row["without_embeddings"] == "yes"
    terms = 2 if law == "chinchilla" else 4
    exponents, coefficients = ("alpha", "beta", "gamma", "delta")[:terms], "ABCF"[:terms]
    published = {name: float(row[name]) for name in exponents}
    published |= {name: float(np.exp(float(row[f"log_{name}"]))) for name in (*coefficients, "E")}
    kind = "shape" if law != "chinchilla" else "no-embeddings" if bare else "size"
    what = "Width, depth, size and tokens" if law != "chinchilla" else "The Chinchilla law"
    return Entry(
        name=f"gemstones/{runs}/{kind}-{delta:.0e}",
        paper="McLeish et al. 2025, arXiv 2502.06857, parameters of the repository",
        claim=f"{what} on checkpoints of the {runs} runs, N {'without' if bare else 'with'} embeddings.",
        data=(f"gemstones-{runs}",),
        law=law,
        objective=f"sum of Huber {delta:.0e} of log loss",
        published=published,
        run=partial(_run, runs, law, delta, bare, published, row["objective"]),
        within=0.005,
        note=""
        if delta == 1e-3
        else "L-BFGS-B had stopped early: at this δ its default tolerance is above the gradient.",
    )


ENTRIES = tuple(_entry(row) for row in printed("gemstones"))
