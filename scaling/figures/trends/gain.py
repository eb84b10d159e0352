"""Draw F6, the compute-equivalent gain of one family over another against compute."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from scaling.figures import labels, style, units
from scaling.figures.trends import kit

NAME = "gain"
TIMES_A_YEAR = 4.7
"""Factor by which frontier training compute grows per year; converts gains into time."""


def data(comparison: dict[str, Any] | None) -> dict[str, Any]:
    """Return the figure's content as plain JSON, from the output of `scaling compare`.

    `missing` holds the reason where there is no comparison.
    """
    gains = (comparison or {}).get("gains") or []
    if not gains:
        return {
            "figure": NAME,
            "schema": 1,
            "missing": "there is no comparison yet; make one with `scaling compare A B`.",
        }
    shown: list[dict[str, Any]] = []
    names = list((comparison or {}).get("inputs") or {})
    for g in gains:
        keep = [i for i, v in enumerate(g["curve"]["gain"]) if v is not None and v > 0]
        if not keep:
            continue
        c = g["curve"]
        far = 10 * max(c["gain"][i] for i in keep)
        shown.append(
            {
                "name": f"{g['of']} over {g['over']}",
                "of": g["of"],
                "over": g["over"],
                "place": names.index(g["of"]) if g["of"] in names else len(shown),
                "flops": [c["C"][i] for i in keep],
                "gain": [c["gain"][i] for i in keep],
                # an unbounded end is drawn to the edge of the axes
                "low": [c["lower"][i] or 1e-3 for i in keep],
                "high": [c["upper"][i] or far for i in keep],
                "inside": [c["inside"][i] for i in keep],
                "headline": g["headline"],
            }
        )
    if not shown:
        return {
            "figure": NAME,
            "schema": 1,
            "missing": "no gain of the comparison is finite; run both families at the same budgets.",
        }
    first = max(shown, key=lambda s: s["headline"].get("value") or 0.0)
    span = min(s["flops"][0] for s in shown), max(s["flops"][-1] for s in shown)
    head = first["headline"]
    months = 12 * np.log(head["value"]) / np.log(TIMES_A_YEAR) if head.get("value") else None
    words = (
        ""
        if months is None
        else f": {abs(months):.1f} months of compute growth{' lost' if months < 0 else ''}"
    )
    value = units.digits(head["value"], 2) if head.get("value") else "unbounded"
    bounds = head.get("interval") or []
    low, high = bounds if len(bounds) == 2 else (None, None)
    ends = f" [{', '.join(units.digits(v, 2) if v else 'unbounded' for v in bounds)}]" if bounds else ""
    tied = bool(bounds) and (low or 0.0) <= 1 <= (high or np.inf)
    return {
        "figure": NAME,
        "schema": 1,
        "title": f"{first['of']} and {first['over']} are not told apart in compute: gain ×{value}{ends}"
        if tied
        else f"{first['name']}: gain ×{value}{ends} in compute{words}",
        "subtitle": "Compute-equivalent gain: factor of the compute that the second needs for the same "
        "loss; upper "
        "axis: time in which frontier compute grows ×4.7 a year; dashed: outside the common budgets",
        "alt": "; ".join(f"{s['name']}: gain {s['headline']['value']}" for s in shown),
        "footer": kit.footer(
            n=", ".join(
                f"n = {v['rows_used']} {k}" for k, v in ((comparison or {}).get("inputs") or {}).items()
            )
            or "n in compare.json",
            window=f"window {units.spoken_range(*span, units.flops)}",
            interval=f"{head.get('level', 0.95):.0%} bands ({str(head.get('method', '')).split(', ')[-1]})",
            source="compare.json",
            command="scaling trends figures DIR --only gain --comparison compare.json",
        ),
        "gains": shown,
    }


def measured(comparison: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Return the headline gains of a comparison as marks for F1 and F7: name, gain, low, high."""
    pins = []
    for g in (comparison or {}).get("gains") or []:
        head = g.get("headline") or {}
        low, high = head.get("interval") or (None, None)
        if head.get("value"):
            pins.append(
                {"name": f"{g['of']} over {g['over']}", "gain": head["value"], "low": low, "high": high}
            )
    return pins


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    overs = {s["over"] for s in data["gains"]}
    names = [s["of"] if len(overs) == 1 else s["name"] for s in data["gains"]]
    right = 0.35 + 0.075 * max(map(len, names))
    figure, ((axes,),) = style.canvas(
        data,
        width=max(7.8, 5.6 + right),
        height=4.9,
        left=0.75,
        right=right,
        head=0.5,
    )
    ends = []
    low = min(0.8, *(v for s in data["gains"] for v in s["gain"])) * 0.85
    high = max(1.3, *(v for s in data["gains"] for v in s["gain"])) * 1.35
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    axes.set_xscale("log")
    axes.set_xlim(min(s["flops"][0] for s in data["gains"]), max(s["flops"][-1] for s in data["gains"]))
    for s, name in zip(data["gains"], names, strict=True):
        colour = style.tone(style.CYCLE[s["place"] % len(style.CYCLE)])
        x, y, inside = np.array(s["flops"]), np.array(s["gain"]), np.array(s["inside"], bool)
        axes.fill_between(x, s["low"], s["high"], color=colour, alpha=0.07, lw=0, zorder=1)
        axes.fill_between(
            x[inside],
            np.array(s["low"])[inside],
            np.array(s["high"])[inside],
            color=colour,
            alpha=0.16,
            lw=0,
            zorder=1,
        )
        axes.plot(x, y, color=colour, lw=1.3, ls=kit.DASHED, zorder=3)
        axes.plot(x[inside], y[inside], color=colour, lw=2.2, zorder=4)
        ends.append((float(x[-1]), float(y[-1]), name, colour))
    axes.axhline(1, color=style.paper().muted, lw=0.9)
    units.say_axis(axes.xaxis, units.flops, 6)
    axes.yaxis.set_major_locator(FixedLocator(units.log_ticks(low, high, 6)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"×{v:g}"))
    axes.set_xlabel(f"training compute of {overs.pop() if len(overs) == 1 else 'the second'}")
    axes.set_ylabel("compute-equivalent gain")
    top = axes.secondary_xaxis("top", functions=(lambda c: c, lambda c: c))
    origin = axes.get_xlim()[0]
    years = np.log(axes.get_xlim()[1] / origin) / np.log(TIMES_A_YEAR)
    step = next(s for s in (0.5, 1, 2, 5) if years / s <= 7)
    marks = np.arange(0, years + 1e-9, step)
    top.xaxis.set_major_locator(FixedLocator([origin * TIMES_A_YEAR**m for m in marks]))
    top.xaxis.set_minor_locator(NullLocator())
    top.xaxis.set_major_formatter(
        FuncFormatter(lambda v, _: f"{np.log(v / origin) / np.log(TIMES_A_YEAR):g}{units.SPACE}y")
    )
    top.tick_params(labelsize=8, colors=style.paper().muted)
    top.set_xlabel("years of growth of frontier compute", fontsize=8, color=style.paper().muted)
    labels.beside(axes, ends, size=8.5)
    return figure
