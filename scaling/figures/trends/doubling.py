"""Draw F12, the N-term of the loss as a power law and as an exponential, and the effect of one doubling."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from scaling.figures import labels, style, units
from scaling.figures.trends import kit

NAME = "doubling"
EXPONENTS = (
    ("Kaplan 2020", 0.076, "arXiv:2001.08361", style.BLUE, "o"),
    ("Hoffmann 2022", 0.34, "arXiv:2203.15556", style.VERMILION, "s"),
    ("Besiroglu 2024", 0.3478, "arXiv:2404.10102", style.GREEN, "^"),
)
FROM, TO = 1e7, 1e12
MATCH = 4.0
"""Factor of the first size at which the exponential equals the power law again."""


def data() -> dict[str, Any]:
    """Return the figure's content as plain JSON."""
    from scaling.trends.ahead.loss_law import published

    law = published()
    draws = law.draws[:, 3]
    n = np.geomspace(FROM, TO, 120)
    curves = []
    for who, alpha, source, colour, marker in EXPONENTS:
        rate = alpha * np.log(MATCH) / ((MATCH - 1) * FROM)
        curves.append(
            {
                "who": who,
                "alpha": alpha,
                "source": source,
                "colour": colour,
                "marker": marker,
                "power": ((n / FROM) ** -alpha).tolist(),
                "exponential": np.exp(-rate * (n - FROM)).tolist(),
                "per_doubling": 2**-alpha - 1,
            }
        )
    low, high = np.quantile(2**-draws - 1, [0.05, 0.95])
    curves[-1]["interval"] = [float(low), float(high)]
    cheap, dear = (abs(c["per_doubling"]) for c in (curves[0], curves[-1]))
    return {
        "figure": NAME,
        "schema": 1,
        "title": f"By published power laws each doubling of N takes {cheap:.0%} to {dear:.0%} off "
        "the N-term of the loss",
        "subtitle": "Left: the N-term A/N^α; solid: power law; dashed: an exponential that agrees over the "
        "first two doublings. Right: effect of one doubling",
        "alt": "Change of the N-term per doubling of N: "
        + "; ".join(f"{c['who']} {c['per_doubling']:.0%}" for c in curves),
        "footer": kit.footer(
            n="n = 3 published exponents",
            window="N from 10⁷ to 10¹²",
            interval=f"90 % interval for {EXPONENTS[-1][0]}: {len(draws)} resamples of its 240 runs; the "
            "others state none",
            source=", ".join(c["source"] for c in curves),
            command="scaling trends Q3 --figures DIR",
        ),
        "n": n.tolist(),
        "curves": curves,
    }


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    figure, ((left, right),) = style.canvas(
        data,
        columns=2,
        width=8.6,
        height=4.7,
        left=0.85,
        right=0.55,
        gap=1.75,
    )
    n = np.array(data["n"])
    left.set_xscale("log")
    left.set_yscale("log")
    left.set_xlim(n[0], n[-1])
    left.set_ylim(0.01, 1.25)
    ends = []
    for c in data["curves"]:
        colour = style.tone(c["colour"])
        power, exponential = np.array(c["power"]), np.array(c["exponential"])
        left.plot(n, power, color=colour, lw=2, zorder=4)
        shown = exponential > 0.004
        left.plot(n[shown], exponential[shown], color=colour, lw=1.2, ls=kit.DASHED, zorder=3)
        ends.append((float(n[-1]), float(power[-1]), f"{c['who']}\nα = {c['alpha']:.3g}", colour))
    units.say_axis(left.xaxis, units.count, 6)
    left.yaxis.set_major_locator(FixedLocator([0.01, 0.03, 0.1, 0.3, 1]))
    left.yaxis.set_minor_locator(NullLocator())
    left.yaxis.set_major_formatter(FuncFormatter(lambda v, _: units.percent(v)))
    left.set_xlabel("parameters N")
    left.set_ylabel("N-term relative to its value at 10 M")
    left.annotate(
        "exponentials",
        (n[0] * 8, 0.03),
        xytext=(66, -20),
        textcoords="offset points",
        fontsize=8,
        color=style.paper().muted,
    )
    labels.beside(left, ends, size=8, gap=2.7)
    for i, c in enumerate(data["curves"]):
        colour = style.tone(c["colour"])
        right.barh([i], [abs(c["per_doubling"])], height=0.42, color=colour, alpha=0.85, zorder=2)
        if c.get("interval"):
            low, high = sorted(abs(v) for v in c["interval"])
            right.plot([low, high], [i, i], color=style.paper().ink, lw=1.2, zorder=4)
        right.annotate(
            c["who"],
            (0, i - 0.21),
            xytext=(1, 4),
            textcoords="offset points",
            va="bottom",
            fontsize=8.5,
            color=style.paper().ink,
        )
        reach = max(abs(c["per_doubling"]), *(abs(v) for v in c.get("interval") or [0]))
        right.annotate(
            f"−{abs(c['per_doubling']):.1%}",
            (reach, i),
            xytext=(7, 0),
            textcoords="offset points",
            va="center_baseline",
            fontsize=8.5,
            color=colour,
        )
    right.set_ylim(len(data["curves"]) - 0.5, -0.75)
    right.set_yticks([])
    right.set_xlim(0, 0.3)
    right.xaxis.set_major_locator(FixedLocator([0, 0.1, 0.2, 0.3]))
    right.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"−{v:.0%}" if v else "0"))
    right.grid(False, axis="y")
    right.grid(True, axis="x")
    right.set_xlabel("change of the N-term per doubling of N")
    return figure
