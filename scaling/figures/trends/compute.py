"""Draw F2, training compute since 1950, its eras and the break years between them."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scaling.figures import style
from scaling.figures.trends import kit

NAME = "compute"
TURN = 2010.0
"""Decimal year at which the early panel ends and the late panel, with its own scale, begins."""
UNTIL = 2030.0
SHOWN: dict[str, tuple[float, float, str]] = {
    "Theseus": (6, 0, "left"),
    "Perceptron (IBM 704 simulation)": (6, 4, "left"),
    "NETtalk": (5, -6, "left"),
    "LeNet-5": (5, -5, "left"),
    "AlexNet": (4, -9, "left"),
    "AlphaGo Zero": (-6, 4, "right"),
    "Transformer (big)": (6, -9, "left"),
    "BERT-Large": (7, -4, "left"),
    "GPT-3 175B": (-6, 5, "right"),
    "GPT-4": (-3, 11, "right"),
    "Grok 3": (-6, 4, "right"),
    "DeepSeek-V3": (7, -9, "left"),
}
"""Systems that are labelled, with the offset of the label in points and its alignment."""
DOMAINS = {
    "language": (style.BLUE, "o"),
    "vision": (style.VERMILION, "s"),
    "games": (style.GREEN, "^"),
    "other": (style.PURPLE, "v"),
}


def data() -> dict[str, Any]:
    """Return the figure's content as plain JSON."""
    from scaling.trends import facts, shipped
    from scaling.trends.answers.models import eras
    from scaling.trends.growth import kinks

    answer = eras()
    s = shipped.training_compute()
    domain = dict(zip(*(facts.load("models")[c] for c in ("name", "domain")), strict=True))
    k = len(answer["breaks"])
    fitted = kinks.fit(s.year, s.log, k)
    edges = [s.window[0], *fitted.breaks, s.window[1]]
    heights = 10 ** fitted.predict(np.array(edges))
    spans = []
    for i, slope in enumerate(fitted.slopes):
        inside = (s.year >= edges[i]) & (s.year <= edges[i + 1])
        spans.append(
            {
                "from": edges[i],
                "to": edges[i + 1],
                "low": heights[i],
                "high": heights[i + 1],
                "n": int(inside.sum()),
                "words": f"doubles in {kit.span(np.log10(2) / slope)}" if slope > 0 else "no growth",
            }
        )
    title = f"Training compute {spans[-1]['words']} since {edges[-2]:.0f}"
    if k:
        title += f", {spans[0]['words'].removeprefix('doubles in ')} before {edges[1]:.0f}"
    words = "no break"
    if k:
        words = f"break years: {answer['breaks'][0]['level']:.0%} profile intervals; their number: bootstrap"
    return {
        "figure": NAME,
        "schema": 1,
        "title": title,
        "subtitle": "Training compute of machine-learning systems, with a piecewise exponential fit; grey "
        "bars: intervals of the break years",
        "alt": f"Training compute of {len(s)} systems from 1950 to 2025 on a log axis: "
        f"{'; '.join(e['words'] for e in spans)}.",
        "footer": kit.footer(
            n=f"n = {len(s)} systems",
            window=kit.window_words(s.window),
            interval=words,
            source="facts/models.csv (primary sources in SOURCES.md)",
            command="scaling trends eras --figures DIR",
        ),
        "points": [
            {"name": str(n), "year": float(t), "flops": float(v), "domain": domain.get(n, "other")}
            for n, t, v in zip(s.names, s.year, s.value, strict=True)
        ],
        "eras": spans,
        "breaks": answer["breaks"],
        "growth": float(fitted.slopes[-1]),
    }


