"""Draw F1, every growth line relative to 2012, with its doubling time, and our own measured gains."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scaling.figures import labels, style, units
from scaling.figures.trends import kit

NAME = "growth"
BASE = 2012.0
UNTIL = 2027.0
LEFT_OUT = {"compute-before", "compute-top5"}


def data(gains: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """Return the figure's content as plain JSON.

    gains: {name, gain, low, high} measured by our own sweeps.
    """
    from scaling.trends.answers.hero import lines

    fitted, _ = lines()
    shown: list[dict[str, Any]] = []
    untrended: list[str] = []
    for x in fitted:
        r = x.rate
        if x.key in LEFT_OUT:
            continue
        if not r.trending:
            untrended.append(x.words)
            continue
        start = max(r.window[0], BASE)
        low, high = r.doubling_interval
        shown.append(
            {
                "key": x.key,
                "words": x.words.replace(", all models since 2010", "").replace(
                    ": effective compute, language", " (effective compute)"
                ),
                "kind": x.kind,
                "slope": r.slope,
                "start": start,
                "end": r.window[1],
                "doubling_years": r.doubling_years,
                "interval_years": [low, high],
                "falls": r.falls,
                "level": r.level,
                "n": r.n,
            }
        )
    shown.sort(key=lambda x: -x["slope"] * (UNTIL - x["start"]))
    by = {x["key"]: x for x in shown}
    fast, moore = by.get("compute"), by.get("transistors")
    title = "Is there a Moore's law of language models?"
    if fast and moore:
        title = (
            f"Transistors double every {kit.span(moore['doubling_years'])}; "
            f"training compute every {kit.span(fast['doubling_years'])}"
        )
    level = shown[0]["level"] if shown else 0.9
    n = [x["n"] for x in shown]
    note = f"; no trend: {', '.join(untrended)}" if untrended else ""
    return {
        "figure": NAME,
        "schema": 1,
        "title": title,
        "subtitle": "Growth since 2012, or since a line's first year; labels: time to double (×2) or halve "
        "(÷2) with its "
        "interval; dashed: extrapolation" + ("; diamonds: gains measured here" if gains else ""),
        "alt": "Growth lines: "
        + "; ".join(
            f"{x['words']} {'halves' if x['falls'] else 'doubles'} in {kit.span(x['doubling_years'])}"
            for x in shown
        ),
        "footer": kit.footer(
            n=f"n = {min(n)} to {max(n)} rows per line" if n else "no line",
            window="window: the solid part of each line",
            interval=f"{level:.0%} intervals (cluster bootstrap by organisation, else OLS t){note}",
            source="facts/*.csv (primary sources in SOURCES.md)",
            command="scaling trends --figures DIR",
        ),
        "lines": shown,
        "gains": list(gains),
    }


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    figure, ((axes,),) = style.canvas(data, width=8.6, height=6.4, left=0.98, right=3.3)
    ends = [x["slope"] * (UNTIL - x["start"]) for x in data["lines"]]
    kit.powers(
        axes,
        min([0.0, *ends]) - 0.6,
        max([1.0, *ends]) + 0.5,
        lambda v: f"×{units.count(v)}" if v >= 1 else f"÷{units.count(1 / v)}",
        most=9,
    )
    axes.tick_params(axis="y", labelsize=8)
    kit.years(axes, BASE, UNTIL, 5)
    axes.axhline(1, color=style.paper().muted, lw=0.8, zorder=1)
    at_end = []
    for x in data["lines"]:
        colour = kit.tone(x["kind"])
        value = partial(kit.exponential, slope=x["slope"], at=x["start"])
        strong = x["key"] in {"compute", "transistors", "algorithms"}
        kit.line(axes, value, (x["start"], x["end"]), UNTIL, colour, width=2.2 if strong else 1.2)
        axes.plot(
            [x["end"]], [value(x["end"])], marker=kit.KINDS[x["kind"]][1], ms=4.5, color=colour, zorder=5
        )
        sign = "÷2" if x["falls"] else "×2"
        low, high = (kit.span_short(v) for v in x["interval_years"])
        low = low.split(units.SPACE)[0] if low.split(units.SPACE)[-1] == high.split(units.SPACE)[-1] else low
        words = f"{x['words']}  {sign} {kit.span_short(x['doubling_years'])} [{low}–{high}]"
        at_end.append((UNTIL, float(value(UNTIL)), words, colour))
    labels.beside(axes, at_end, size=7.8, gap=1.5)
    base = next((x for x in data["lines"] if x["key"] == "compute"), None)
    if base is not None:
        _pins(axes, data["gains"], base)
    for i, kind in enumerate(kit.KINDS):
        y = 0.965 - 0.042 * i
        axes.plot(
            [0.035], [y], marker=kit.KINDS[kind][1], ms=5, color=kit.tone(kind), transform=axes.transAxes
        )
        axes.text(
            0.07, y, kind, transform=axes.transAxes, fontsize=8.5, va="center_baseline", color=kit.tone(kind)
        )
    return figure


def _pins(axes: Axes, gains: Sequence[dict[str, Any]], base: dict[str, Any]) -> None:
    """Draw our own gains as diamonds on the compute line, with a key because they lie close together."""
    ink = style.paper().ink
    for place, g in enumerate(sorted(gains, key=lambda g: g["gain"])):
        when = base["start"] + np.log10(g["gain"]) / base["slope"]
        axes.plot([when], [g["gain"]], marker="D", ms=5, color=ink, mec=style.paper().background, zorder=7)
        if g.get("low") and g.get("high"):
            axes.plot([when, when], [g["low"], g["high"]], color=ink, lw=1.2, zorder=6)
        y = 0.03 + 0.036 * place
        axes.plot([0.035], [y], marker="D", ms=4, color=ink, transform=axes.transAxes)
        axes.text(
            0.07,
            y,
            f"{g['name']} ×{units.digits(g['gain'], 2)}",
            transform=axes.transAxes,
            fontsize=8,
            fontweight=600,
            va="center_baseline",
            path_effects=kit.halo(),
            zorder=8,
        )
