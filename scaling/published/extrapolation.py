"""Learning curves cut short: fit the first part of each of twenty curves, score the rest. M1 to M4 and BNSL.

Each law is searched from many starts and from the optimum of the law that it contains, so that a richer law
never ends above a poorer one: published comparisons of these laws suffer from searches that did not leave
home.
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
STARTS = {"m1": 4, "m2": 12, "m3": 16, "m4": 40, "bnsl-1": 40}


def _from_poorer(law: str, optimum: Mapping[str, float], x: Array, y: Array) -> dict[str, float] | None:
    """The optimum of the contained law, written in the parameters of the richer one."""
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
    """The twenty curves by domain, task and model."""
    table = frame("saturation-language")
    return {tuple(map(str, key)): rows for key, rows in table.groupby(["Domain", "Task", "Model"], sort=True)}  # type: ignore[misc]


def score(curve: pd.DataFrame) -> list[dict[str, float | str]]:
    """One row per law: rows fitted and scored, root mean square of log loss there and beyond."""
    seen, rest = curve[curve["Training"] == 1], curve[curve["Training"] == 0]
    x, y = seen["Seen Examples"].to_numpy(float), seen["Loss"].to_numpy(float)
    ahead = {"x": rest["Seen Examples"].to_numpy(float)}
    poorer: dict[str, float] = {}
    rows: list[dict[str, float | str]] = []
    for name in LAWS:
        law = laws.get(name)
        view = problem(law, {"x": x}, y, objective="squares", starts=STARTS[name])
        start = _from_poorer(name, poorer, x, y)
        extra = None if start is None else view.coordinates.search(law.vector(start))[None]
        optimum = solve(view, extra)
        error = np.log(law.predict(optimum.theta, ahead)) - np.log(rest["Loss"].to_numpy(float))
        if name in ("m1", "m2"):
            poorer = {key: float(value) for key, value in zip(law.names, optimum.theta, strict=True)}
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
    """One row per curve and law."""
    return pd.DataFrame(
        {"domain": domain, "task": task, "model": model, **row}
        for (domain, task, model), curve in curves().items()
        for row in score(curve)
    )


def beyond() -> pd.DataFrame:
    """Error beyond the fitted part: one row per curve, one column per law."""
    return scores().pivot_table(index=["domain", "task", "model"], columns="law", values="beyond")[list(LAWS)]


def wins(among: tuple[str, ...]) -> dict[str, float]:
    """Share of curves that each law wins, errors compared to three decimals, ties split: the paper's own
    rule."""
    rounded = np.floor(beyond()[list(among)].to_numpy() * 1000) / 1000
    best = rounded == rounded.min(axis=1, keepdims=True)
    share = (best / best.sum(axis=1, keepdims=True)).mean(axis=0)
    return {name: float(value) for name, value in zip(among, share, strict=True)}
