"""Draw a forest plot of the exponent of N*: ours by every approach, and published ones."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from matplotlib.figure import Figure

from scaling.figures import labels, style, units
from scaling.figures.compare.published import PUBLISHED
from scaling.figures.source import Source

NAME = "exponents"
_OURS = (
    ("1", "envelope of the loss curves"),
    ("2", "IsoFLOP minima"),
    ("corrected", "IsoFLOP minima, bias corrected"),
    ("3", "fitted surface"),
)


def ours(fit: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every approach of a fit with a finite exponent a, as rows of the forest plot."""
    approaches = fit.get("approaches") or {}
    rows = []
    for key, label in _OURS:
        approach = (approaches.get("2") or {}).get("corrected") if key == "corrected" else approaches.get(key)
        if key == "3" and not (isinstance(approach, dict) and approach.get("a")):
            approach = fit.get("derived")
        a = (approach or {}).get("a") if isinstance(approach, dict) else None
        if isinstance(a, dict) and math.isfinite(a.get("value") or math.nan):
            rows.append(
                {
                    "label": label,
                    "a": a["value"],
                    "interval": a.get("interval"),
                    "level": a.get("level"),
                    "method": a.get("method"),
                }
            )
    return rows


def data(source: Source) -> dict[str, Any]:
    """Return the figure's content as plain JSON; `missing` holds the reason where it cannot be drawn."""
    base = {"figure": NAME, "schema": 1}
    if source.fit is None or source.unfitted:
        return {**base, "missing": source.unfitted}
    rows = ours(source.fit)
    if not rows:
        return {
            **base,
            "missing": f"the fit of {source.name} has no exponent of N* in C; fit a law over N and D, "
            "such as chinchilla.",
        }
    low, high = min(r["a"] for r in rows), max(r["a"] for r in rows)
    estimates = f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"
    done = source.fitted
    least, most = min(p.a for p in PUBLISHED), max(p.a for p in PUBLISHED)
    levels = sorted({r["level"] for r in rows if r["interval"] and r["level"]})
    methods = sorted({str(r["method"]) for r in rows if r["interval"]})
    return {
        **base,
        "title": f"Estimates of the exponent of N*: {estimates} here, {least:.2f} to {most:.2f} published",
        "subtitle": "The best size N* grows as C to the power a; bars: intervals, where stated",
        "alt": "Exponents of N* in C: "
        + "; ".join(f"{r['label']} {r['a']:.2f} {units.interval(r['interval'])}" for r in rows)
        + "; published: "
        + "; ".join(f"{p.who} {p.a:.2f}" for p in PUBLISHED)
        + ".",
        "footer": source.footer(
            n=int(source.fit.get("n") or len(done)),
            window=f"window {units.spoken_range(done['flops'].min(), done['flops'].max(), units.flops)}",
            interval=f"ours: {', '.join(map(units.percent, levels))} intervals ({'; '.join(methods)})"
            if levels
            else "no interval",
            note="published: " + "; ".join(dict.fromkeys(p.source.split(",")[0] for p in PUBLISHED)),
        ),
        "ours": rows,
        "published": [asdict(p) for p in PUBLISHED],
    }


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    mine, theirs = data["ours"], data["published"]
    tall = 1.9 + 0.27 * (len(mine) + len(theirs) + 1)
    figure, ((axes,),) = style.canvas(data, height=tall + 0.3, left=2.5, right=1.35)
    axes.grid(True, axis="x")
    axes.grid(False, axis="y")
    axes.spines["left"].set_visible(False)
    rows = [(m["label"], m, style.tone(style.BLUE), "D") for m in mine]
    rows += [(p["who"], p, style.paper().muted, "o") for p in theirs]
    places = [i + (0.8 if i >= len(mine) else 0) for i in range(len(rows))]
    ends = [v for _, r, _, _ in rows for v in [r["a"], *(r["interval"] or [])] if v is not None]
    low, high = max(min(ends), -0.2), min(max(ends), 1.3)
    axes.set_xlim(low - 0.05 * (high - low) - 0.01, high + 0.05 * (high - low) + 0.01)
    axes.set_ylim(max(places) + 0.6, -0.6)
    for y, (label, row, colour, marker) in zip(places, rows, strict=True):
        span = row["interval"]
        if span and None not in span:
            axes.plot(span, [y, y], color=colour, lw=1.6, solid_capstyle="butt", zorder=2)
            if span[1] - span[0] < 0.012:
                axes.plot(span, [y, y], ls="", marker="|", ms=6, color=colour)
        axes.plot(row["a"], y, marker, ms=6.5 if marker == "D" else 5, color=colour, zorder=3)
        ink = style.paper().ink if marker == "D" else style.paper().muted
        labels.margin(axes, y, label, dx=-10, color=ink)
        text = f"{row['a']:.2f} {units.interval(span)}".strip()
        labels.margin(axes, y, text, dx=10, color=ink)
    axes.axhline((places[len(mine) - 1] + places[len(mine)]) / 2, color=style.paper().faint, lw=0.8)
    axes.set_yticks([])
    axes.set_xlabel("a, the exponent of N* in C")
    return figure
