"""Draw the compute-optimal size, data and tokens per parameter against compute."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from scaling.figures import style, units
from scaling.figures.labels import beside
from scaling.figures.source import Source

NAME = "optimum"
PUBLISHED = (
    {"who": "Kaplan 2020", "N": 0.73, "D": 0.27, "source": "arXiv 2001.08361, eq. 6.1"},
    {"who": "Hoffmann 2022", "N": 0.50, "D": 0.50, "source": "arXiv 2203.15556, table 2"},
)
"""Published exponents of N* and D* in C."""
BEYOND = 10.0
"""Factor of compute by which the dashed line extends beyond the data."""
REACH = 10.0
"""Factor beyond the minima at which an interval's end leaves the axis and becomes an arrowhead."""
RULE = 20.0
"""Tokens per parameter of the rule of thumb (arXiv 2203.15556), a thin reference line."""


def data(source: Source) -> dict[str, Any]:
    """Return the figure's content as plain JSON; `missing` holds the reason where it cannot be drawn."""
    base = {"figure": NAME, "schema": 1}
    if source.fit is None or source.unfitted:
        return {**base, "missing": source.unfitted}
    second = source.fit.get("approaches", {}).get("2") or {}
    minima = [b for b in second.get("budgets") or [] if b.get("N_opt") and b.get("opens_upwards")]
    if len(minima) < 2 or not (second.get("a") or {}).get("value"):
        return {
            **base,
            "missing": f"{source.name} has {len(minima)} budget{'' if len(minima) == 1 else 's'} with a "
            "minimum and the fit of N*(C) needs 2; add budgets or sizes and run `scaling fit "
            f"{source.name}` again.",
        }
    inside = [b for b in minima if b.get("inside")]
    used = inside if len(inside) >= 2 else minima
    a, b = second["a"], second.get("b") or {}
    C = [b_["C"] for b_ in used]
    growth_n = f"N* grows as {units.power('C', a['value'])} {units.interval(a.get('interval'))}".strip()
    growth_d = (
        f", D* as {units.power('C', b['value'])} {units.interval(b.get('interval'))}".rstrip()
        if b.get("value")
        else ""
    )
    spans = units.spoken_range(min(C), max(C), units.flops)
    level = (
        f"{units.percent(a['level'])} intervals, {a.get('method', '')}".rstrip(", ")
        if a.get("level")
        else "no interval"
    )
    left_out = len(minima) - len(used)
    return {
        **base,
        "title": growth_n + growth_d,
        "subtitle": "Best size N* and data D* at each budget, from parabolas of loss against log N. Solid: "
        "range of the data; dashed: extrapolation; thin: published exponents"
        + ("; open markers: minimum outside the sampled sizes, left out of the fit" if left_out else ""),
        "alt": f"Best parameters and best tokens against compute on log axes over {spans}. "
        f"{growth_n}{growth_d}.",
        "footer": source.footer(
            n=int(sum(x.get("n") or 0 for x in used)),
            window=f"{len(used)} budgets, {spans}",
            interval=level,
            note="band: interval of the exponent, pivoted at the middle of the data",
        ),
        "budgets": [
            {k: x.get(k) for k in ("C", "N_opt", "N_interval", "D_opt", "D_interval", "inside")}
            for x in minima
        ],
        "panels": [
            {
                "symbol": "N",
                "axis": "best size N* (parameters)",
                "exponent": a,
                "coefficient": second.get("N_coefficient"),
            },
            {
                "symbol": "D",
                "axis": "best data D* (tokens)",
                "exponent": b,
                "coefficient": second.get("D_coefficient"),
            },
            _ratio(second),
        ],
        "published": [dict(p) for p in PUBLISHED],
        "rule": RULE,
    }


def _ratio(second: dict[str, Any]) -> dict[str, Any]:
    """Return the panel of tokens per parameter, with exponent b − a.

    N D is fixed at a budget, so an error in a is an opposite error in b: each end of the interval combines
    opposite ends of the intervals of a and b.
    """
    a, b = second["a"], second.get("b") or {}
    panel: dict[str, Any] = {"symbol": "D/N", "axis": "tokens per parameter D*/N*", "exponent": {}}
    if b.get("value") is None:
        return panel
    exponent: dict[str, Any] = {"value": b["value"] - a["value"]}
    one, other = a.get("interval"), b.get("interval")
    if one and other and None not in [*one, *other]:
        exponent["interval"] = [other[0] - one[1], other[1] - one[0]]
    top, bottom = second.get("D_coefficient"), second.get("N_coefficient")
    return {**panel, "exponent": exponent, "coefficient": top / bottom if top and bottom else None}


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    figure, (row,) = style.canvas(
        data,
        columns=len(data["panels"]),
        right=1.02,
        gap=1.5,
        width=9.6 if len(data["panels"]) > 2 else 7.2,
        height=4.3,
        head=0.34,
    )
    colours = (style.tone(style.BLUE), style.tone(style.VERMILION), style.tone(style.GREEN))
    for axes, panel, colour in zip(row, data["panels"], colours, strict=False):
        _panel(axes, panel, data, colour)
    return figure


