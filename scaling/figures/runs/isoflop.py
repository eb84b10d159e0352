"""Draw IsoFLOP profiles: at each compute budget, loss against size, a parabola and its minimum.

Each kind of runs has a panel.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from scaling.figures import kinds, panels, style, units
from scaling.figures.compare import conventions
from scaling.figures.labels import beside
from scaling.figures.marks import many
from scaling.figures.source import Source

NAME = "isoflop"
SIZES = 3
"""Smallest number of sizes at a budget that make a profile; a parabola needs three points."""


def _points(rows: pd.DataFrame, size: str) -> list[dict[str, Any]]:
    """Return one point per size; repeats over seeds become their mean and range."""
    points = []
    for _, same in rows.groupby(size):
        losses = same["loss"].astype(float)
        points.append(
            {
                "N": float(same[size].iloc[0]),
                "loss": float(losses.mean()),
                "low": float(losses.min()),
                "high": float(losses.max()),
                "repeats": len(losses),
                "losses": losses.tolist(),
                "runs": same["run_id"].tolist(),
            }
        )
    return points


def _profiles(rows: pd.DataFrame, size: str, fits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the points, and the parabola if fitted, of every budget of one kind with enough sizes."""
    shown = []
    for _, same in rows.groupby("budget"):
        budget = float(same["budget"].iloc[0])
        if same[size].nunique() < SIZES:
            continue
        near = [f for f in fits if abs(math.log(f["C"] / budget)) < math.log(kinds.SAME_BUDGET)]
        fit = min(near, key=lambda f: abs(math.log(f["C"] / budget))) if near else None
        shown.append({"C": budget, "points": _points(same, size), "fit": fit})
    return shown


def data(source: Source) -> dict[str, Any]:
    """Return the figure's content as plain JSON; `missing` holds the reason where it cannot be drawn."""
    base = {"figure": NAME, "schema": 1}
    runs, rates = kinds.tuned(source.done)
    columns = ((source.fit or {}).get("input") or {}).get("columns") or {}
    size = columns.get("N", "params") if columns.get("N", "params") in runs else "params"
    shown: list[dict[str, Any]] = []
    for kind in source.several or [""]:
        rows = runs[runs["kind"] == kind]
        if source.several:
            by_convention = conventions.fits(source).get(kind, {})
            fits: list[Any] = next(
                (f["budgets"] for by_n in by_convention.values() for f in by_n.values()), []
            )
            shown += [{"kind": kind, **b} for b in _profiles(rows, "params", fits)]
        else:
            fits = ((source.fit or {}).get("approaches", {}).get("2") or {}).get("budgets") or []
            shown += _profiles(rows, size, fits)
    shown_kinds = panels.of(shown)
    shown_kinds, left_out = shown_kinds[: panels.MOST], shown_kinds[panels.MOST :]
    shown = [b for b in shown if b.get("kind", "") in shown_kinds]
    planned = "budget_flops" in runs and runs["budget_flops"].notna().any()
    if not shown or not (planned or any(b["fit"] for b in shown)):
        return {
            **base,
            "missing": f"{source.name} has no budget with {SIZES} sizes of one kind, so there is no IsoFLOP "
            "profile; add sizes to the sweep, or budgets to its design.",
        }
    flagged = [
        b for b in shown if b["fit"] and not (b["fit"].get("opens_upwards") and b["fit"].get("inside"))
    ]
    n = sum(p["repeats"] for b in shown for p in b["points"])
    same = runs.groupby(["kind", "budget", size])
    only_seeds = "seed" in runs and bool((same["seed"].nunique() == same.size()).all())
    repeats = max(p["repeats"] for b in shown for p in b["points"])
    good = [b for b in shown if b["fit"] and b not in flagged]
    budgets = sorted({b["C"] for b in shown})
    parts = ["Each colour is one compute budget"]
    if good:
        parts = ["Each colour is one compute budget; curves are parabolas in log N", "diamonds their minima"]
    if any(b["fit"] and b["fit"].get("N_interval") for b in good):
        parts.append("bars their intervals")
    if flagged:
        parts.append("open markers and dashed curves: no minimum inside the sampled sizes")
    if repeats > 1:
        same_cell = "seeds of one cell" if only_seeds else "runs of one size"
        parts.append(f"ticks are up to {repeats} {same_cell}, markers their mean")
    own_scale = len(shown_kinds) > 1 and source.per_byte
    if own_scale:
        parts.append("each panel has its own scale: losses per token of different tokenizers do not compare")
    spans = units.spoken_range(budgets[0], budgets[-1], units.flops)
    r2 = [b["fit"]["r2"] for b in shown if b["fit"] and b["fit"].get("r2") is not None]
    notes = [f"each run at the best of up to {rates} learning rates"] if rates > 1 else []
    notes += [f"not drawn: {', '.join(left_out)}"] if left_out else []
    notes += [f"R² of the parabolas {min(r2):.2f} to {max(r2):.2f}"] if r2 else []
    notes += [] if source.fit or source.several else ["no fit yet: scaling fit"]
    return {
        **base,
        "unit": source.loss_unit,
        "title": _title(good, len(budgets), len(shown_kinds)),
        "subtitle": "; ".join(parts),
        "alt": f"Loss against parameters at {len(budgets)} compute budgets from {spans}. "
        + " ".join(
            f"{b.get('kind', '')} at {units.flops(b['C'])}: the best size is "
            f"{units.count(b['fit']['N_opt'])} parameters.".strip()
            for b in good
        ),
        "footer": source.footer(
            n=n, window=f"window {spans}", interval=_interval_note(source, shown), note=" · ".join(notes)
        ),
        "budgets": shown,
        **({"own_scale": True} if own_scale else {}),
    }


