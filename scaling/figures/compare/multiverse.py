"""Draw the multiverse analysis: the exponent under every combination of defensible choices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from scaling.figures import labels, style
from scaling.figures.source import Source

NAME = "multiverse"
CHOICES = ("approach", "estimator", "curve", "runs", "N", "C")
"""Choices in which the analyses differ, in the order of the strip."""


def data(source: Source) -> dict[str, Any]:
    """Return the figure's content as plain JSON; `missing` holds the reason where it cannot be drawn."""
    base = {"figure": NAME, "schema": 1}
    if source.fit is None or source.unfitted:
        return {**base, "missing": source.unfitted}
    found = (source.fit.get("validation") or {}).get("multiverse") or {}
    asked = str(found.get("headline") or "a")
    rows = [r for r in found.get("rows") or [] if math.isfinite(r.get(asked) or math.nan)]
    if len(rows) < 3:
        return {
            **base,
            "missing": f"the fit of {source.name} holds {len(rows)} analyses and a multiverse analysis "
            f"needs 3; run `scaling fit {source.name}` again.",
        }
    rows = sorted(rows, key=lambda r: r[asked])
    values = [r[asked] for r in rows]
    options = []
    for choice in CHOICES:
        taken = list(dict.fromkeys(str(r[choice]) for r in rows if r.get(choice) is not None))
        if len(taken) > 1:
            options += [{"choice": choice, "option": o} for o in taken]
    lines = [
        {
            "value": r[asked],
            "options": [i for i, o in enumerate(options) if str(r.get(o["choice"])) == o["option"]],
        }
        for r in rows
    ]
    return {
        **base,
        "title": f"{len(rows)} analyses of the same runs: {asked} from {min(values):.2f} to "
        f"{max(values):.2f}, median {np.median(values):.2f}",
        "subtitle": "Multiverse analysis: the estimate under every combination of defensible choices; each "
        "column is one analysis, dots below mark its choices",
        "alt": f"The exponent {asked} under {len(rows)} analyses, from {min(values):.3f} to "
        f"{max(values):.3f}, median {np.median(values):.3f}.",
        "footer": source.footer(
            n=int(source.fit.get("n") or 0),
            window=f"window: {len(rows)} analyses",
            interval="no interval: the spread is over choices, not over noise",
        ),
        "asked": asked,
        "analyses": lines,
        "options": options,
    }


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    options, analyses = data["options"], data["analyses"]
    strip = 0.17 * len(options) + 0.1
    figure, ((top,), (below,)) = style.canvas(
        data,
        rows=(1.9, strip),
        height=3.4 + strip,
        left=2.75,
        right=0.3,
        row_gap=0.12,
    )
    values = [a["value"] for a in analyses]
    middle, x = float(np.median(values)), range(len(values))
    colour = style.tone(style.BLUE)
    top.axhline(middle, color=style.paper().muted, lw=0.8)
    top.plot(x, values, "o", ms=4, color=colour)
    top.set_ylabel(f"{data['asked']}, exponent of N*" if data["asked"] == "a" else data["asked"])
    low, high = min(values), max(values)
    top.set_ylim(low - 0.15 * (high - low) - 1e-3, high + 0.15 * (high - low) + 1e-3)
    top.annotate(
        "median",
        (0, middle),
        xytext=(0, 3),
        textcoords="offset points",
        fontsize=8,
        color=style.paper().muted,
    )
    below.grid(False)
    below.spines["left"].set_visible(False)
    below.spines["bottom"].set_visible(False)
    kinds = list(dict.fromkeys(o["choice"] for o in options))
    for y, option in enumerate(options):
        if kinds.index(option["choice"]) % 2 == 0:
            below.axhspan(y - 0.5, y + 0.5, color=style.paper().faint, alpha=0.45, lw=0)
        here = [i for i, a in enumerate(analyses) if y in a["options"]]
        below.plot(here, [y] * len(here), "o", ms=2.8, color=colour)
        words = f"{option['choice']}: {option['option']}"
        labels.margin(below, y, words, dx=-8, size=8, color=style.paper().ink)
    below.set_ylim(len(options) - 0.5, -0.5)
    for axes in (top, below):
        axes.set_xlim(-1, len(values))
        axes.set_xticks([])
    below.set_yticks([])
    below.set_xlabel("analyses, sorted")
    return figure
