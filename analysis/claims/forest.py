"""The picture of a claim that no figure of the catalogue shows: its numbers, a row each, told apart by colour
and shape."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from schema import Number

from scaling.figures import style, units

NAME = "numbers"


def rows_of(numbers: Sequence[Number], pattern: str) -> list[tuple[str, str, Number]]:
    """(what, which series, number) of those whose name has a pattern with the groups `what` and, where there
    are several, `series`."""
    found = [(re.search(pattern, number.name), number) for number in numbers]
    return [(m["what"], m.groupdict().get("series") or "", number) for m, number in found if m]


def picture(
    rows: Sequence[tuple[str, str, Number]],
    *,
    title: str,
    subtitle: str,
    axis: str,
    at: float | None = 0.0,
    log: bool = False,
    sources: Sequence[str],
) -> dict[str, Any]:
    """What the figure shows, as plain JSON.

    rows: (what, which series, number) each; axis: what the numbers are, with their unit; at: where the line
    of no effect stands, if anywhere; sources: the studies behind them.
    """
    level = next((number.level for _, _, number in rows if number.interval), None)
    interval = f"{units.percent(level)} intervals" if level else "no interval"
    ranges = " and ".join(dict.fromkeys(number.range for *_, number in rows))
    read, n = ", ".join(f"{source}/ledger.parquet" for source in sources), sum(n.n for *_, n in rows)
    return {
        "figure": NAME,
        "schema": 1,
        "title": title,
        "subtitle": subtitle,
        "alt": "; ".join(f"{what}, {which}: {units.digits(n.value or 0.0, 3)}" for what, which, n in rows),
        "footer": [
            f"n = {units.things(n, 'value')} · window {ranges} · {interval}",
            f"Source: {read} · redraw: python analysis/claims/all.py",
        ],
        "axis": {"label": axis, "at": at, "log": log},
        "rows": [
            {"what": what, "series": which, "value": n.value, "interval": n.interval}
            for what, which, n in rows
        ],
    }


def draw(data: Mapping[str, Any]) -> Figure:
    """The figure of `data`."""
    whats = list(dict.fromkeys(row["what"] for row in data["rows"]))
    series = list(dict.fromkeys(row["series"] for row in data["rows"]))
    figure, ((axes,),) = style.canvas(
        data,
        height=2.3 + len(whats) * (0.2 + 0.12 * len(series)),
        left=0.4 + 0.072 * max(map(len, whats)),
        right=0.45 + 0.068 * max(map(len, series)),
    )
    axes.grid(True, axis="x")
    axes.grid(False, axis="y")
    axes.spines["left"].set_visible(False)
    if data["axis"]["log"]:
        axes.set_xscale("log")
    if data["axis"]["at"] is not None:
        axes.axvline(data["axis"]["at"], color=style.paper().muted, lw=1.0)
    tall = axes.get_window_extent().height / figure.dpi
    for k, name in enumerate(series):
        colour, mark = style.tone(style.CYCLE[k]), style.MARKERS[k]
        shift = 0.6 * ((k + 0.5) / len(series) - 0.5)
        for row in (row for row in data["rows"] if row["series"] == name):
            y = whats.index(row["what"]) + shift
            if row["interval"] and None not in row["interval"]:
                axes.plot(row["interval"], [y, y], color=colour, lw=1.3, solid_capstyle="butt")
            axes.plot(row["value"], y, mark, ms=5, color=colour)
        look: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "color": colour}
        if name:
            y = 1 - (0.1 + 0.19 * k) / tall
            axes.plot(1.03, y, mark, ms=5, color=colour, transform=axes.transAxes, clip_on=False)
            axes.annotate(name, (1.03, y), xytext=(9, 0), va="center_baseline", fontsize=8.5, **look)
    axes.set_ylim(len(whats) - 0.4, -0.6)
    axes.set_yticks(range(len(whats)), whats)
    axes.tick_params(axis="y", length=0, labelcolor=style.paper().ink)
    axes.set_xlabel(data["axis"]["label"])
    if data["axis"]["log"]:
        units.say_axis(axes.xaxis, units.plain, 6)
    return figure


def svg(data: Mapping[str, Any]) -> bytes:
    """SVG bytes of the figure: the same JSON, the same bytes."""
    about = {"Date": None, "Creator": None, "Title": data["title"], "Description": data["alt"]}
    with style.printed_on():
        out = io.BytesIO()
        draw(data).savefig(out, format="svg", metadata=about)
    return out.getvalue()
