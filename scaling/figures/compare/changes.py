"""Draw each kind's change of loss against the baseline at the same budget, with its compute equivalent.

Intervals come from the noise between seeds.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter
from scipy import stats

from scaling.figures import kinds, labels, style, units
from scaling.figures.laws.residuals import holm
from scaling.figures.runs import seeds
from scaling.figures.source import Source

NAME = "changes"
LEVEL = 0.95
"""Level of the intervals, and of all verdicts together (Holm)."""


def data(source: Source) -> dict[str, Any]:
    """Return the figure's content as plain JSON; `missing` holds the reason where it cannot be drawn."""
    base = {"figure": NAME, "schema": 1}
    if not source.several:
        return {**base, "needless": True, "missing": f"all runs of {source.name} are of one kind."}
    against = source.several[0]
    loss = "bits_per_byte" if source.per_byte else "loss"
    runs, rates = kinds.tuned(_comparable(source.done, against))
    best = _best(runs, loss)
    noise = seeds.pooled(seeds.groups(source)) if loss == "loss" else None
    rows = _rows(best, against, noise)
    if not rows:
        return {
            **base,
            "missing": f"no other kind of runs in {source.name} shares a budget, a corpus and an objective "
            f"with {against}.",
        }
    chances = {f"{r['kind']}|{r['C']}": r["p"] for r in rows if r["p"] is not None}
    sure = {key for key, p in holm(chances).items() if p < 1 - LEVEL}
    for r in rows:
        r["sure"] = f"{r['kind']}|{r['C']}" in sure
    budgets = sorted({r["C"] for r in rows})
    slope = _slope(best[best["kind"] == against])
    shown_kinds = list(dict.fromkeys(r["kind"] for r in rows))
    title = _title(rows, against, seeded=noise is not None)
    spans = units.spoken_range(budgets[0], budgets[-1], units.flops)
    notes = [f"each at the best of up to {rates} learning rates"] if rates > 1 else []
    if slope:
        notes.append(
            f"upper axis: the loss of {against} falls as {units.power('C', -slope)} between its budgets"
        )
    left_out = source.done["kind"].nunique() - len(shown_kinds) - 1
    if left_out:
        notes.append(f"left out: {units.things(left_out, 'kind')} on another corpus, objective or budget")
    return {
        **base,
        "title": title,
        "subtitle": f"{'Bits per byte' if loss != 'loss' else 'Held-out loss'} of the best size against that "
        f"of {against} at the same budget; "
        + ("bars: intervals from seed noise" if noise else "one seed each: seed noise is not known")
        + ("; filled: differs beyond seed noise" if noise else ""),
        "alt": f"Change of loss against {against} at {spans}: "
        + "; ".join(f"{r['kind']} {100 * r['change']:+.2f} % at {units.flops(r['C'])}" for r in rows)
        + ".",
        "footer": source.footer(
            n=len(runs),
            window=f"window {spans}",
            interval=f"{units.percent(LEVEL)} intervals (t, {noise[1]} degrees of freedom of the pooled seed "
            "noise); verdicts hold together at that level (Holm)"
            if noise
            else "no interval: no cell has two seeds",
            note=" · ".join(notes),
        ),
        "against": against,
        "slope": slope,
        "kinds": shown_kinds,
        "budgets": budgets,
        "rows": rows,
    }


def _comparable(done: pd.DataFrame, against: str) -> pd.DataFrame:
    """Return the runs that share the baseline's corpus and objective; other losses are not comparable."""
    first = done[done["kind"] == against].iloc[0]
    for column in ("corpus", "objective"):
        if column in done:
            done = done[done[column] == first[column]]
    return done


def _best(runs: pd.DataFrame, loss: str) -> pd.DataFrame:
    """Return the best size of every kind at every budget, with its loss averaged over seeds."""
    runs = runs.assign(value=pd.to_numeric(runs[loss], errors="coerce"))
    sizes = runs.groupby(["kind", "budget", "params"], sort=False)["value"]
    cell = sizes.agg(["mean", "count"]).reset_index()
    return cell.loc[cell.groupby(["kind", "budget"], sort=False)["mean"].idxmin()]


def _rows(best: pd.DataFrame, against: str, noise: tuple[float, int] | None) -> list[dict[str, Any]]:
    """Return one row per kind and budget: relative change of the loss, its interval and its p value."""
    reference = best[best["kind"] == against].set_index("budget")
    rows = []
    for r in best[best["kind"] != against].to_dict("records"):
        if r["budget"] not in reference.index:
            continue
        there = reference.loc[r["budget"]]
        change = float(r["mean"] / there["mean"] - 1)
        half, p = None, None
        if noise:
            error = noise[0] * math.sqrt(1 / r["count"] + 1 / there["count"]) / float(there["mean"])
            half = float(error * stats.t.ppf(0.5 + LEVEL / 2, noise[1]))
            p = float(2 * stats.t.sf(abs(change) / error, noise[1]))
        interval = [change - half, change + half] if half is not None else None
        row = {"kind": r["kind"], "C": float(r["budget"]), "change": change, "interval": interval, "p": p}
        rows.append(row)
    last = {r["kind"]: r["change"] for r in sorted(rows, key=lambda r: r["C"])}
    return sorted(rows, key=lambda r: (last[r["kind"]], r["kind"], r["C"]))


