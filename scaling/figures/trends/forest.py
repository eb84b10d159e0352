"""Draw F3, doubling times by quantity: ours beside published ones."""

from __future__ import annotations

import re
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from scaling.figures import labels, style
from scaling.figures.trends import kit

NAME = "forest"
GROUPS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("training_compute", "training compute", ("compute", "compute-top5", "compute-before")),
    ("training_cost", "training cost", ("cost",)),
    ("dataset_size", "training tokens", ("tokens",)),
    ("parameters", "parameters", ("params",)),
    ("algorithmic_efficiency", "algorithms", ("algorithms", "alexnet")),
    ("task_horizon", "task horizon", ("horizon",)),
    ("inference_price", "price of a token", ("token-price",)),
    ("transistors", "transistors", ("transistors",)),
    ("flops_per_chip", "FLOP/s per chip", ("fp32", "bf16")),
    ("bandwidth", "memory bandwidth", ("bandwidth",)),
    ("flops_per_watt", "FLOP/s per watt", ("per-watt",)),
    ("flops_per_dollar", "FLOP per dollar", ("per-dollar",)),
)
_MONTHS = {"months": 1.0, "years": 12.0, "days": 12 / 365.25}


def months_of(value: float, unit: str) -> float:
    """Return a published growth rate as a doubling or halving time in months; NaN for an empty end."""
    import math

    if unit == "times_per_year":
        return 12 * math.log(2) / math.log(value) if value > 1 else math.inf
    if unit == "oom_per_year":
        return 12 * math.log10(2) / value
    return value * _MONTHS[unit.split("_")[1]]


def cited(name: str) -> str:
    """Return an id as a citation: `sevilla2022-deep-learning` as `Sevilla 2022, deep learning`."""
    parts = re.match(r"^([a-z]\w*?)(\d{4})(?:-(.*))?$", name)
    if not parts:
        return name
    who = "a16z" if parts[1] == "a16z" else parts[1].upper() if len(parts[1]) == 4 else parts[1].capitalize()
    return f"{who} {parts[2]}" + (f", {parts[3].replace('-', ' ')}" if parts[3] else "")


def data() -> dict[str, Any]:
    """Return the figure's content as plain JSON."""
    from scaling.trends import facts
    from scaling.trends.answers.hero import lines

    fitted, _ = lines()
    ours = {x.key: x for x in fitted}
    published = facts.load("published_trends")
    groups: list[dict[str, Any]] = []
    for quantity, words, keys in GROUPS:
        rows: list[dict[str, Any]] = []
        for key in keys:
            if key not in ours:
                continue
            r = ours[key].rate
            if not r.trending:
                rows.append(
                    {"label": ours[key].words, "ours": True, "months": None, "level": r.level, "n": r.n}
                )
                continue
            low, high = (12 * v for v in r.doubling_interval)
            rows.append(
                {
                    "label": ours[key].words,
                    "ours": True,
                    "months": 12 * r.doubling_years,
                    "interval": [low, high],
                    "level": r.level,
                    "n": r.n,
                }
            )
        for _, p in published[published["quantity"] == quantity].sort_values("published_year").iterrows():
            ends = (
                sorted(months_of(v, p["unit"]) for v in (p["low"], p["high"]))
                if p["low"] == p["low"] and p["high"] == p["high"]
                else None
            )
            rows.append(
                {
                    "label": cited(p["id"]),
                    "scope": p["scope"],
                    "ours": False,
                    "months": months_of(p["value"], p["unit"]),
                    "interval": ends,
                    "level": p["level"] if p["level"] == p["level"] else None,
                    "n": p["n"] if p["n"] == p["n"] else None,
                }
            )
        if rows:
            groups.append({"quantity": words, "rows": rows})
    count = sum(not r["ours"] for g in groups for r in g["rows"])
    mine = [r for g in groups for r in g["rows"] if r["ours"] and r["months"]]
    overlap, comparable = overlapping(groups)
    return {
        "figure": NAME,
        "schema": 1,
        "title": f"{overlap} of {comparable} growth rates overlap a published one of the same quantity",
        "subtitle": "Doubling or halving times on a log axis: diamonds, ours from the shipped facts; dots, "
        "as published; bars: intervals",
        "alt": "Doubling times: " + "; ".join(f"{r['label']} {r['months']:.1f} months" for r in mine),
        "footer": kit.footer(
            n=f"n = {len(mine)} rates of ours, {count} published",
            window="windows: as in F1 and in each source",
            interval="ours 90 %; published as stated, mostly 90 or 95 %; overlap: of intervals, or of our "
            "interval with a published value",
            source="facts/*.csv, facts/published_trends.csv (arXiv ids in SOURCES.md)",
            command="scaling trends methods --figures DIR",
        ),
        "groups": groups,
    }


def overlapping(groups: list[dict[str, Any]]) -> tuple[int, int]:
    """Return how many of our rates overlap a published interval or value, and how many are comparable.

    A rate is comparable where its quantity has a published one.
    """
    hits = total = 0
    for g in groups:
        theirs = [r["interval"] or [r["months"]] * 2 for r in g["rows"] if not r["ours"]]
        for r in g["rows"]:
            if r["ours"] and r["months"] and theirs:
                total += 1
                hits += any(a <= r["interval"][1] and b >= r["interval"][0] for a, b in theirs)
    return hits, total


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    count = sum(len(g["rows"]) for g in data["groups"])
    tall = 1.75 + 0.175 * count + 0.13 * len(data["groups"])
    figure, ((axes,),) = style.canvas(data, width=8.2, height=tall, left=3.55, right=1.3)
    axes.set_xscale("log")
    axes.set_xlim(2, 200)
    axes.grid(True, axis="x")
    axes.grid(False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(FixedLocator([3, 6, 12, 24, 48, 96]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: kit.months(v)))
    y = 0.0
    ink, muted, blue = style.paper().ink, style.paper().muted, style.tone(style.BLUE)
    for g in data["groups"]:
        axes.annotate(
            g["quantity"],
            (0, y),
            xytext=(-248, 0),
            ha="left",
            fontsize=8.5,
            fontweight=600,
            color=ink,
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center_baseline",
            annotation_clip=False,
        )
        for r in g["rows"]:
            colour = blue if r["ours"] else muted
            labels.margin(axes, y, r["label"], dx=-8, size=7.6, color=ink if r["ours"] else muted)
            if r["months"] is None:
                labels.margin(axes, y, "no trend", dx=8, size=7.6, color=muted)
                y += 1
                continue
            if r.get("interval"):
                axes.plot(
                    [max(r["interval"][0], 2), min(r["interval"][1], 200)],
                    [y, y],
                    color=colour,
                    lw=1.5,
                    solid_capstyle="butt",
                    zorder=2,
                )
            axes.plot(
                [min(max(r["months"], 2), 200)],
                [y],
                "D" if r["ours"] else "o",
                ms=5.5 if r["ours"] else 4,
                color=colour,
                zorder=3,
            )
            words = kit.span_short(r["months"] / 12)
            if r.get("interval"):
                a, b = (kit.span_short(v / 12) for v in r["interval"])
                words += f" [{a.split()[0]}–{b}]" if a.split()[-1] == b.split()[-1] else f" [{a}–{b}]"
            labels.margin(axes, y, words, dx=8, size=7.6, color=ink if r["ours"] else muted)
            y += 1
        axes.axhline(y - 0.15, color=style.paper().faint, lw=0.8)
        y += 0.7
    axes.set_ylim(y - 0.4, -0.8)
    axes.set_yticks([])
    axes.set_xlabel("months or years to double or halve")
    return figure
