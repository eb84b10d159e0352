"""Draw F11, peak speed of chips with one panel per number format.

A column that mixes formats shows a growth that no format has.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from scaling.figures import style, units
from scaling.figures.trends import kit

NAME = "hardware"
FORMATS = {
    "fp64": "FP64",
    "fp32": "FP32",
    "tf32_tensor": "TF32 tensor",
    "fp16_tensor": "FP16 tensor",
    "bf16_tensor": "BF16 tensor",
    "fp8_tensor": "FP8 tensor",
    "int8_tensor": "INT8 tensor",
}
SEGMENTS = {
    "data centre": (style.BLUE, "o", ("datacentre", "accelerator", "tpu")),
    "consumer, workstation": (style.VERMILION, "s", ("consumer", "workstation", "cpu")),
}


def data() -> dict[str, Any]:
    """Return the figure's content as plain JSON."""
    from scaling.trends import facts, shipped
    from scaling.trends.answers.machines import pooled
    from scaling.trends.growth.rate import rate

    segment = dict(zip(*(facts.load("accelerators")[c] for c in ("name", "segment")), strict=True))
    panels: list[dict[str, Any]] = []
    for name, words in FORMATS.items():
        s = shipped.chip_peak(name)
        r = rate(s)
        panels.append(
            {
                "format": words,
                "n": r.n,
                "window": list(r.window),
                "trend": r.trending,
                "doubling_years": r.doubling_years if r.trending else None,
                "interval_years": list(r.doubling_interval) if r.trending else None,
                "slope": r.slope,
                "at": r.at,
                "height": r.height,
                "level": r.level,
                "points": [
                    {"year": t, "value": v, "segment": segment.get(n, "")}
                    for t, v, n in zip(s.year, s.value, s.names, strict=True)
                ],
            }
        )
    wrong = pooled()
    solid = [p["doubling_years"] for p in panels if p["trend"] and p["window"][1] - p["window"][0] > 7]
    return {
        "figure": NAME,
        "schema": 1,
        "title": "Within one number format the speed of a chip doubles in "
        f"{kit.span(min(solid)).split()[0]} to {kit.span(max(solid))}; "
        f"mixed formats appear to double in {kit.span(wrong.doubling_years)}",
        "subtitle": "Dense peak FLOP/s (or OP/s) of accelerators by year of release, one panel per number "
        "format",
        "alt": "Peak speed of chips by number format: "
        + "; ".join(
            f"{p['format']} doubles in {kit.span(p['doubling_years'])}" for p in panels if p["trend"]
        ),
        "footer": kit.footer(
            n=f"n = {min(p['n'] for p in panels)} to {max(p['n'] for p in panels)} chips per panel",
            window="window: the solid line of each panel",
            interval=f"{panels[0]['level']:.0%} OLS t intervals; the title covers formats with more than 7 "
            "years of data",
            source="facts/accelerators.csv (data sheets in SOURCES.md)",
            command="scaling trends hardware --figures DIR",
        ),
        "panels": panels,
        "mixed": {
            "doubling_years": wrong.doubling_years,
            "n": wrong.n,
            "interval_years": list(wrong.doubling_interval),
        },
    }


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    figure, grid = style.canvas(
        data,
        columns=4,
        rows=(1, 1),
        width=8.6,
        height=6.0,
        left=0.95,
        right=0.25,
        gap=0.14,
        row_gap=0.62,
        head=0.3,
    )
    cells = [axes for row in grid for axes in row]
    points = [p for panel in data["panels"] for p in panel["points"]]
    low = np.floor(np.log10(min(p["value"] for p in points)))
    high = np.ceil(np.log10(max(p["value"] for p in points)))
    for i, axes in enumerate(cells):
        if i >= len(data["panels"]):
            axes.set_axis_off()
            continue
        panel = data["panels"][i]
        kit.powers(axes, low, high + 0.2, lambda v: units.flops(v).replace("FLOP", ""), most=5)
        kit.years(axes, 2005, 2027, 10)
        if i % 4:
            axes.tick_params(labelleft=False)
        for colour, marker, kinds in SEGMENTS.values():
            mine = [p for p in panel["points"] if p["segment"] in kinds]
            axes.plot(
                [p["year"] for p in mine],
                [p["value"] for p in mine],
                ls="",
                marker=marker,
                ms=3.6,
                color=style.tone(colour),
                mec=style.paper().background,
                mew=0.3,
                alpha=0.9,
            )
        ink = style.paper().ink
        if panel["trend"]:
            kit.line(
                axes,
                partial(kit.exponential, slope=panel["slope"], at=panel["at"], height=panel["height"]),
                panel["window"],
                2027,
                ink,
                width=1.4,
            )
        axes.set_title(panel["format"], fontsize=9, fontweight=600, pad=17)
        words = "no trend"
        if panel["trend"]:
            a, b = panel["interval_years"]
            words = f"×2 in {kit.span(panel['doubling_years'])} [{kit.span_short(a)}–{kit.span_short(b)}]"
        axes.text(0, 1.035, words, transform=axes.transAxes, fontsize=7.2, color=style.paper().muted)
    last = cells[len(data["panels"])]
    for i, (name, (colour, marker, _)) in enumerate(SEGMENTS.items()):
        last.plot(
            [0.1], [0.9 - 0.12 * i], marker=marker, ms=5, color=style.tone(colour), transform=last.transAxes
        )
        last.text(
            0.17,
            0.9 - 0.12 * i,
            name,
            transform=last.transAxes,
            va="center_baseline",
            fontsize=8.5,
            color=style.tone(colour),
        )
    m = data["mixed"]
    a, b = m["interval_years"]
    words = (
        f"All formats in one column\nappear to grow ×2 in\n{kit.span(m['doubling_years'])} "
        f"[{kit.span_short(a)}–{kit.span_short(b)}],\nn = {m['n']}: an artefact"
    )
    last.text(
        0.05,
        0.52,
        words,
        transform=last.transAxes,
        va="top",
        fontsize=8.5,
        color=style.paper().muted,
        linespacing=1.45,
    )
    return figure
