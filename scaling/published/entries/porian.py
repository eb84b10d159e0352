"""Refit N* ∝ C^a at the five stages from Kaplan's exponent to Chinchilla's, with N* by interpolation."""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import pandas as pd
from scipy.interpolate import Akima1DInterpolator

from scaling.fitting.arrays import Array
from scaling.published.outcome import Entry, Refit
from scaling.published.refit import frame, printed

KEYS = ("hparams", "warmup", "decay", "param_count", "val")
"""Columns that together identify a stage."""
_METHODS = ("basic", "weighted", "median-weighted")
DRAWS = 200
"""Number of noise draws per budget; the paper uses 1000."""
NOISE = 0.002
"""Standard deviation of the loss between seeds, in nats, as the repository sets it for RefinedWeb."""
GRID = 25
"""Number of grid points per interval between two model sizes."""


def best_size(n: Array, losses: Array) -> tuple[Array, float]:
    """Return the best size (K,) of K loss curves (K, m) over sizes (m,), and the log step of the grid.

    The best size is the grid minimum of an Akima interpolant of log loss in log N; NaN at an edge.
    """
    grid = np.linspace(np.log(n[0]), np.log(n[-1]), (len(n) - 1) * GRID)
    curves = Akima1DInterpolator(np.log(n), np.log(losses), axis=-1)(grid)
    at = curves.argmin(axis=-1)
    inside = (at > 0) & (at < len(grid) - 1)
    return np.where(inside, np.exp(grid[at]), np.nan), float(grid[1] - grid[0])


@cache
def optima(stage: tuple[str, ...]) -> pd.DataFrame:
    """Return one row per budget: FLOPs, N* of the points, the median N* of noisy copies, and the weight.

    The weight is the inverse square of the spread of log N* over the noisy copies.
    """
    table = frame("porian-refinedweb")
    rng = np.random.default_rng(0)
    rows = []
    chosen = table[(table[list(KEYS)] == list(stage)).all(axis=1)]
    for flops, budget in chosen.groupby("flops"):
        points = budget.loc[budget.groupby("n")["loss"].idxmin()].sort_values("n")
        if len(points) < 3:
            continue
        n, loss = points["n"].to_numpy(float), points["loss"].to_numpy(float)
        plain, step = best_size(n, loss[None])
        noisy, _ = best_size(n, loss + NOISE * rng.standard_normal((DRAWS, len(n))))
        valid = noisy[np.isfinite(noisy)]
        if np.isnan(plain[0]) or len(valid) < DRAWS // 2:
            continue
        # As in the paper: the spread is at least a third of an interval, and larger where draws are invalid.
        spread = max(float(np.log(valid).std()), 0.33 * GRID * step) * DRAWS / len(valid)
        rows.append({"flops": flops, "n": plain[0], "median": float(np.median(valid)), "weight": spread**-2})
    return pd.DataFrame(rows)


def exponent(stage: tuple[str, ...], method: str) -> float:
    """Return the exponent a of N* ∝ C^a at a stage, by a method of regression over the budgets."""
    table = optima(stage)
    y = np.log(table["median" if method.startswith("median") else "n"])
    weight = np.sqrt(table["weight"]) if method.endswith("weighted") else np.ones(len(table))
    return float(np.polyfit(np.log(table["flops"]), y, 1, w=weight)[0])


def _run(stage: tuple[str, ...], method: str) -> Refit:
    table = frame("porian-refinedweb-published")
    row = table[(table[list(KEYS)] == list(stage)).all(axis=1)].iloc[0]
    a = exponent(stage, method)
    return Refit(
        values={"a": a},
        detail={
            "published_interval": [float(row["a_lo95"]), float(row["a_hi95"])],
            "inside": bool(row["a_lo95"] <= a <= row["a_hi95"]),
            "budgets": len(optima(stage)),
        },
    )


ENTRIES = tuple(
    Entry(
        name=f"porian/{number}-{row['name']}/{method}",
        paper="Porian et al. 2024, arXiv 2406.19146, figure 1",
        claim=f"N* ∝ C^a on RefinedWeb with {row['change']}, {method} regression over the budgets.",
        data=("porian-refinedweb", "porian-refinedweb-published"),
        law="power-c",
        objective="least squares of log N*",
        published={"a": row[method]},
        run=partial(_run, tuple(row[key] for key in KEYS), method),
        within={"a": 0.004},
        note=""
        if method == "basic"
        else "Weights come from random draws of seed noise: the third digit is theirs.",
    )
    for number, row in enumerate(printed("porian"), start=1)
    for method in _METHODS
)
