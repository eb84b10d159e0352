"""Draw F4, a multiverse analysis of the growth rate of compute, and old forecasts beside the record."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from scaling.figures import labels, style
from scaling.figures.trends import kit

NAME = "growth-multiverse"
ESTIMATORS = {"ols": (style.BLUE, "o"), "theil-sen": (style.VERMILION, "s"), "median": (style.GREEN, "^")}
FORECASTS = (
    ("amodei2018-before", "2-year doubling, the rule before 2012", 2012.0),
    ("amodei2018", "3.4 months, forecast of 2018", 2018.0),
    ("sevilla2022-large", "9.9 months, forecast of 2022", 2022.0),
    ("epoch2024-frontier-recent", "4.2× a year, forecast of 2024", 2024.4),
)
UNTIL = 2028.0


def filter_words(name: str) -> str:
    """Return the name of a frontier filter in words."""
    return {"p75": "top quarter", "p90": "top tenth"}.get(name, name.replace("-", " "))


def data() -> dict[str, Any]:
    """Return the figure's content as plain JSON."""
    from scaling.figures.trends.forest import months_of
    from scaling.trends import facts, shipped
    from scaling.trends.growth.frontier import record
    from scaling.trends.growth.multiverse import multiverse

    s = shipped.training_compute()
    m = multiverse(s)
    low, high = m.span()
    steady = m.filters()[0]
    front = record(s).between(2009)
    published = facts.load("published_trends").set_index("id")
    forecasts = []
    for key, words, start in FORECASTS:
        if key not in published.index:
            continue
        months = months_of(float(str(published.loc[key, "value"])), str(published.loc[key, "unit"]))
        before = front.between(end=start + 1e-9)
        if len(before):
            forecasts.append(
                {
                    "key": key,
                    "words": words,
                    "start": start,
                    "from": float(before.value[-1]),
                    "months": months,
                }
            )
    return {
        "figure": NAME,
        "schema": 1,
        "title": f"{len(m.worlds)} defensible choices give ×{low:.1f} to ×{high:.1f} a year; the "
        f"{filter_words(steady)} varies least",
        "subtitle": "Left: multiverse analysis, one dot for each combination of filter, window and "
        "estimator. Right: "
        "published growth rates extrapolated from their year, and the largest run so far (record)",
        "alt": f"Growth rates of training compute under every choice, from {low:.1f} to {high:.1f} times a "
        f"year, and {len(forecasts)} old forecasts.",
        "footer": kit.footer(
            n=f"n = {min(w.rate.n for w in m.worlds)} to {max(w.rate.n for w in m.worlds)} systems per "
            f"choice; {len(front)} records",
            window="windows from 2010, 2012, 2014, 2016 or 2018 to 2025",
            interval="point estimates; 90 % intervals: scaling trends multiverse --json",
            source="facts/models.csv, facts/published_trends.csv",
            command="scaling trends multiverse --figures DIR",
        ),
        "median": m.median(),
        "worlds": [
            {"filter": w.filter, "start": w.start, "estimator": w.estimator, "times": w.rate.times_per_year}
            for w in m.worlds
        ],
        "filters": m.filters(),
        "record": [
            {"year": t, "flops": v, "name": str(x)}
            for t, v, x in zip(front.year, front.value, front.names, strict=True)
        ],
        "forecasts": forecasts,
    }


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    figure, ((left, right),) = style.canvas(
        data,
        columns=2,
        width=8.8,
        height=4.9,
        left=0.95,
        right=1.75,
        gap=1.25,
    )
    a, b = left.get_position(), right.get_position()
    left.set_position((a.x0, a.y0, a.width * 1.12, a.height))
    right.set_position((b.x0 + a.width * 0.12, b.y0, b.width * 0.88, b.height))
    muted = style.paper().muted
    filters = data["filters"]
    for i, name in enumerate(filters):
        mine = [w for w in data["worlds"] if w["filter"] == name]
        left.plot(
            [min(w["times"] for w in mine), max(w["times"] for w in mine)],
            [i, i],
            color=style.paper().faint,
            lw=5,
            solid_capstyle="round",
            zorder=1,
        )
        for w in mine:
            colour, marker = ESTIMATORS[w["estimator"]]
            shift = (w["start"] - 2014) / 14
            left.plot(
                [w["times"]],
                [i + shift],
                ls="",
                marker=marker,
                ms=4,
                color=style.tone(colour),
                mec=style.paper().background,
                mew=0.4,
                zorder=3,
            )
    left.axvline(data["median"], color=muted, lw=0.8, zorder=1)
    left.annotate(
        f"median ×{data['median']:.1f}",
        (data["median"], -0.75),
        xytext=(4, 0),
        textcoords="offset points",
        fontsize=8,
        color=muted,
        va="center",
    )
    left.set_xscale("log")
    left.set_xlim(2.8, max(w["times"] for w in data["worlds"]) * 1.06)
    left.xaxis.set_major_locator(FixedLocator([3, 4, 5, 6, 8, 10]))
    left.xaxis.set_minor_locator(NullLocator())
    left.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"×{v:g}"))
    left.set_ylim(len(filters) - 0.4, -1.1)
    left.set_yticks(range(len(filters)), [filter_words(f) for f in filters])
    left.grid(False, axis="y")
    left.grid(True, axis="x")
    left.set_xlabel("growth of training compute a year")
    for i, (name, (colour, marker)) in enumerate(ESTIMATORS.items()):
        x = 0.02 + (0.0, 0.17, 0.45)[i]
        words = {"ols": "OLS", "theil-sen": "Theil-Sen", "median": "median line"}[name]
        left.plot(
            [x],
            [1.035],
            marker=marker,
            ms=4.5,
            color=style.tone(colour),
            transform=left.transAxes,
            clip_on=False,
        )
        left.text(
            x + 0.025,
            1.035,
            words,
            transform=left.transAxes,
            fontsize=8,
            va="center_baseline",
            color=style.tone(colour),
        )
    record = data["record"]
    ends = [
        np.log10(f["from"]) + np.log10(2) * 12 / f["months"] * (UNTIL - f["start"]) for f in data["forecasts"]
    ]
    kit.powers(right, 16.5, min(max(ends), 33) + 0.5, kit.flops, most=6)
    right.tick_params(axis="y", labelsize=8)
    kit.years(right, 2011, UNTIL, 5)
    right.step(
        [*(p["year"] for p in record), 2025.9],
        [*(p["flops"] for p in record), record[-1]["flops"]],
        where="post",
        color=style.paper().ink,
        lw=2,
        zorder=5,
    )
    top = right.get_ylim()[1]
    ends_at = []
    for i, f in enumerate(data["forecasts"]):
        colour = style.tone(style.CYCLE[(i + 1) % len(style.CYCLE)])
        when = np.linspace(f["start"], UNTIL, 60)
        forecast = f["from"] * 2 ** (12 / f["months"] * (when - f["start"]))
        right.plot(when, forecast, color=colour, lw=1.3, ls=kit.DASHED, zorder=4)
        right.plot(when[:1], forecast[:1], "o", ms=4.5, color=colour, zorder=6)
        inside = forecast <= top
        ends_at.append(
            (
                float(when[inside][-1]) if not inside[-1] else UNTIL,
                float(forecast[inside][-1]),
                f["words"].replace(", ", "\n", 1),
                colour,
            )
        )
    ends_at.append((2025.9, record[-1]["flops"], f"record,\n{record[-1]['name']}", style.paper().ink))
    at_edge = [(UNTIL, y, words, colour) for _, y, words, colour in ends_at]
    labels.beside(right, at_edge, size=7.6, gap=2.7)
    return figure
