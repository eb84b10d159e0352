"""The 240 Chinchilla points under several objectives, and what the paper's own figures say about one
another."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from scaling.fitting import laws
from scaling.fitting.arrays import Array
from scaling.published.outcome import Entry, Found
from scaling.published.refit import fit, frame, problem

_HOFFMANN = "Hoffmann et al. 2022, arXiv 2203.15556"
_BESIROGLU = "Besiroglu et al. 2024, arXiv 2404.10102"
PRINTED = {"A": 406.4, "B": 410.7, "E": 1.69, "alpha": 0.34, "beta": 0.28}
# The same fit to more digits, in the source of the paper: arXiv 2404.10102, section 2.
PRECISE = {"A": 406.4, "B": 410.7, "E": 1.6934, "alpha": 0.3392, "beta": 0.2849}


def _points() -> tuple[dict[str, Array], Array]:
    table = frame("chinchilla")
    n, flops = table["Model Size"].to_numpy(float), table["Training FLOP"].to_numpy(float)
    return {"N": n, "D": flops / (6 * n)}, table["loss"].to_numpy(float)


def _refit(objective: str, scale: str, published: Mapping[str, float]) -> Found:
    x, y = _points()
    return fit(problem("chinchilla", x, y, objective=objective, scale=scale, delta=1e-3), published)


_ROWS = (
    (
        "lad",
        _BESIROGLU,
        "lad",
        "log",
        "sum of absolute deviations of log loss",
        {"A": 482.00606, "B": 2085.43625, "E": 1.81686413, "alpha": 0.34781307, "beta": 0.36585416},
        1e-4,
        "The published values are the optimum of this objective, not of the Huber loss that the text names.",
    ),
    (
        "huber",
        _BESIROGLU,
        "huber",
        "log",
        "sum of Huber 1e-3 of log loss",
        {"A": 477.8259, "B": 2143.4174, "E": 1.8172181, "alpha": 0.3473105, "beta": 0.3671724},
        1e-4,
        "The optimum of the objective that the text names.",
    ),
    (
        "squares-log",
        _BESIROGLU,
        "squares",
        "log",
        "mean square of log loss",
        {"A": 593.322, "B": 4875.638, "E": 1.86455, "alpha": 0.36025, "beta": 0.40588},
        1e-4,
        "",
    ),
    (
        "squares-raw",
        _BESIROGLU,
        "squares",
        "raw",
        "mean square of loss",
        {"A": 567.8054, "B": 7581.8524, "E": 1.8828136, "alpha": 0.3576151, "beta": 0.4276206},
        1e-4,
        "",
    ),
    (
        "hoffmann-parameters",
        _HOFFMANN + ", approach 3",
        "huber",
        "log",
        "sum of Huber 1e-3 of log loss",
        PRINTED,
        0.05,
        "The published parameters do not fit the paper's own points: the search had stopped early.",
    ),
)


def _exponents(parameters: Mapping[str, float]) -> Found:
    total = parameters["alpha"] + parameters["beta"]
    return Found(values={"a": parameters["beta"] / total, "b": parameters["alpha"] / total})


def _size_at_gopher() -> Found:
    law = laws.get("chinchilla")
    p = law.values(law.vector(PRECISE))
    a = PRECISE["beta"] / (PRECISE["alpha"] + PRECISE["beta"])
    g = float(np.squeeze(law.derived["G"](p)))
    return Found(values={"N": g * (5.76e23 / 6) ** a})


# Tables 3 and A3: parameters → training tokens at the optimum.
_SIZES = (0.4e9, 1e9, 10e9, 67e9, 175e9, 280e9, 520e9, 1e12, 10e12)
_TOKENS = {
    "1": (8.0e9, 20.2e9, 205.1e9, 1.5e12, 3.7e12, 5.9e12, 11.0e12, 21.2e12, 216.2e12),
    "2": (7.7e9, 20.0e9, 219.5e9, 1.7e12, 4.3e12, 7.1e12, 13.4e12, 26.5e12, 292.0e12),
    "3": (9.2e9, 27.1e9, 410.1e9, 4.1e12, 12.0e12, 20.1e12, 43.5e12, 94.1e12, 1425.5e12),
}


def _exponent_of_table(approach: str) -> Found:
    # log D = r log N gives N ∝ C^(1/(1 + r)) with C = 6 N D.
    slope = np.polyfit(np.log(_SIZES), np.log(_TOKENS[approach]), 1)[0]
    return Found(values={"a": 1 / (1 + float(slope))})


def _tokens_from_parameters() -> Found:
    p = PRECISE
    log_ratio = np.log(p["beta"] * p["B"]) - np.log(p["alpha"] * p["A"])
    tokens = np.exp((log_ratio + p["alpha"] * np.log(np.array(_SIZES))) / p["beta"])
    return Found(
        values={
            f"D({n:.0e})": float(d) for n, d in zip(_SIZES, tokens, strict=True) if n in (1e9, 67e9, 1e12)
        }
    )


ENTRIES = (
    *(
        Entry(
            name=f"chinchilla/{name}",
            paper=paper,
            claim=f"The Chinchilla law on 240 points read off figure 4, {words}.",
            data=("chinchilla",),
            law="chinchilla",
            objective=words,
            published=published,
            run=partial(_refit, objective, scale, published),
            within=within,
            note=note,
        )
        for name, paper, objective, scale, words, published, within, note in _ROWS
    ),
    Entry(
        name="hoffmann/exponents-precise",
        paper=_HOFFMANN + ", table 2",
        claim=(
            "N* ∝ C^a and D* ∝ C^b of approach 3 follow from alpha and beta as they stand in the paper's "
            "source."
        ),
        data=(),
        law="chinchilla",
        objective="a = beta/(alpha + beta)",
        published={"a": 0.46, "b": 0.54},
        run=partial(_exponents, PRECISE),
        within={"a": 0.005, "b": 0.005},
    ),
    Entry(
        name="hoffmann/exponents-printed",
        paper=_HOFFMANN + ", eq. 10 against table 2",
        claim="The same from alpha and beta as they are printed.",
        data=(),
        law="chinchilla",
        objective="a = beta/(alpha + beta)",
        published={"a": 0.46, "b": 0.54},
        run=partial(_exponents, PRINTED),
        within={"a": 0.005, "b": 0.005},
        note="Two digits of alpha and beta are too few: 0.28/0.62 = 0.4516 rounds to 0.45.",
    ),
    Entry(
        name="hoffmann/gopher-budget",
        paper=_HOFFMANN + ", section 3.4",
        claim="Approach 3 gives 40 billion parameters for the budget of Gopher, 5.76e23 FLOPs.",
        data=(),
        law="chinchilla",
        objective="N* = G (C/6)^a",
        published={"N": 40e9},
        run=_size_at_gopher,
        within=0.1,
        note="From parameters rounded to four digits.",
    ),
    *(
        Entry(
            name=f"hoffmann/table-approach-{approach}",
            paper=_HOFFMANN + (", table 3" if approach == "1" else ", table A3"),
            claim=f"The nine rows of tokens per model size of approach {approach} imply its exponent.",
            data=(),
            law="power-n",
            objective="least squares of log tokens against log parameters",
            published={"a": a},
            run=partial(_exponent_of_table, approach),
            within={"a": 0.006},
        )
        for approach, a in (("1", 0.50), ("2", 0.49), ("3", 0.46))
    ),
    Entry(
        name="hoffmann/table-approach-3-tokens",
        paper=_HOFFMANN + ", table A3",
        claim="The tokens per model size of approach 3 follow from its parameters.",
        data=(),
        law="chinchilla",
        objective="D* = (beta B/(alpha A) N^alpha)^(1/beta)",
        published={"D(1e+09)": 27.1e9, "D(7e+10)": 4.1e12, "D(1e+12)": 94.1e12},
        run=_tokens_from_parameters,
        within=0.02,
        note="The table follows tokens ∝ N^1.18, the parameters N^1.19: they cannot both be of one fit.",
    ),
)
