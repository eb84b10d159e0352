"""Draw the progress of a sweep: finished cells over time, and the runs that ran at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from scaling.figures import labels, style, units
from scaling.figures.marks import many, positions
from scaling.figures.source import Source

NAME = "progress"
PAUSE = 0.1
"""Longest idle time drawn, as a share of the total busy time; longer pauses are cut from the time axis."""


def data(source: Source) -> dict[str, Any]:
    """Return the figure's content as plain JSON; `missing` holds the reason where it cannot be drawn."""
    base = {"figure": NAME, "schema": 1}
    runs = source.runs
    if not {"started", "ended"} <= set(runs):
        return {**base, "missing": f"the ledger of {source.name} has no start and end times."}
    began, ended = (pd.to_datetime(runs[c], utc=True, errors="coerce") for c in ("started", "ended"))
    timed = runs[began.notna() & ended.notna()]
    if timed.empty:
        return {**base, "missing": f"no run of {source.name} has start and end times."}
    began, ended = began[timed.index], ended[timed.index]
    first = began.min()
    since = [(t - first).dt.total_seconds().to_numpy() for t in (began, ended)]
    order = np.lexsort((since[1], since[0]))
    lanes = _lanes(since[0][order], since[1][order])
    status = list(timed["status"].fillna("done")) if "status" in timed else ["done"] * len(timed)
    shown: list[dict[str, Any]] = [
        {
            "run_id": str(timed["run_id"].iloc[i]),
            "start": float(since[0][i]),
            "end": float(since[1][i]),
            "lane": lane,
            "N": float(timed["params"].iloc[i]) if pd.notna(timed["params"].iloc[i]) else None,
            "fine": bool(status[i] == "done"),
        }
        for i, lane in zip(order, lanes, strict=True)
    ]
    planned = max(len((source.plan or {}).get("cells") or []), len(runs))
    fine = sum(r["fine"] for r in shown)
    span = max(max(r["end"] for r in shown), 1.0)
    spent = sum(r["end"] - r["start"] for r in shown)
    failed = len(shown) - fine
    flops = float(pd.to_numeric(timed["flops"], errors="coerce").sum())
    pauses = _pauses(since[0], since[1])
    at_work = span - sum(last - begin for begin, last in pauses)
    title = f"{fine} of {units.things(planned, 'cell')} done in {units.seconds(at_work)}" + (
        f", {failed} failed" if failed else ""
    )
    return {
        **base,
        "title": title,
        "subtitle": f"Above: cells finished. Below: each run from start to end, at most {max(lanes) + 1} "
        "at once" + ("; dotted: pauses, cut from the axis" if pauses else ""),
        "alt": f"{title}; runs took {units.seconds(spent)} in all, {units.flops(flops)}, at most "
        f"{max(lanes) + 1} at once.",
        "footer": source.footer(
            n=len(shown),
            window=f"window {units.seconds(at_work)} from {first:%Y-%m-%d %H:%M} UTC",
            interval=f"{units.seconds(spent)} of training, {units.flops(flops)}; no interval",
            note=f"{units.seconds(span)} with pauses" if pauses else "",
        ),
        "planned": planned,
        "pauses": pauses,
        "runs": shown,
    }


def _lanes(start: np.ndarray, end: np.ndarray) -> list[int]:
    """Return the lowest free lane of each run; runs are in order of their start."""
    free: list[float] = []
    lanes = []
    for s, e in zip(start, end, strict=True):
        lane = next((i for i, until in enumerate(free) if until <= s), len(free))
        free[lane : lane + 1] = [float(e)]
        lanes.append(lane)
    return lanes


def _pauses(start: np.ndarray, end: np.ndarray) -> list[tuple[float, float]]:
    """Return (begin, end) of every long pause between runs, in seconds."""
    order = np.argsort(start)
    until = np.maximum.accumulate(end[order])
    gaps = [(float(a), float(b)) for a, b in zip(until[:-1], start[order][1:], strict=True) if b > a]
    at_work = float(until[-1]) - sum(b - a for a, b in gaps)
    return [(a, b) for a, b in gaps if b - a > PAUSE * at_work]


def _cut(time: float, pauses: list[tuple[float, float]]) -> float:
    """Return a time in seconds without the pauses before it."""
    return time - sum(max(0.0, min(time, b) - a) for a, b in pauses)


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    pauses = data["pauses"]
    runs = [{**r, **{k: _cut(r[k], pauses) for k in ("start", "end")}} for r in data["runs"]]
    deep = max(r["lane"] for r in runs) + 1
    figure, ((above,), (below,)) = style.canvas(
        data,
        rows=(1.6, min(0.5 + 0.12 * deep, 1.6)),
        row_gap=0.22,
        height=4.6,
        head=0.42,
        right=0.9,
    )
    span = max(max(r["end"] for r in runs), 1.0)
    done = sorted(r["end"] for r in runs if r["fine"])
    colour = style.tone(style.BLUE)
    above.step([0, *done, span], [0, *range(1, len(done) + 1), len(done)], where="post", color=colour, lw=2)
    above.axhline(data["planned"], color=style.paper().muted, lw=0.8)
    labels.margin(above, data["planned"], f"planned {data['planned']}", dx=6, color=style.paper().muted)
    above.set_ylim(0, 1.08 * data["planned"])
    above.set_ylabel("cells finished")
    above.locator_params(axis="y", nbins=5, integer=True)
    above.set_xticklabels([])
    sizes = [r["N"] or 1.0 for r in runs]
    tints = [
        style.ramp(at) if r["fine"] else style.paper().muted
        for r, at in zip(runs, positions(sizes), strict=True)
    ]
    bars = [[(r["start"], r["lane"]), (max(r["end"], r["start"] + span / 600), r["lane"])] for r in runs]
    thick = min(7.0, 70.0 / deep)
    below.add_collection(
        LineCollection(bars, colors=tints, linewidths=thick, capstyle="butt", rasterized=many(len(bars)))
    )
    below.set_ylim(deep - 0.4, -0.6)
    below.set_yticks([])
    below.grid(False)
    below.spines["left"].set_visible(False)
    below.set_ylabel("runs")
    for axes in (above, below):
        axes.set_xlim(0, 1.01 * span)
    for begin, last in pauses:
        for axes in (above, below):
            axes.axvline(_cut(begin, pauses), color=style.paper().muted, lw=0.9, ls=":")
        above.annotate(
            units.seconds(last - begin),
            (_cut(begin, pauses), 0),
            xycoords=("data", "axes fraction"),
            xytext=(3, 4),
            textcoords="offset points",
            fontsize=8,
            color=style.paper().muted,
        )
    ticks = _times(span)
    for axes in (above, below):
        axes.set_xticks(ticks)
    above.set_xticklabels([])
    below.set_xticklabels([units.seconds(t) if t else "0" for t in ticks])
    below.set_xlabel("time since the first run began" + (", without pauses" if pauses else ""))
    figure.align_ylabels([above, below])
    style.size_ruler(above, min(sizes), max(sizes))
    return figure


def _times(span: float) -> list[float]:
    """Return about five round times from 0 to the end, in seconds."""
    steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 86_400]
    step = next((s for s in steps if span / s <= 6), None) or 86_400.0 * max(1, round(span / 86_400 / 5))
    return [float(t) for t in np.arange(0, span * 1.001, step)]
