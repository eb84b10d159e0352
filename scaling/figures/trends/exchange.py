"""Draw F7, compute-equivalent gains converted into months of each trend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from scaling.figures import style, units
from scaling.figures.trends import kit

NAME = "exchange"
RUNGS = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
WORDS = {
    "compute": ("frontier training compute", "×4.7 a year", style.BLUE, "o"),
    "algorithms": ("algorithmic progress", "×2 in 8 months", style.PURPLE, "v"),
    "transistors": ("transistors", "×2 in 24 months", style.VERMILION, "s"),
    "price-performance": ("FLOP per dollar", "×2 in 2.1 years", style.GREEN, "^"),
}

SHIFT = {"compute": (-4, 9), "algorithms": (4, 9), "transistors": (-5, -10), "price-performance": (6, 9)}
"""Offset of each number from its dot, in points."""


def data(gains: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """Return the figure's content as plain JSON.

    gains: {name, gain, low, high} measured by our own sweeps, drawn beside the fixed gains.
    """
    from scaling.trends.worth.exchange import exchange

    rungs: list[dict[str, Any]] = []
    for rung in RUNGS:
        e = exchange(rung)
        rungs.append(
            {
                "gain": rung,
                "months": {w.currency.name: [w.months, w.low, w.high] for w in e.worths},
                "level": e.level,
            }
        )
    own = []
    for g in gains:
        interval = (g["low"], g["high"]) if g.get("low") and g.get("high") else None
        e = exchange(g["gain"], interval)
        own.append({**g, "months": {w.currency.name: [w.months, w.low, w.high] for w in e.worths}})
    two = rungs[2]["months"]
    return {
        "figure": NAME,
        "schema": 1,
        "title": f"Halving the compute for a given loss equals {two['compute'][0]:.1f} months of compute "
        f"growth or {two['transistors'][0]:.0f} months of Moore's law",
        "subtitle": "Months in which each trend grows by the compute-equivalent gain (×2: the same loss "
        "for half the compute); bars: intervals of the trends",
        "alt": "A gain of 2 is worth " + ", ".join(f"{v[0]:.1f} months of {k}" for k, v in two.items()),
        "footer": kit.footer(
            n=f"n = {len(RUNGS)} gains" + (f", {len(own)} measured gains" if own else ""),
            window="rates: compute 2010–2025, transistors 1971–2021, FLOP per dollar 2006–2023, algorithms "
            "2012–2023",
            interval="90 % intervals",
            source="arXiv:2202.05924 and snapshots, arXiv:2403.05812, epoch.ai (trends in machine-learning "
            "hardware)",
            command="scaling trends exchange --figures DIR",
        ),
        "rungs": rungs,
        "own": own,
    }


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    rows = [*({**r, "name": f"×{r['gain']:g}"} for r in data["rungs"]), *data["own"]]
    rows.sort(key=lambda r: r["gain"])
    left = max(1.15, 0.3 + 0.078 * max(len(r["name"]) for r in rows))
    figure, ((axes,),) = style.canvas(
        data,
        width=6.65 + left,
        height=2.55 + 0.42 * len(rows),
        left=left,
        right=1.9,
    )
    axes.set_xscale("log")
    ends = [v for r in rows for m in r["months"].values() for v in m if v > 0]
    axes.set_xlim(min(ends) * 0.85, max(ends) * 1.1)
    axes.xaxis.set_major_locator(FixedLocator([1, 2, 3, 6, 12, 24, 48, 96, 192]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: kit.months(v)))
    axes.grid(True, axis="x")
    axes.grid(False, axis="y")
    axes.spines["left"].set_visible(False)
    for name, (_, _, colour, marker) in WORDS.items():
        tone = style.tone(colour)
        axes.plot(
            [r["months"][name][0] for r in rows], range(len(rows)), color=tone, lw=0.9, alpha=0.6, zorder=2
        )
        for i, r in enumerate(rows):
            middle, low, high = r["months"][name]
            axes.plot(
                [max(low, 1e-3), high], [i, i], color=tone, lw=4, alpha=0.28, solid_capstyle="butt", zorder=1
            )
            axes.plot(
                [middle],
                [i],
                marker=marker,
                ms=5.5,
                color=tone,
                mec=style.paper().background,
                mew=0.5,
                zorder=3,
            )
            axes.annotate(
                units.digits(middle, 2 if middle < 100 else 3),
                (middle, i),
                xytext=SHIFT[name],
                textcoords="offset points",
                ha="center",
                va="center",
                fontsize=7.4,
                color=tone,
                path_effects=kit.halo(),
                zorder=4,
            )
    axes.set_ylim(-0.6, len(rows) - 0.35)
    axes.set_yticks(range(len(rows)), [r["name"] for r in rows])
    for text, r in zip(axes.get_yticklabels(), rows, strict=True):
        text.set_color(style.paper().ink)
        text.set_fontweight(600 if r in data["own"] else 400)
    axes.annotate(
        "compute-equivalent gain",
        (0, 1),
        xycoords="axes fraction",
        xytext=(-70, 9),
        textcoords="offset points",
        fontsize=8.5,
        color=style.paper().muted,
    )
    axes.set_xlabel("months of the trend")
    for i, (words, rate, colour, marker) in enumerate(WORDS.values()):
        y = 0.9 - 0.14 * i
        axes.plot(
            [1.05],
            [y],
            marker=marker,
            ms=5.5,
            color=style.tone(colour),
            transform=axes.transAxes,
            clip_on=False,
        )
        axes.text(
            1.085,
            y,
            f"{words}\n{rate}",
            transform=axes.transAxes,
            va="center",
            fontsize=8,
            color=style.tone(colour),
            linespacing=1.25,
        )
    return figure