def _panel(axes: Axes, data: dict[str, Any], low: float, high: float) -> None:
    ink, muted = style.paper().ink, style.paper().muted
    bottom, top = axes.get_ylim()
    lift = (top / bottom) ** 0.035
    for name, (colour, marker) in DOMAINS.items():
        mine = [
            p
            for p in data["points"]
            if (p["domain"] if p["domain"] in DOMAINS else "other") == name and low <= p["year"] < high
        ]
        x, y = [p["year"] for p in mine], [p["flops"] for p in mine]
        axes.plot(
            x,
            y,
            ls="",
            marker=marker,
            ms=4.2,
            color=style.tone(colour),
            mec=style.paper().background,
            mew=0.4,
            zorder=3,
        )
    for era in data["eras"]:
        axes.plot([era["from"], era["to"]], [era["low"], era["high"]], color=ink, lw=1.8, zorder=5)
    end = data["eras"][-1]
    ahead = end["high"] * 10 ** (data["growth"] * (UNTIL - end["to"]))
    axes.plot([end["to"], UNTIL], [end["high"], ahead], color=ink, lw=1.4, ls=kit.DASHED, zorder=4)
    for b in data["breaks"]:
        axes.plot(
            b["interval"], [bottom * lift] * 2, color=muted, lw=6, alpha=0.4, solid_capstyle="butt", zorder=2
        )
        if low <= b["year"] < high:
            axes.plot([b["year"]] * 2, [bottom, bottom * lift**2], color=muted, lw=1, zorder=2)
            axes.annotate(
                f"{b['year']:.0f}",
                (b["year"], bottom * lift**2),
                xytext=(0, 2),
                textcoords="offset points",
                ha="center",
                fontsize=8,
                color=muted,
            )
    for p in data["points"]:
        if p["name"] in SHOWN and low <= p["year"] < high:
            dx, dy, side = SHOWN[p["name"]]
            axes.annotate(
                p["name"].split(" (")[0],
                (p["year"], p["flops"]),
                xytext=(dx, dy),
                textcoords="offset points",
                ha=side,
                va="center",
                fontsize=7.8,
                color=muted,
                path_effects=kit.halo(),
                zorder=6,
            )


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    figure, ((early, late),) = style.canvas(data, columns=2, height=5.4, left=1.2, right=0.35, gap=0.16)
    a, b = early.get_position(), late.get_position()
    width = b.x1 - a.x0
    early.set_position((a.x0, a.y0, 0.27 * width, a.height))
    late.set_position((a.x0 + 0.45 * width, a.y0, 0.55 * width, a.height))
    end = data["eras"][-1]
    ahead = np.log10(end["high"]) + data["growth"] * (UNTIL - end["to"])
    for axes, low, high in ((early, 1940, TURN), (late, TURN, UNTIL)):
        logs = [np.log10(p["flops"]) for p in data["points"] if low <= p["year"] < high]
        top = max(*logs, ahead if axes is late else 0)
        span = top - min(logs)
        kit.powers(axes, min(logs) - 0.2 * span, top + 0.08 * span, kit.flops, most=7)
    kit.years(early, 1948, TURN, 20)
    kit.years(late, TURN, UNTIL, 5)
    _panel(early, data, 1948, TURN)
    _panel(late, data, TURN, UNTIL)
    ink = style.paper().ink
    for i, era in enumerate(data["eras"]):
        axes = early if era["to"] <= TURN + 2 else late
        low, high = axes.get_xlim()
        at = 0.5 * (max(era["from"], low) + min(era["to"], high))
        share = (at - era["from"]) / (era["to"] - era["from"])
        y = 10 ** ((1 - share) * np.log10(era["low"]) + share * np.log10(era["high"]))
        shift = (-22, 16) if i == 0 else (-24, 14) if i == 1 else (-38, 10)
        words = era["words"].replace("doubles in ", "doubles in\n", 1)
        axes.annotate(
            words,
            (at, y),
            xytext=shift,
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=8.5,
            fontweight=600,
            color=ink,
            path_effects=kit.halo(),
            zorder=7,
        )
    for i, (name, (colour, marker)) in enumerate(DOMAINS.items()):
        y = 0.955 - 0.058 * i
        early.plot([0.06], [y], marker=marker, ms=4.8, color=style.tone(colour), transform=early.transAxes)
        early.text(
            0.11,
            y,
            name,
            transform=early.transAxes,
            va="center_baseline",
            fontsize=8.5,
            color=style.tone(colour),
        )
    return figure
