"""Refit the 240 Chinchilla points under several objectives, and check the paper's figures for consistency."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from scaling.fitting import laws
from scaling.fitting.arrays import Array
from scaling.published.outcome import Entry, Refit
from scaling.published.refit import fit, frame, printed, problem

_HOFFMANN = "Hoffmann et al. 2022, arXiv 2203.15556"
PRINTED = {"A": 406.4, "B": 410.7, "E": 1.69, "alpha": 0.34, "beta": 0.28}
"""Parameters of approach 3 as the paper prints them."""
PRECISE = {"A": 406.4, "B": 410.7, "E": 1.6934, "alpha": 0.3392, "beta": 0.2849}
"""Parameters of the same fit with more digits, from the source of the paper (arXiv 2404.10102, section 2)."""


def _points() -> tuple[dict[str, Array], Array]:
    """Return N and D, each (240,), and the loss (240,)."""
    table = frame("chinchilla")
    n, flops = table["Model Size"].to_numpy(float), table["Training FLOP"].to_numpy(float)
    return {"N": n, "D": flops / (6 * n)}, table["loss"].to_numpy(float)


def _refit(objective: str, scale: str, published: Mapping[str, float]) -> Refit:
    x, y = _points()
    return fit(problem("chinchilla", x, y, objective=objective, scale=scale, delta=1e-3), published)


def _refit_entry(row: dict[str, Any]) -> Entry:
    """Return the entry of one row of `chinchilla.csv`: an objective and its published parameters."""
    published = {name: row[name] for name in ("A", "B", "E", "alpha", "beta")}
    return Entry(
        name=f"chinchilla/{row['name']}",
        paper=row["paper"],
        claim=f"The Chinchilla law on 240 points read off figure 4, {row['words']}.",
        data=("chinchilla",),
        law="chinchilla",
        objective=row["words"],
        published=published,
        run=partial(_refit, row["objective"], row["scale"], published),
        within=row["within"],
        note=row["note"],
    )


def _exponents(parameters: Mapping[str, float]) -> Refit:
    total = parameters["alpha"] + parameters["beta"]
    return Refit(values={"a": parameters["beta"] / total, "b": parameters["alpha"] / total})


def _size_at_gopher() -> Refit:
    law = laws.get("chinchilla")
    p = law.values(law.vector(PRECISE))
    a = PRECISE["beta"] / (PRECISE["alpha"] + PRECISE["beta"])
    g = float(np.squeeze(law.derived["G"](p)))
    return Refit(values={"N": g * (5.76e23 / 6) ** a})


_TOKENS = printed("hoffmann_tokens")
"""Rows of tables 3 and A3: optimal training tokens by model size, for each approach."""


def _exponent_of_table(approach: str) -> Refit:
    # D ∝ N^r and C = 6 N D give N ∝ C^(1/(1 + r)).
    sizes, tokens = ([row[key] for row in _TOKENS] for key in ("parameters", f"approach_{approach}"))
    slope = np.polyfit(np.log(sizes), np.log(tokens), 1)[0]
    return Refit(values={"a": 1 / (1 + float(slope))})


def _tokens_from_parameters() -> Refit:
    p = PRECISE
    log_ratio = np.log(p["beta"] * p["B"]) - np.log(p["alpha"] * p["A"])
    sizes = np.array([1e9, 67e9, 1e12])
    tokens = np.exp((log_ratio + p["alpha"] * np.log(sizes)) / p["beta"])
    return Refit(values={f"D({n:.0e})": float(d) for n, d in zip(sizes, tokens, strict=True)})


ENTRIES = (
    *(_refit_entry(row) for row in printed("chinchilla")),
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
