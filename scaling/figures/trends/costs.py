"""Draw F10, the cost of one fixed loss in dollars and electricity, year by year."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scaling.figures import labels, style, units
from scaling.figures.trends import kit

NAME = "costs"


def data(loss: float = 2.2) -> dict[str, Any]:
    """Return the figure's content as plain JSON."""
    from scaling.trends.answers.machines import costs

    c = costs(loss=loss)
    per_dollar, per_kwh = c["flop_per_dollar"], c["flop_per_kwh"]
    still, moving = c["hardware_only"], c["with_algorithms"]
    return {
        "figure": NAME,
        "schema": 1,
        "title": f"The price of a loss of {loss:g} halves every {kit.span(per_dollar['doubling_years'])} by "
        "hardware alone, and faster with better algorithms",
        "subtitle": f"Price and electricity of the {still['flops']:.1e} FLOP that the loss takes by the "
        f"law of {c['law'].split(' ')[0]}, on FP32 hardware; dashed: extrapolation",
        "alt": f"The price of a loss of {loss:g} by year.",
        "footer": kit.footer(
            n=f"n = {per_dollar['n']} priced chips, {per_kwh['n']} with power",
            window=f"{kit.window_words(per_dollar['window'])}",
            interval=f"{still['level']:.0%} (hardware, law, algorithms); algorithms: doubling in 8 months "
            "[5, 14], relative to the law's methods of 2022",
            source="facts/accelerators.csv; 40 % of peak FLOP/s (MFU), lifetime 4 years; arXiv:2403.05812",
            command="scaling trends costs --figures DIR",
        ),
        "year": still["year"],
        "data_until": c["data_until"],
        "panels": [
            {"name": "dollars", "hardware": still["dollars"], "algorithms": moving["dollars"]},
            {"name": "kWh", "hardware": still["kwh"], "algorithms": moving["kwh"]},
        ],
    }


def _panel(axes: Axes, panel: dict[str, Any], year: np.ndarray, until: float) -> None:
    say = units.money if panel["name"] == "dollars" else (lambda v: f"{units.count(v)}{units.SPACE}kWh")
    everything = [v for k in ("hardware", "algorithms") for v in panel[k]["value"]]
    kit.powers(
        axes, np.floor(np.log10(min(everything))) - 0.6, np.ceil(np.log10(max(everything))) + 0.3, say, most=7
    )
    axes.tick_params(axis="y", labelsize=8)
    kit.years(axes, year[0], year[-1], 5)
    ends = []
    for key, colour, words in (
        ("hardware", style.VERMILION, "hardware\nalone"),
        ("algorithms", style.PURPLE, "with\nalgorithms"),
    ):
        tone = style.tone(colour)
        value = np.array(panel[key]["value"])
        axes.fill_between(year, panel[key]["low"], panel[key]["high"], color=tone, alpha=0.15, lw=0)
        known = year <= until
        axes.plot(year[known], value[known], color=tone, lw=2, zorder=4)
        later = year >= year[known][-1]
        axes.plot(year[later], value[later], color=tone, lw=1.5, ls=kit.DASHED, zorder=4)
        ends.append((float(year[-1]), float(value[-1]), words, tone))
    axes.set_title(
        "dollars" if panel["name"] == "dollars" else "electricity at the wall",
        fontsize=9,
        fontweight=600,
        pad=8,
    )
    labels.beside(axes, ends, size=8, gap=2.6)


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    figure, (row,) = style.canvas(
        data,
        columns=2,
        width=8.6,
        height=4.8,
        left=1.1,
        right=0.95,
        gap=1.95,
        head=0.36,
    )
    for axes, panel in zip(row, data["panels"], strict=True):
        _panel(axes, panel, np.array(data["year"]), data["data_until"])
    return figure
