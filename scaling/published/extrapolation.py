"""Fit M1 to M4 and BNSL to the first part of each of twenty learning curves, and score them on the rest.

Each law is searched from many starts. M2 to M4 and BNSL also start at the optimum of a smaller law that they
contain, so that a larger law never ends above a smaller one. In published comparisons some searches never
left their start.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import pandas as pd

from scaling.fitting import laws
from scaling.fitting.arrays import Array
from scaling.fitting.estimation.solve import solve
from scaling.published.refit import frame, problem

LAWS = ("m1", "m2", "m3", "m4", "bnsl-1")
"""Names of the laws, smaller laws first."""
STARTS = {"m1": 4, "m2": 12, "m3": 16, "m4": 40, "bnsl-1": 40}
"""Number of random starts by law."""


def _from_smaller(law: str, optimum: Mapping[str, float], x: Array, y: Array) -> dict[str, float] | None:
    """Return the optimum of the contained law in the parameters of the larger law; None for M1."""
    if law == "m2":
        return {**optimum, "epsilon_inf": 0.0}
    if law == "m3":
        return {**optimum, "x_s": 1e3 * float(x.max())}
    if law == "m4":
        return {**optimum, "alpha": 0.02, "epsilon_0": 3 * float(y.max())}
    if law == "bnsl-1":
        middle = float(np.exp(np.log(x).mean()))
        return {
            "a": optimum["epsilon_inf"],
            "b": optimum["beta"],
            "c0": optimum["c"],
            "c1": 0.01,
            "d1": middle,
            "f1": 0.5,
        }
    return None


def curves() -> dict[tuple[str, str, str], pd.DataFrame]:
    """Return the twenty curves by domain, task and model."""
    table = frame("saturation-language")
    return {tuple(map(str, key)): rows for key, rows in table.groupby(["Domain", "Task", "Model"], sort=True)}  # type: ignore[misc]


def score(curve: pd.DataFrame) -> list[dict[str, float | str]]:
    """Fit every law to the first part of a curve, and return one row per law.

    A row holds the numbers of rows fitted and scored, and the root mean square error of log loss `inside` the
    fitted part and `beyond` it.
    """
    seen, rest = curve[curve["Training"] == 1], curve[curve["Training"] == 0]
    x, y = seen["Seen Examples"].to_numpy(float), seen["Loss"].to_numpy(float)
    ahead = {"x": rest["Seen Examples"].to_numpy(float)}
    smaller: dict[str, float] = {}
    rows: list[dict[str, float | str]] = []
    for name in LAWS:
        law = laws.get(name)
        view = problem(law, {"x": x}, y, objective="squares", starts=STARTS[name])
        start = _from_smaller(name, smaller, x, y)
        extra = None if start is None else view.coordinates.search(law.vector(start))[None]
        optimum = solve(view, extra)
        error = np.log(law.predict(optimum.theta, ahead)) - np.log(rest["Loss"].to_numpy(float))
        if name in ("m1", "m2"):
            smaller = {key: float(value) for key, value in zip(law.names, optimum.theta, strict=True)}
        rows.append(
            {
                "law": name,
                "fitted": len(x),
                "scored": len(rest),
                "inside": float(np.sqrt(optimum.objective / len(x))),
                "beyond": float(np.sqrt(np.mean(error**2))),
            }
        )
    return rows


@cache
def scores() -> pd.DataFrame:
    """Return the scores of all curves, one row per curve and law."""
    return pd.DataFrame(
        {"domain": domain, "task": task, "model": model, **row}
        for (domain, task, model), curve in curves().items()
        for row in score(curve)
    )


def beyond() -> pd.DataFrame:
    """Return the error beyond the fitted part, one row per curve and one column per law."""
    return scores().pivot_table(index=["domain", "task", "model"], columns="law", values="beyond")[list(LAWS)]


def wins(among: tuple[str, ...]) -> dict[str, float]:
    """Return the share of curves on which each law has the lowest error.

    Errors are cut to three decimals and ties are split, as in the paper (arXiv 2209.06640).
    """
    rounded = np.floor(beyond()[list(among)].to_numpy() * 1000) / 1000
    best = rounded == rounded.min(axis=1, keepdims=True)
    share = (best / best.sum(axis=1, keepdims=True)).mean(axis=0)
    return {name: float(value) for name, value in zip(among, share, strict=True)}