def _title(good: list[dict[str, Any]], budgets: int, kinds: int) -> str:
    """Return the finding as a title: the range of the best size."""
    if not good:
        return f"Loss against size at {budgets} budget{'s' if budgets > 1 else ''}"
    if kinds == 1:
        ends = units.spoken_range(good[0]["fit"]["N_opt"], good[-1]["fit"]["N_opt"], units.count)
        share = "Every budget has" if len(good) == budgets else f"{len(good)} of {budgets} budgets have"
        return f"{share} a best size: {ends} parameters"
    most = max(b["C"] for b in good)
    last = sorted((b for b in good if b["C"] == most), key=lambda b: b["fit"]["N_opt"])
    if len(last) == 1:
        return f"At {units.flops(most)} only {last[0]['kind']} has a minimum inside its sizes"
    return (
        f"Best size at {units.flops(most)}: {units.count(last[0]['fit']['N_opt'])} parameters "
        f"({last[0]['kind']}) to {units.count(last[-1]['fit']['N_opt'])} ({last[-1]['kind']})"
    )


def _interval_note(source: Source, shown: list[dict[str, Any]]) -> str:
    """Return what the horizontal bars at the minima are, with level and method."""
    if not any(b["fit"] and b["fit"].get("N_interval") for b in shown):
        return "no interval of the minima"
    a = ((source.fit or {}).get("approaches", {}).get("2") or {}).get("a") or {}
    if source.several:
        by_convention = conventions.fits(source).get(str(shown[0]["kind"]), {})
        a = next((f["a"] for by_n in by_convention.values() for f in by_n.values()), {})
    first = next(b["fit"] for b in shown if b["fit"] and b["fit"].get("N_interval"))
    level, method = first.get("level", a.get("level")), first.get("method", a.get("method"))
    return (
        f"{units.percent(level)} interval of each minimum" + (f" ({method})" if method else "")
        if level
        else "interval of each minimum"
    )


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    shown_kinds = panels.of(data["budgets"])
    figure, places = panels.canvas(data, shown_kinds, right=1.0, gap=0.95)
    levels = sorted({b["C"] for b in data["budgets"]})
    everything = [p for b in data["budgets"] for p in b["points"]]
    left, right = min(p["N"] for p in everything), max(p["N"] for p in everything)
    for axes, kind, first, last in places:
        own = [b for b in data["budgets"] if b.get("kind", "") == kind]
        seen = [p for b in own for p in b["points"]] if data.get("own_scale") else everything
        low, high = min(p["low"] for p in seen), max(p["high"] for p in seen)
        if data.get("own_scale"):
            low = min([low, *(b["fit"]["loss_min"] for b in own if b["fit"] and b["fit"].get("inside"))])
        axes.set_xscale("log")
        axes.set_ylim(low - 0.06 * (high - low), high + 0.04 * (high - low))
        axes.set_xlim(left / 1.25, right * 1.25)
        labels = []
        for budget in own:
            step = levels.index(budget["C"])
            colour = style.ramp(step / max(len(levels) - 1, 1))
            mark = style.MARKERS[step % len(style.MARKERS)]
            end = _budget(axes, budget, colour, mark, (left, right, low, high), many(len(everything)))
            labels.append((*end, units.flops(budget["C"]), colour))
        units.say_axis(axes.xaxis, units.count, 7 if len(shown_kinds) == 1 else 4)
        if last:
            axes.set_xlabel("parameters N")
        if first:
            axes.set_ylabel(f"loss L ({data['unit']})")
        beside(axes, labels)
    return figure


