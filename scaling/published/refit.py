"""Repeat a published fit of a law to points, with the published values as a further start."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scaling.errors import ConfigError
from scaling.fitting import laws
from scaling.fitting.arrays import Array
from scaling.fitting.estimation.coordinates import build
from scaling.fitting.estimation.losses import Loss
from scaling.fitting.estimation.problem import Problem
from scaling.fitting.estimation.solve import solve
from scaling.fitting.law import Law
from scaling.published.fetch import fetch
from scaling.published.outcome import Refit


@cache
def frame(name: str) -> pd.DataFrame:
    """Read a published table and keep it in memory. Raises TableError where it cannot be fetched."""
    path = fetch(name)
    return pd.read_json(path, lines=True) if path.suffix == ".jsonl" else pd.read_csv(path)


def printed(name: str) -> list[dict[str, Any]]:
    """Return the rows of `entries/NAME.csv`, with numbers as the publication prints them."""
    path = Path(__file__).parent / "entries" / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [{key: _cell(text) for key, text in row.items()} for row in csv.DictReader(file)]


def _cell(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def problem(
    law: str | Law,
    x: Mapping[str, Any],
    y: Any,
    *,
    objective: str = "huber",
    scale: str | None = None,
    delta: float | None = None,
    fixed: Mapping[str, float] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    starts: int = 24,
) -> Problem:
    """Return the fit of a law to points as a problem for the solver.

    x: variables by letter, each (n,). y: target (n,). delta: the Huber δ of the publication, which has no
    default. starts: number of random starts.
    Raises ConfigError for a Huber objective without `delta`.
    """
    if objective in ("huber", "asymmetric") and delta is None:
        raise ConfigError(f"objective {objective} needs a delta; give the delta of the publication")
    form = laws.get(law) if isinstance(law, str) else law
    columns: dict[str, Array] = {k: np.asarray(v, dtype=np.float64) for k, v in x.items()}
    target = np.asarray(y, dtype=np.float64)
    return Problem(
        law=form,
        x=columns,
        y=target,
        weights=np.ones(len(target)),
        coordinates=build(form, columns, target, fixed=fixed, bounds=bounds),
        loss=Loss(name=objective, scale=scale or form.scale, delta=delta),
        starts=starts,
    )


def value_at(view: Problem, values: Mapping[str, float]) -> float:
    """Return the objective at given parameters.

    The parameters do not pass through the logarithmic coordinates of the search, so they may be exactly zero.
    """
    predicted = view.law.predict(values, view.x)
    if view.loss.scale == "raw":
        residual = predicted - view.y
    else:
        residual = np.log(predicted) - np.log(view.y)
    return float(np.squeeze(view.loss.value(residual, view.weights)))


def fit(
    view: Problem, published: Mapping[str, float] | None = None, also: Sequence[Mapping[str, float]] = ()
) -> Refit:
    """Return the optimum, and the objective at the published values if these name every parameter.

    also: further starts, for objectives with several valleys.
    """
    known = None
    if published is not None and set(view.law.names) <= set(published):
        known = {name: published[name] for name in view.law.names}
    points = [*([] if known is None else [known]), *also]
    extra = [view.coordinates.search(view.law.vector(point)) for point in points]
    optimum = solve(view, np.stack(extra) if extra else None)
    values = {name: float(value) for name, value in zip(view.law.names, optimum.theta, strict=True)}
    for name, function in view.law.derived.items():
        values.setdefault(name, float(np.squeeze(function(view.law.values(optimum.theta)))))
    return Refit(
        values=values,
        objective=float(optimum.objective),
        at_published=None if known is None else value_at(view, known),
        detail={"basins": len(optimum.basins), "points": len(view.y)},
    )
