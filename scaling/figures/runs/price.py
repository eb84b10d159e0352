"""Draw the seconds that the plan predicted against the seconds that the runs took."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from scaling.figures import style, units
from scaling.figures.marks import dots, many
from scaling.figures.source import Source

NAME = "price"


def table(source: Source) -> pd.DataFrame:
    """Return the priced and finished runs: run_id, params, predicted, low, high and measured seconds."""
    cells = pd.DataFrame((source.plan or {}).get("cells") or [])
    if cells.empty or not {"run_id", "seconds"} <= set(cells) or "seconds" not in source.done:
        return pd.DataFrame(columns=["run_id", "params", "predicted", "low", "high", "measured"])
    for column in ("seconds", "seconds_low", "seconds_high"):
        cells[column] = pd.to_numeric(cells[column], errors="coerce") if column in cells else np.nan
    plan = cells[["run_id", "seconds", "seconds_low", "seconds_high"]].set_axis(
        ["run_id", "predicted", "low", "high"], axis=1
    )
    done = source.done[["run_id", "params", "seconds"]].rename(columns={"seconds": "measured"})
    both = done.merge(plan, on="run_id").astype({"measured": float})
    return both[(both["measured"] > 0) & (both["predicted"] > 0)].reset_index(drop=True)


def data(source: Source) -> dict[str, Any]:
    """Return the figure's content as plain JSON; `missing` holds the reason where it cannot be drawn."""
    base = {"figure": NAME, "schema": 1}
    both = table(source)
    if len(both) < 2:
        return {
            **base,
            "missing": f"{source.name} has no plan that priced two of its finished runs; run `scaling "
            "bench` before the sweep, so that `scaling plan` can price it.",
        }
    total, took = float(both["predicted"].sum()), float(both["measured"].sum())
    ratio = (both["measured"] / both["predicted"]).to_numpy()
    inside = both["low"].notna() & (both["measured"] >= both["low"]) & (both["measured"] <= both["high"])
    known = int(both["low"].notna().sum())
    return {
        **base,
        "title": f"The plan predicted {units.seconds(total)} of training; the runs took "
        f"{units.seconds(took)}",
        "subtitle": "Seconds of each run, measured against predicted before the sweep; bars: the plan's "
        "interval",
        "alt": f"Predicted against measured seconds of {len(both)} runs; in total {units.seconds(total)} "
        f"predicted and {units.seconds(took)} measured.",
        "footer": source.footer(
            n=len(both),
            window="window "
            f"{units.spoken_range(both['measured'].min(), both['measured'].max(), units.seconds)}",
            interval=f"{int(inside.sum())} of {known} runs inside the plan's interval"
            if known
            else "the plan gave no interval",
            note=f"measured over predicted: median {units.digits(float(np.median(ratio)))}, "
            f"{units.digits(float(ratio.min()))} to {units.digits(float(ratio.max()))}",
        ),
        "points": both.sort_values("run_id").to_dict("records"),
    }


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    figure, ((axes,),) = style.canvas(data, height=4.9, right=0.4, left=1.0, head=0.34)
    points = data["points"]
    x, y = [p["predicted"] for p in points], [p["measured"] for p in points]
    axes.set_xscale("log")
    axes.set_yscale("log")
    low, high = min(x + y) / 1.3, max(x + y) * 1.3
    axes.plot([low, high], [low, high], color=style.paper().muted, lw=0.8, zorder=1)
    spans = [p for p in points if p.get("low") and p.get("high")]
    axes.hlines(
        [p["measured"] for p in spans],
        [p["low"] for p in spans],
        [p["high"] for p in spans],
        color=style.paper().muted,
        lw=0.8,
        alpha=0.6,
        zorder=2,
        rasterized=many(len(spans)),
    )
    dots(axes, x, y, [p["params"] for p in points])
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    units.say_axis(axes.xaxis, units.seconds, 6)
    units.say_axis(axes.yaxis, units.seconds, 6)
    axes.set_xlabel("predicted")
    axes.set_ylabel("measured")
    style.size_ruler(axes, min(p["params"] for p in points), max(p["params"] for p in points))
    return figure
