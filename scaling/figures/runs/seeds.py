"""Draw seed noise: the scatter of the loss of one cell over seeds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from scaling.figures import labels, style, units
from scaling.figures.source import Source

NAME = "seeds"


def groups(source: Source) -> list[pd.DataFrame]:
    """Return the finished runs of every cell with at least two seeds, sorted by compute and size."""
    done = source.done
    if "seed" not in done or done.empty:
        return []
    keys = [k for k in ("kind", "corpus_hash", "budget", "params", "learning_rate") if k in done]
    found = [same for _, same in done.groupby(keys, dropna=False) if same["seed"].nunique() > 1]
    return sorted(found, key=lambda g: (g["budget"].iloc[0], g["params"].iloc[0]))


def pooled(cells: list[pd.DataFrame]) -> tuple[float, int] | None:
    """Return the standard deviation of the loss over seeds, pooled over cells, and its degrees of freedom."""
    freedom = sum(len(g) - 1 for g in cells)
    if not freedom:
        return None
    squares = sum(float(((g["loss"] - g["loss"].mean()) ** 2).sum()) for g in cells)
    return math.sqrt(squares / freedom), freedom


def data(source: Source) -> dict[str, Any]:
    """Return the figure's content as plain JSON; `missing` holds the reason where it cannot be drawn."""
    base = {"figure": NAME, "schema": 1}
    cells = groups(source)
    noise = pooled(cells)
    if not cells or noise is None:
        return {
            **base,
            "missing": f"no cell of {source.name} ran with two seeds, so the seed noise is not known; "
            "set sweep.repeats.",
        }
    sd, freedom = noise
    shown: list[dict[str, Any]] = [
        {
            "C": float(g["budget"].iloc[0]),
            "N": float(g["params"].iloc[0]),
            "mean": float(g["loss"].mean()),
            "rest": (g["loss"] - g["loss"].mean()).tolist(),
            "runs": g["run_id"].tolist(),
        }
        for g in cells
    ]
    relative = float(np.mean([sd / c["mean"] for c in shown]))
    C = [c["C"] for c in shown]
    return {
        **base,
        "title": f"The loss varies over seeds by {units.digits(sd)} {source.loss_unit} "
        f"({units.percent(relative)})",
        "subtitle": "Deviation of the loss from its cell's mean: one column per cell, one dot per seed; "
        "band: one pooled standard deviation",
        "alt": f"Deviation of the loss from its cell's mean for {len(shown)} cells with several seeds; "
        f"pooled standard deviation {units.digits(sd)} {source.loss_unit}.",
        "unit": source.loss_unit.partition(" per ")[0],
        "footer": source.footer(
            n=sum(len(c["rest"]) for c in shown),
            window=f"window {len(shown)} cells, {units.spoken_range(min(C), max(C), units.flops)}",
            interval=f"standard deviation pooled, {freedom} degrees of freedom; no interval",
        ),
        "cells": shown,
        "sd": sd,
    }


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    figure, ((axes,),) = style.canvas(data, height=3.9, right=0.85)
    cells, sd = data["cells"], data["sd"]
    colours = {
        C: style.ramp(i / max(len({c["C"] for c in cells}) - 1, 1))
        for i, C in enumerate(sorted({c["C"] for c in cells}))
    }
    axes.axhspan(-1000 * sd, 1000 * sd, color=style.paper().faint, alpha=0.7, lw=0, zorder=0)
    axes.axhline(0, color=style.paper().muted, lw=0.8)
    for i, cell in enumerate(cells):
        rest = [1000 * v for v in cell["rest"]]
        colour = colours[cell["C"]]
        axes.plot([i, i], [min(rest), max(rest)], color=colour, lw=1.0)
        axes.plot(
            [i] * len(rest), rest, "o", ms=5, color=colour, mec=style.paper().background, mew=0.6, zorder=3
        )
    axes.set_xlim(-0.6, len(cells) - 0.4)
    every = math.ceil(len(cells) / 9)
    axes.set_xticks(range(0, len(cells), every), [units.count(c["N"]) for c in cells][::every])
    axes.set_xlabel("parameters N" if len(colours) == 1 else "parameters N, coloured by budget")
    if len(colours) == 1:
        axes.set_xlabel(f"parameters N, all at {units.flops(cells[0]['C'])}")
    axes.set_ylabel(f"loss − cell mean (10⁻³ {data['unit']})")
    labels.margin(axes, 1000 * sd, f"±{units.digits(1000 * sd)}", dx=6, color=style.paper().muted)
    return figure