def _slope(reference: pd.DataFrame) -> float | None:
    """Return k in L ∝ C^-k of the baseline, from its smallest and largest budget; None unless L falls."""
    ends = reference.sort_values("budget").iloc[[0, -1]]
    if ends["budget"].nunique() < 2:
        return None
    k = -float(np.diff(np.log(ends["mean"]))[0] / np.diff(np.log(ends["budget"]))[0])
    return k if k > 0 else None


def _title(rows: list[dict[str, Any]], against: str, *, seeded: bool) -> str:
    """Return the finding at the largest budget as a title."""
    top = max(r["C"] for r in rows)
    here = [r for r in rows if r["C"] == top]
    best = min(here, key=lambda r: r["change"])
    if not seeded:
        way = "below" if best["change"] < 0 else "above"
        share = units.percent(abs(best["change"]))
        return (
            f"At {units.flops(top)} {best['kind']} measures {share} {way} the loss of {against}, "
            "without a second seed to tell them apart"
        )
    sure = [r for r in here if r["sure"]]
    better = sum(r["change"] < 0 for r in sure)
    worse = len(sure) - better
    if len(here) == 1:
        if not sure:
            return f"{best['kind']} and {against} are not told apart by their loss"
        return f"{best['kind']} {'lowers' if better else 'raises'} the loss of {against} beyond seed noise"
    return (
        f"Of {len(here)} changes, {better or 'none'} lower{'s' * (better < 2)} the loss beyond seed noise "
        f"and {worse or 'none'} raise{'s' * (worse < 2)} it"
    )


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    shown_kinds, budgets = data["kinds"], data["budgets"]
    longest = max(map(len, [*shown_kinds, data["against"]]))
    figure, ((axes,),) = style.canvas(
        data,
        height=2.5 + 0.30 * len(shown_kinds) * (1 if len(budgets) < 4 else 1.3),
        left=0.35 + 0.068 * longest,
        right=1.1,
        head=0.52 if data["slope"] else 0.3,
    )
    axes.grid(True, axis="x")
    axes.grid(False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.axvline(0, color=style.paper().muted, lw=1.0)
    step = 0.62 / max(len(budgets), 1)
    for r in data["rows"]:
        i, k = shown_kinds.index(r["kind"]), budgets.index(r["C"])
        y = i + step * (k - (len(budgets) - 1) / 2)
        colour = style.ramp(k / max(len(budgets) - 1, 1))
        if r["interval"]:
            axes.plot([100 * v for v in r["interval"]], [y, y], color=colour, lw=1.3, solid_capstyle="butt")
        face = colour if r["sure"] or not r["interval"] else style.paper().background
        mark = style.MARKERS[k % len(style.MARKERS)]
        axes.plot(100 * r["change"], y, mark, ms=5, color=colour, mfc=face, zorder=3)
    for i, kind in enumerate(shown_kinds):
        labels.margin(axes, i, kind, dx=-8)
    axes.set_ylim(len(shown_kinds) - 0.4, -0.6)
    axes.set_yticks([])
    axes.set_xlabel(f"loss against {data['against']} (%)")
    ends = [v for r in data["rows"] for v in [r["change"], *(r["interval"] or [])]]
    low, high = min(0.0, *ends), max(0.0, *ends)
    room = 0.06 * (high - low) + 1e-4
    axes.set_xlim(100 * (low - room), 100 * (high + room))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:+g}".replace("-", "−") if v else "0"))
    if data["slope"]:
        _compute(axes, data["slope"], data["against"])
    _key(axes, budgets)
    return figure


def _compute(axes: Any, slope: float, against: str) -> None:
    """Draw the upper axis: the factor of the baseline's compute that would give the same loss."""
    low, high = axes.get_xlim()
    worth = [(1 + v / 100) ** (-1 / slope) for v in (high, low)]
    ticks = units.log_ticks(worth[0], worth[1], 6)
    above = axes.secondary_xaxis("top")
    above.xaxis.set_major_locator(FixedLocator([100 * (t**-slope - 1) for t in ticks]))
    words = [f"× {units.digits(t)}" for t in ticks]
    above.xaxis.set_major_formatter(FuncFormatter(lambda _, i: words[i] if i is not None else ""))
    above.set_xlabel(f"equal to this factor of the compute of {against}", color=style.paper().muted)
    above.tick_params(length=0)
    above.spines["top"].set_visible(False)


def _key(axes: Any, budgets: list[float]) -> None:
    """Draw the key of the budgets at the right, in their colours and shapes."""
    figure = axes.get_figure(root=True)
    tall = axes.get_window_extent().height / figure.dpi
    for k, C in enumerate(budgets):
        colour, y = style.ramp(k / max(len(budgets) - 1, 1)), 1 - (0.1 + 0.19 * k) / tall
        axes.plot(
            1.0 + 0.14 / (axes.get_window_extent().width / figure.dpi),
            y,
            style.MARKERS[k % len(style.MARKERS)],
            ms=5,
            color=colour,
            transform=axes.transAxes,
            clip_on=False,
        )
        axes.annotate(
            units.flops(C),
            (1, y),
            xycoords="axes fraction",
            xytext=(17, 0),
            textcoords="offset points",
            va="center_baseline",
            fontsize=8.5,
            color=colour,
        )
