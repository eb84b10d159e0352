"""Draw F9, loss against the calendar: a law projected along the compute trend.

Bands, the floor E and the year in which training has used all public text (the data wall) are marked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from scaling.figures import labels, style
from scaling.figures.trends import kit

NAME = "calendar"


def data(fit: Path | None = None, until: float = 2035.0) -> dict[str, Any]:
    """Return the figure's content as plain JSON.

    fit: a `fit.json` of your own; without it a published law.
    """
    from scaling.trends.answers.coming import projection

    p = projection(fit=fit, until=until)
    year, loss = np.array(p["year"]), np.array(p["loss"])
    now = p["data_until"]
    at = float(np.interp(now, year, loss))
    gap = (loss[-1] - p["floor_nats"]) / (at - p["floor_nats"])
    return {
        "figure": NAME,
        "schema": 1,
        "title": f"If compute stays on trend, the reducible loss falls by {1 - gap:.0%} by {until:.0f} "
        "(central estimate)",
        "subtitle": "Compute-optimal loss of a law at the compute of frontier models, nats per token; "
        "reducible: above the floor E; dashed: extrapolation",
        "alt": f"Loss falls from {loss[0]:.2f} to {loss[-1]:.2f} by {until:.0f}, towards a floor of "
        f"{p['floor_nats']:.2f}.",
        "footer": kit.footer(
            n=p["trend"].split("; ", 1)[-1].rstrip(")") or "n",
            window=f"law {p['law']}",
            interval=f"{p['level']:.0%} bands; public text {p['data_wall']['tokens'] / 1e12:.0f} T tokens "
            "(arXiv:2211.04325)",
            source="facts/models.csv and the law",
            command="scaling trends project --figures DIR",
        ),
        "projection": {
            k: p[k]
            for k in (
                "year",
                "loss",
                "loss_with_data_wall",
                "bands",
                "floor_nats",
                "data_until",
                "data_wall",
                "level",
            )
        },
    }


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    p = data["projection"]
    figure, ((axes,),) = style.canvas(data, width=7.8, height=5.0, left=0.7, right=1.75)
    year, loss, walled = (np.array(p[k]) for k in ("year", "loss", "loss_with_data_wall"))
    ink, muted = style.paper().ink, style.paper().muted
    known = year <= p["data_until"]
    both, trend = p["bands"]["both"], p["bands"]["trend"]
    blue, orange = style.tone(style.BLUE), style.tone(style.VERMILION)
    axes.fill_between(year, both["low"], both["high"], color=blue, alpha=0.13, lw=0, zorder=1)
    ends = [(float(year[-1]), float(both["high"][-1]), "law and trend", blue)]
    if "law" in p["bands"]:
        law = p["bands"]["law"]
        axes.plot(year, law["low"], color=blue, lw=0.9, ls=(0, (1, 1.6)), zorder=2)
        axes.plot(year, law["high"], color=blue, lw=0.9, ls=(0, (1, 1.6)), zorder=2)
        ends.append((float(year[-1]), float(law["low"][-1]), "law only (dotted)", blue))
    axes.fill_between(year, trend["low"], trend["high"], color=orange, alpha=0.45, lw=0, zorder=2)
    axes.plot(year[known], loss[known], color=ink, lw=2, zorder=5)
    axes.plot(year[~known], loss[~known], color=ink, lw=1.5, ls=kit.DASHED, zorder=5)
    wall = p["data_wall"]["year"]
    if wall is not None:
        beyond = year >= wall
        axes.plot(
            year[beyond], walled[beyond], color=style.tone(style.PURPLE), lw=1.5, ls=kit.DASHED, zorder=4
        )
        ends.append((float(year[-1]), float(walled[-1]), "if text is seen once", style.tone(style.PURPLE)))
    ends.append((float(year[-1]), float(loss[-1]), "central; band: trend only", ink))
    axes.axhline(p["floor_nats"], color=muted, lw=1, zorder=1)
    axes.annotate(
        f"floor E = {p['floor_nats']:.2f}",
        (year[0], p["floor_nats"]),
        xytext=(4, -4),
        textcoords="offset points",
        va="top",
        fontsize=8,
        color=muted,
    )
    kit.years(axes, float(year[0]), float(year[-1]))
    low = min(*both["low"], p["floor_nats"])
    axes.set_ylim(low - 0.06 * (loss[0] - low), loss[0] + 0.02 * (loss[0] - low))
    for key, style_ in (("year_if_stock_low", ":"), ("year", "-"), ("year_if_stock_high", ":")):
        if p["data_wall"].get(key) is not None:
            axes.axvline(
                p["data_wall"][key], color=style.tone(style.PURPLE), lw=0.9, ls=style_, ymax=0.72, zorder=1
            )
    if wall is not None:
        axes.annotate(
            "one pass over the public text\n(dotted: 90 % interval)",
            (wall, 0.74),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="bottom",
            fontsize=8,
            color=style.tone(style.PURPLE),
        )
    axes.axvline(p["data_until"], color=style.paper().faint, lw=1, zorder=0)
    axes.annotate(
        "end of data",
        (p["data_until"], 0.985),
        xycoords=("data", "axes fraction"),
        xytext=(-4, 0),
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=8,
        color=muted,
    )
    axes.set_ylabel("loss (nats per token)")
    labels.beside(axes, ends, size=8)
    return figure
