"""The Gemstones fits of approach 3: with and without embeddings, two δ, and the four-term law of shape."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from scaling.published.outcome import Entry, Found
from scaling.published.refit import fit, frame, problem

VOCABULARY = 50304
"""Rows of the embedding, taken off N for the fits without embeddings."""

# (runs, δ, without embeddings): exponents, log coefficients, log floor, objective as the repository's JSON
# has them.
_TWO = {
    ("hot", 1e-3, False): (
        (0.2928686863, 0.712872206),
        (5.3613398367, 15.415994531),
        0.7622636901,
        0.0019816129,
    ),
    ("hot", 1e-4, False): (
        (0.2989180518, 0.6928331414),
        (5.4574988414, 14.9719740349),
        0.7663168139,
        0.0002076018,
    ),
    ("hot", 1e-3, True): (
        (0.2807638315, 0.6796972223),
        (5.0482314178, 14.7063392872),
        0.7636698366,
        0.0017466699,
    ),
    ("hot", 1e-4, True): (
        (0.2844092028, 0.6731628979),
        (5.1054557426, 14.5643952293),
        0.7666011695,
        0.0001838567,
    ),
    ("cool-end", 1e-3, False): (
        (0.3002728205, 0.580241077),
        (5.4197160371, 12.5138998709),
        0.7297863295,
        0.0019640865,
    ),
    ("cool-end", 1e-4, False): (
        (0.2970133066, 0.6903991635),
        (5.3627962101, 14.9717677508),
        0.7458889548,
        0.0002059406,
    ),
    ("cool-end", 1e-3, True): (
        (0.2798552605, 0.6263421615),
        (4.977329376, 13.5843120444),
        0.7328537246,
        0.001713242,
    ),
    ("cool-end", 1e-4, True): (
        (0.2805189666, 0.6881520225),
        (4.981821774, 14.96852221),
        0.7449207772,
        0.0001799117,
    ),
}
_FOUR = {
    ("cool-end", 1e-3): (
        (0.3540096969, 0.464087269, 0.3941362557, 0.5364845902),
        (1.5262220266, -0.1780173948, 6.3319550722, 11.5393125864),
        0.5874913187,
        0.0008107426,
    ),
    ("cool-end", 1e-4): (
        (0.30146699, 0.3655461733, 0.5055007692, 0.4670177667),
        (1.6375654653, -0.0254911443, 7.8653383939, 9.9838221358),
        0.4195179541,
        0.0000900742,
    ),
    ("hot", 1e-4): (
        (0.2446914313, 0.3871516764, 0.5000838843, 0.4761055541),
        (1.4520106404, -0.0781020281, 7.9700333376, 10.0594263846),
        0.39245797,
        0.000111878,
    ),
}


def _run(
    runs: str, law: str, delta: float, bare: bool, published: Mapping[str, float], objective: float
) -> Found:
    table = frame(f"gemstones-{runs}")
    x = {
        "N": table["params_active_precise"] - (VOCABULARY * table["width"] if bare else 0),
        "D": table["tokens"],
        "width": table["width"],
        "depth": table["depth"],
    }
    starts = 24 if law == "chinchilla" else 6
    found = fit(problem(law, x, table["final_loss"], delta=delta, starts=starts), published)
    return Found(
        values=found.values,
        objective=found.objective,
        at_published=found.at_published,
        detail={**found.detail, "objective_as_published": objective},
    )


def _named(
    names: tuple[str, ...], fitted: tuple[tuple[float, ...], tuple[float, ...], float, float]
) -> dict[str, float]:
    exponents, logs, floor, _ = fitted
    half = len(names) // 2
    values = dict(zip(names[:half], exponents, strict=True))
    values |= {name: float(np.exp(log)) for name, log in zip(names[half:], logs, strict=True)}
    return values | {"E": float(np.exp(floor))}


def _entry(
    runs: str,
    law: str,
    delta: float,
    bare: bool,
    fitted: tuple[tuple[float, ...], tuple[float, ...], float, float],
) -> Entry:
    names: tuple[str, ...] = ("alpha", "beta", "A", "B")
    if law != "chinchilla":
        names = ("alpha", "beta", "gamma", "delta", "A", "B", "C", "F")
    published = _named(names, fitted)
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
        run=partial(_run, runs, law, delta, bare, published, fitted[3]),
        within=0.005,
        note=""
        if delta == 1e-3
        else "L-BFGS-B had stopped early: at this δ its default tolerance is above the gradient.",
    )


ENTRIES = (
    *(_entry(runs, "chinchilla", delta, bare, fitted) for (runs, delta, bare), fitted in _TWO.items()),
    *(_entry(runs, "width-depth-size", delta, False, fitted) for (runs, delta), fitted in _FOUR.items()),
)