def _best(budget: dict[str, Any], symbol: str) -> float | None:
    """Return N*, D* or D*/N* of a budget."""
    N, D = budget.get("N_opt"), budget.get("D_opt")
    if symbol == "D/N":
        return D / N if N and D else None
    return N if symbol == "N" else D


def _interval(budget: dict[str, Any], symbol: str) -> list[float] | None:
    """Return the interval of a minimum.

    N D is fixed at a budget, so the interval of D* is proportional to 1/N* and that of D*/N* to 1/N*².
    """
    N, D, span = budget.get("N_opt"), budget.get("D_opt"), budget.get("N_interval")
    own = budget.get(f"{symbol}_interval")
    if own and all(v and math.isfinite(v) for v in own):
        return list(own)
    if not span or not N or not D or not all(v and math.isfinite(v) for v in span):
        return None
    return [D * N / (v * v if symbol == "D/N" else v) for v in reversed(span)]


def _panel(axes: Any, panel: dict[str, Any], data: dict[str, Any], colour: str) -> None:
    symbol = panel["symbol"]
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_title(panel["axis"], color=style.paper().muted, pad=8)
    points = [b for b in data["budgets"] if _best(b, symbol)]
    inside = [b for b in points if b["inside"]]
    inside = inside if len(inside) >= 2 else points
    C = np.array([b["C"] for b in inside])
    best = np.array([_best(b, symbol) for b in inside], dtype=float)
    value, bounds = panel["exponent"].get("value"), panel["exponent"].get("interval")
    middle, beyond = float(np.exp(np.log(C).mean())), np.geomspace(C.max(), C.max() * BEYOND, 20)
    data_range, everywhere = np.geomspace(C.min(), C.max(), 20), np.geomspace(C.min(), C.max() * BEYOND, 40)
    height = (
        panel["coefficient"] * middle**value
        if panel.get("coefficient") and value is not None
        else float(np.exp(np.log(best).mean()))
    )
    labels = []
    for name, line in _references(panel, data, everywhere / middle, height):
        axes.plot(everywhere, line, color=style.paper().muted, lw=0.8, alpha=0.8, zorder=1)
        labels.append((everywhere[-1], float(line[-1]), name, style.paper().muted))
    edges = None
    if value is not None:
        if bounds and all(v is not None and math.isfinite(v) for v in bounds):
            edges = np.array([height * (everywhere / middle) ** s for s in bounds])
            axes.fill_between(
                everywhere, edges.min(0), edges.max(0), color=colour, alpha=0.16, lw=0, zorder=1.5
            )
        axes.plot(data_range, height * (data_range / middle) ** value, color=colour, lw=2, zorder=3)
        axes.plot(beyond, height * (beyond / middle) ** value, color=colour, lw=1.6, ls="--", zorder=3)
        last = float(height * (everywhere[-1] / middle) ** value)
        labels.append((everywhere[-1], last, f"ours {value:.2f}".replace("-", "−"), colour))
    # A minimum left out of the fit may lie decades away, so it never moves the axis.
    spans = [v for b in inside for v in _interval(b, symbol) or []]
    kept = [v for v in spans if best.min() / REACH <= v <= best.max() * REACH]
    heights = [*best, *(y for _, y, _, _ in labels), *kept]
    bottom, top = min(heights) / 1.6, max(heights) * 1.6
    low, high = min([*C, *(b["C"] for b in points)]) / 1.5, everywhere[-1]
    axes.set_xlim(low, high)
    axes.set_ylim(bottom, top)
    for b in points:
        _mark(axes, b, symbol, colour, (bottom, top))
    units.say_axis(axes.xaxis, units.flops, 3)
    units.say_axis(axes.yaxis, units.digits if symbol == "D/N" else units.count, 6)
    axes.set_xlabel("training compute C")
    beside(axes, labels)


def _references(
    panel: dict[str, Any], data: dict[str, Any], ratio: np.ndarray, height: float
) -> list[tuple[str, np.ndarray]]:
    """Return thin reference lines: published exponents through our centre, or 20 tokens per parameter."""
    if panel["symbol"] == "D/N":
        return [(f"rule of {data['rule']:g}", np.full_like(ratio, data["rule"]))]
    return [
        (f"{paper['who'].split()[0]} {paper[panel['symbol']]:.2f}", height * ratio ** paper[panel["symbol"]])
        for paper in data["published"]
    ]


def _mark(axes: Any, budget: dict[str, Any], symbol: str, colour: str, window: tuple[float, float]) -> None:
    """Draw a minimum with its interval inside the axes; an arrowhead marks an end beyond them."""
    bottom, top = window
    best, span = _best(budget, symbol), _interval(budget, symbol)
    assert best is not None
    face = colour if budget["inside"] else style.paper().background
    low, high = span or (best, best)
    if low < top and high > bottom:
        axes.plot([budget["C"]] * 2, [max(low, bottom), min(high, top)], color=colour, lw=1.3, zorder=4)
    for end, beyond, marker in ((bottom, min(low, best) < bottom, "v"), (top, max(high, best) > top, "^")):
        if beyond:
            axes.plot(budget["C"], end, marker, ms=4.5, color=colour, mfc=face, clip_on=False, zorder=4)
    if bottom <= best <= top:
        axes.plot(budget["C"], best, "D", ms=6, color=colour, mfc=face, mew=1.2, zorder=5)
