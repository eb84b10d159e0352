"""Draw loss against the position in the sequence, which shows how much context a model uses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from scaling.figures import kinds, labels, panels, style, units
from scaling.figures.source import Source

NAME = "positions"
BINS = 14
"""Points per line: positions are averaged in bins of equal width in logarithms."""
LINES = 6
"""Largest number of lines per panel; of more, the first, the last and some evenly between are drawn."""
MOST_OF_IT = 0.9
"""Share of the total fall of the loss that the title reports."""


def data(source: Source) -> dict[str, Any]:
    """Return the figure's content as plain JSON; `missing` holds the reason where it cannot be drawn."""
    base = {"figure": NAME, "schema": 1}
    rows = source.positions.merge(source.done, on="run_id", suffixes=("", "_end"))
    if rows.empty or rows["position"].max() < 4:
        return {
            **base,
            "needless": True,
            "missing": f"no run of {source.name} recorded its loss by position (positions.parquet).",
        }
    by = "context" if "context" in rows and rows["context"].nunique() > 1 else "budget"
    group = "family" if by == "context" else "kind"
    several = group in rows and rows[group].nunique() > 1
    lines: list[dict[str, Any]] = []
    for kind in sorted(rows[group].unique(), key=kinds.in_order) if several else [""]:
        same = rows[rows[group] == kind] if several else rows
        values = sorted(same[by].unique())
        few = sorted({values[round(i)] for i in np.linspace(0, len(values) - 1, min(LINES, len(values)))})
        for value in few:
            lines.append({"kind": str(kind), by: float(value), **_line(same[same[by] == value])})
    longest = max(lines, key=lambda line: (line["position"][-1], -line["loss"][-1]))
    within = _within(longest)
    ends = "context length" if by == "context" else "budget"
    return {
        **base,
        "unit": source.loss_unit,
        "title": f"{units.percent(MOST_OF_IT)} of the fall of the loss happens within the first "
        f"{math.ceil(within)} tokens of a sequence"
        if within > 1
        else "The loss does not fall along the sequence",
        "subtitle": f"Held-out loss by position, for the best size at each {ends}, averaged over seeds"
        + (f"; the title is about {longest['kind']}" if several else ""),
        "alt": f"Loss against position for {len(lines)} groups of runs, one line a {ends}.",
        "footer": source.footer(
            n=len({run for line in lines for run in line["runs"]}),
            window=f"window: positions 1 to {units.count(longest['position'][-1])}",
            interval="no interval: positions of one sequence are correlated",
            note="positions averaged in bins of equal width in logarithms",
        ),
        "by": by,
        "lines": lines,
        **({"own_scale": True} if several and source.per_byte else {}),
    }


def _line(rows: pd.DataFrame) -> dict[str, Any]:
    """Return the loss by binned position of the size with the lowest mean final loss."""
    ends = rows.groupby("params")["loss_end"].mean()
    best = float(ends.index.to_numpy(float)[int(ends.to_numpy(float).argmin())])
    rows = rows[rows["params"] == best]
    mean = rows.groupby("position")["loss"].mean()
    at = mean.index.to_numpy(float) + (1.0 if mean.index.min() == 0 else 0.0)
    edges = np.unique(np.round(np.geomspace(1, at.max() + 1, BINS + 1)))
    which = np.digitize(at, edges)
    bins = [which == one for one in np.unique(which)]
    return {
        "params": best,
        "runs": sorted(rows["run_id"].unique()),
        "position": [float(np.exp(np.log(at[one]).mean())) for one in bins],
        "loss": [float(mean.to_numpy()[one].mean()) for one in bins],
    }


def _within(line: dict[str, Any]) -> float:
    """Return the first binned position at which `MOST_OF_IT` of the total fall of the loss is done."""
    loss = np.array(line["loss"])
    done = (loss[0] - loss) / max(loss[0] - loss.min(), 1e-12)
    return float(line["position"][int(np.argmax(done >= MOST_OF_IT))])


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    lines, by = data["lines"], data["by"]
    say = "{:,.0f}".format if by == "context" else units.flops
    kinds = panels.of(lines)[: panels.MOST]
    figure, places = panels.canvas(data, kinds, right=0.9, gap=1.15)
    shown = sorted({line[by] for line in lines})
    for axes, kind, first, last in places:
        own = [line for line in lines if line["kind"] == kind] if data.get("own_scale") else lines
        losses = [value for line in own for value in line["loss"]]
        span = max(losses) - min(losses)
        axes.set_xscale("log")
        axes.set_xlim(0.9, max(line["position"][-1] for line in lines) * 1.1)
        axes.set_ylim(min(losses) - 0.05 * span, max(losses) + 0.05 * span)
        units.say_axis(axes.xaxis, units.count, most=6)
        ends = []
        for line in (line for line in lines if line["kind"] == kind):
            i = shown.index(line[by])
            colour = style.ramp(i / max(len(shown) - 1, 1))
            axes.plot(
                line["position"],
                line["loss"],
                color=colour,
                lw=1.2,
                marker=style.MARKERS[i % len(style.MARKERS)],
                ms=3.6,
            )
            ends.append((axes.get_xlim()[1], line["loss"][-1], say(line[by]), colour))
        labels.beside(axes, ends, hairlines=False)
        if last:
            axes.set_xlabel("position in the sequence (tokens)")
        if first:
            axes.set_ylabel(f"loss L ({data['unit']})")
    return figure
