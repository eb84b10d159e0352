"""Draw F8, the sources of growth: compute by its factors, and the fall in loss by its causes.

The causes are parameters, data and algorithms.
"""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scaling.figures import style
from scaling.figures.trends import kit

NAME = "decomposition"
WORDS = {
    "residual": "utilisation and unit errors",
    "hours": "longer runs",
    "chips": "more chips",
    "FLOP/s per chip": "faster chips",
}


def data() -> dict[str, Any]:
    """Return the figure's content as plain JSON."""
    from scaling.trends import shipped
    from scaling.trends.answers.accounts import chips_account
    from scaling.trends.answers.coming import LSTM_2014, TRANSFORMER_2019
    from scaling.trends.progress.shapley import shapley

    a = chips_account()
    p = shipped.language_progress(level=a.level)
    split = shapley(p, LSTM_2014, TRANSFORMER_2019)
    parts: list[dict[str, Any]] = sorted(
        (
            {
                "name": WORDS.get(x.name, x.name),
                "share": x.share,
                "interval": list(x.share_interval),
                "times": 10**x.slope,
            }
            for x in a.parts
        ),
        key=lambda x: -x["share"],
    )
    shares: list[dict[str, Any]] = sorted(
        ({"name": k, "share": v[0], "interval": [v[1], v[2]]} for k, v in split.items()),
        key=lambda x: -x["share"],
    )
    return {
        "figure": NAME,
        "schema": 1,
        "title": f"{parts[0]['name'].capitalize()} account for {parts[0]['share']:.0%} of the growth of "
        f"compute, {shares[0]['name']} for {shares[0]['share']:.0%} of the fall in loss",
        "subtitle": "Left: shares of the growth rate. Right: Shapley values, each cause's mean effect over "
        "all orders; whiskers: intervals",
        "alt": "Growth of compute: "
        + ", ".join(f"{x['name']} {x['share']:.0%}" for x in parts)
        + ". Fall in loss: "
        + ", ".join(f"{x['name']} {x['share']:.0%}" for x in shares),
        "footer": kit.footer(
            n=f"n = {a.n} training runs (left), {p.n} language models of {p.groups} papers (right)",
            window=f"{kit.window_words(a.window)} and {kit.window_words(p.window)}",
            interval=f"{a.level:.0%} cluster bootstrap",
            source="facts/models.csv, accelerators.csv, language_models.csv; law of arXiv:2403.05812",
            command="scaling trends accounting --figures DIR",
        ),
        "left": {"title": f"Training compute, ×{10**a.slope:.1f} a year", "parts": parts},
        "right": {"title": "Loss, LSTM of 2014 → Transformer-XL of 2019 (Shapley)", "parts": shares},
    }


def _bars(axes: Axes, side: dict[str, Any], colours: list[str]) -> None:
    parts = side["parts"]
    axes.set_title(side["title"], fontsize=9, fontweight=600, pad=10)
    for i, part in enumerate(parts):
        colour = style.tone(colours[i % len(colours)])
        axes.barh([i], [part["share"]], height=0.46, color=colour, alpha=0.85, zorder=2)
        low, high = part["interval"]
        axes.plot([low, high], [i, i], color=style.paper().ink, lw=1.2, zorder=4)
        for end in (low, high):
            axes.plot([end, end], [i - 0.1, i + 0.1], color=style.paper().ink, lw=1.2, zorder=4)
        times = f" · ×{part['times']:.2f} a year" if "times" in part else ""
        axes.annotate(
            part["name"],
            (0, i - 0.23),
            xytext=(1, 4),
            textcoords="offset points",
            fontsize=8.5,
            va="bottom",
            color=style.paper().ink,
        )
        axes.annotate(
            f"{part['share']:.0%}{times}",
            (max(part["share"], high), i),
            xytext=(8, 0),
            textcoords="offset points",
            va="center_baseline",
            fontsize=8,
            color=style.paper().muted,
        )
    axes.set_ylim(len(parts) - 0.45, -0.75)
    axes.set_yticks([])
    axes.grid(False, axis="y")
    axes.grid(True, axis="x")
    axes.set_xlim(min(0.0, *(p["interval"][0] for p in parts)), 1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    axes.axvline(0, color=style.paper().muted, lw=0.8)


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    figure, ((left, right),) = style.canvas(
        data,
        columns=2,
        width=8.2,
        height=4.3,
        left=0.35,
        right=0.45,
        gap=0.45,
        head=0.4,
    )
    _bars(left, data["left"], [style.BLUE, style.VERMILION, style.GREEN, style.PURPLE])
    _bars(right, data["right"], [style.PURPLE, style.BLUE, style.ORANGE])
    return figure
