"""Draw families side by side: the exponent of each, and its compute-equivalent gain."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from scaling.figures import labels, style, units
from scaling.figures.labels import beside
from scaling.figures.source import Source

NAME = "families"


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def data(source: Source) -> dict[str, Any]:
    """Return the figure's content as plain JSON; `missing` holds the reason where it cannot be drawn."""
    base = {"figure": NAME, "schema": 1}
    comparison = source.comparison
    if comparison is None:
        several = "family" in source.runs and source.runs["family"].nunique() > 1
        return {
            **base,
            "needless": not several,
            "missing": f"{source.name} has no comparison; make one with `scaling compare {source.name} "
            "--by family`."
            if several
            else f"{source.name} has one family, so there is nothing to compare.",
        }
    labels = [str(label) for label in comparison.get("labels") or []]
    row = next((r for r in comparison.get("exponents") or [] if r.get("name") == "a"), None)
    gains = [g for g in comparison.get("gains") or [] if _finite((g.get("headline") or {}).get("value"))]
    if row is None or not gains:
        return {
            **base,
            "missing": f"the comparison of {source.name} has no exponent a or no gain; compare again with "
            "a law over N and D.",
        }
    best = max(gains, key=lambda g: g["headline"]["value"])
    head = best["headline"]
    spans = units.spoken_range(best["range"][0], best["range"][1], units.flops)
    runs = sum(int(i.get("rows_used") or 0) for i in (comparison.get("inputs") or {}).values())
    gain = f"{units.digits(head['value'], 3)} {units.interval(head.get('interval'))}".strip()
    span = head.get("interval") or []
    tied = len(span) == 2 and (span[0] or 0.0) <= 1 <= (span[1] or math.inf)
    return {
        **base,
        "title": f"{best['of']} and {best['over']} are not told apart in compute: gain {gain}"
        if tied
        else f"{best['of']} is worth {gain} times the compute of {best['over']}",
        "subtitle": "Left: exponent of the best size N*. Right: compute-equivalent gain, the factor of its "
        "own compute that the baseline needs for the same loss; dashed: beyond the runs",
        "alt": f"Exponents of N* for {', '.join(labels)} and the compute-equivalent gain over "
        f"{best['over']} against compute. "
        + " ".join(
            f"{g['of']}: {units.digits(g['headline']['value'], 3)} "
            f"{units.interval(g['headline'].get('interval'))}."
            for g in gains
        ),
        "footer": source.footer(
            n=runs,
            window=f"window {spans}",
            interval=f"{units.percent(head.get('level') or 0.95)} intervals ({head.get('method')})",
            note=f"runs paired by {comparison['pairs']}" if comparison.get("pairs") else "runs not paired",
        ),
        "labels": labels,
        "exponents": [{"label": k, **v} for k, v in row["estimates"].items()],
        "gains": [{"of": g["of"], "over": g["over"], "headline": g["headline"], **g["curve"]} for g in gains],
    }


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    names = data["labels"]
    longest = max(map(len, names))
    figure, ((left, right),) = style.canvas(
        data,
        columns=2,
        left=0.5 + 0.075 * longest,
        right=0.35 + 0.075 * longest,
        gap=0.85,
        height=3.6 + 0.14 * len(names),
        width=8.2,
        head=0.5,
    )
    colours = {name: style.tone(style.CYCLE[i % len(style.CYCLE)]) for i, name in enumerate(names)}
    shapes = dict(zip(names, style.MARKERS * 3, strict=False))
    left.set_title("exponent of N* in C", color=style.paper().muted, pad=8)
    left.grid(True, axis="x")
    left.grid(False, axis="y")
    left.spines["left"].set_visible(False)
    for y, row in enumerate(data["exponents"]):
        name, span = row["label"], row.get("interval")
        if span and None not in span:
            left.plot(span, [y, y], color=colours[name], lw=1.6, solid_capstyle="butt")
        left.plot(row["value"], y, shapes[name], ms=6, color=colours[name])
        labels.margin(left, y, name, dx=-8, color=colours[name])
    left.set_ylim(len(names) - 0.4, -0.6)
    left.set_yticks([])
    left.locator_params(axis="x", nbins=5)
    _gains(right, data, colours)
    return figure


def _gains(axes: Any, data: dict[str, Any], colours: dict[str, str]) -> None:
    axes.set_title(
        f"compute of {data['gains'][0]['over']} for the same loss", color=style.paper().muted, pad=8
    )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.axhline(1, color=colours[data["gains"][0]["over"]], lw=1.2)
    tags = [(0.0, 1.0, data["gains"][0]["over"], colours[data["gains"][0]["over"]])]
    tops = [1.0]
    for g in data["gains"]:
        keep = [i for i, v in enumerate(g["gain"]) if _finite(v)]
        C, gain = (np.array([g[k][i] for i in keep]) for k in ("C", "gain"))
        inside = np.array([bool(g["inside"][i]) for i in keep])
        low, high = (
            np.array([g[k][i] if _finite(g[k][i]) else np.nan for i in keep]) for k in ("lower", "upper")
        )
        colour = colours[g["of"]]
        axes.fill_between(C, low, high, color=colour, alpha=0.15, lw=0)
        axes.plot(np.where(inside, C, np.nan), gain, color=colour, lw=2)
        axes.plot(C, gain, color=colour, lw=1.4, ls="--")
        tags.append((float(C[-1]), float(gain[-1]), g["of"], colour))
        tops += [v for v in gain if v > 0]
    end = max(t[0] for t in tags)
    axes.set_xlim(min(g["C"][0] for g in data["gains"]), end)
    axes.set_ylim(min(tops) / 1.6, max(tops) * 1.6)
    units.say_axis(axes.xaxis, units.flops, 4)
    axes.set_xlabel("training compute C")
    units.say_axis(axes.yaxis, lambda v: f"× {units.digits(v, 3)}")
    beside(axes, [(end, y, text, colour) for _, y, text, colour in tags])