def _budget(
    axes: Any,
    budget: dict[str, Any],
    colour: str,
    mark: str,
    window: tuple[float, float, float, float],
    pixels: bool,
) -> tuple[float, float]:
    """Draw one budget of one kind and return the position of its label. `window`: all sizes and losses."""
    left, right, low, high = window
    fit, points = budget["fit"], budget["points"]
    fine = bool(fit and fit.get("opens_upwards") and fit.get("inside"))
    N, L = [p["N"] for p in points], [p["loss"] for p in points]
    end = (N[-1], L[-1])
    if fit and fit.get("coefficients"):
        bounds = (left / 1.6, right * 1.6, low - 0.04 * (high - low), high)
        end = _parabola(axes, fit, N, colour, fine=fine, bounds=bounds)
    else:
        axes.plot(N, L, lw=0.8, color=colour, alpha=0.6)
    look: dict[str, Any] = {"color": colour, "zorder": 3, "rasterized": pixels}
    for p in points:
        if p["repeats"] > 1:
            axes.plot([p["N"]] * 2, [p["low"], p["high"]], lw=1.0, **look)
            axes.plot([p["N"]] * p["repeats"], p["losses"], ls="", marker="_", ms=11, mew=1.0, **look)
    face = colour if fine or not fit else style.paper().background
    axes.plot(N, L, ls="", marker=mark, ms=4.6, mfc=face, mew=1.2, **{**look, "zorder": 4})
    return end


def _parabola(
    axes: Any,
    fit: dict[str, Any],
    N: list[float],
    colour: str,
    *,
    fine: bool,
    bounds: tuple[float, float, float, float],
) -> tuple[float, float]:
    """Draw one parabola, solid within the data and dashed beyond, and return the position of its label."""
    left, right, bottom, _top = bounds
    c0, c1, c2 = fit["coefficients"]

    def loss(n: np.ndarray) -> np.ndarray:
        return np.asarray(c0 + c1 * np.log(n) + c2 * np.log(n) ** 2)

    inside = np.geomspace(min(N), max(N), 80)
    axes.plot(inside, loss(inside), color=colour, lw=1.5, ls="-" if fine else (0, (3.6, 2.2)), zorder=2)
    best = fit.get("N_opt")
    if best and fit.get("opens_upwards"):
        reach = np.geomspace(max(left, min(min(N), best)), min(right, max(max(N), best)), 80)
        for beyond in (reach[reach <= min(N)], reach[reach >= max(N)]):
            axes.plot(beyond, loss(beyond), color=colour, lw=1.0, ls=(0, (3.6, 2.2)), zorder=2)
        at = float(loss(np.array([best]))[0])
        if left <= best <= right and at >= bottom:
            span = fit.get("N_interval")
            if span and all(v and math.isfinite(v) for v in span):
                look: dict[str, Any] = {"color": style.paper().ink, "zorder": 1.5}
                first, last = axes.get_xlim()
                axes.plot(np.clip(span, first, last), [at, at], lw=1.0, solid_capstyle="butt", **look)
                for beyond, x, mark in ((span[0] < first, first, "<"), (span[1] > last, last, ">")):
                    if beyond:
                        axes.plot(x, at, mark, ms=4, clip_on=False, **look)
            axes.plot(
                best,
                at,
                marker="D",
                ms=7,
                color=style.paper().ink,
                mfc=colour if fine else style.paper().background,
                mec=style.paper().ink,
                mew=1.0,
                zorder=6,
                ls="",
            )
    return float(inside[-1]), float(loss(inside[-1:])[0])
