"""Draw the loss curves of all runs against compute, with the lower envelope of each kind."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from scaling.figures import style, units
from scaling.figures.labels import beside
from scaling.figures.marks import dots, many, threads
from scaling.figures.source import Source

NAME = "curves"
POINTS = 120
"""Points kept per curve, evenly spaced in log compute."""


def _smoothed(values: np.ndarray, flops: np.ndarray) -> np.ndarray:
    """Return the running mean over ±4 % of compute, which removes batch noise."""
    low, high = np.searchsorted(flops, flops / 1.04), np.searchsorted(flops, flops * 1.04, side="right")
    sums = np.concatenate([[0.0], np.cumsum(values)])
    return np.asarray((sums[high] - sums[low]) / (high - low))


def _curve(x: np.ndarray, y: np.ndarray, *, noisy: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return one curve in rising compute without gaps, thinned to `POINTS`, smoothed if `noisy`."""
    keep = np.isfinite(x) & np.isfinite(y) & (x > 0) & (y > 0)
    # A resumed run may have written a step twice; the last one counts.
    x, last = np.unique(x[keep][::-1], return_index=True)
    y = y[keep][::-1][last]
    if noisy and len(x) > 8:
        y = _smoothed(y, x)
    if len(x) > POINTS:
        at = np.unique(np.searchsorted(x, np.geomspace(x[0], x[-1], POINTS)).clip(0, len(x) - 1))
        x, y = x[at], y[at]
    return x, y


def by_run(source: Source) -> tuple[str, dict[str, tuple[np.ndarray, np.ndarray]]]:
    """Return the name of the loss column and the curve (flops, loss) of each run.

    The column is the held-out `loss` where the median run has 6 points of it, else `loss_train`.
    """
    table = source.curves
    number = {
        c: pd.to_numeric(table[c], errors="coerce").to_numpy(float)
        for c in table
        if c in {"flops", "loss", "loss_train"}
    }
    codes, names = pd.factorize(table["run_id"])
    order = np.argsort(codes, kind="stable")
    pieces = (
        dict(zip(names, np.split(order, np.cumsum(np.bincount(codes))[:-1]), strict=True))
        if len(order)
        else {}
    )
    done = [r for r in source.done["run_id"] if r in pieces]
    held = number.get("loss", np.full(len(table), np.nan))
    counts = [np.isfinite(held[pieces[r]]).sum() for r in done]
    column = "loss" if counts and np.median(counts) >= 6 else "loss_train"
    values = number.get(column, np.full(len(table), np.nan))
    noisy = column == "loss_train"
    return column, {r: _curve(number["flops"][pieces[r]], values[pieces[r]], noisy=noisy) for r in done}


def envelope(curves: list[tuple[np.ndarray, np.ndarray]], points: int = 160) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower envelope (flops, loss): the lowest loss that any run had reached by each compute.

    The grid is even in log compute and includes the ends of runs that set a new minimum. Curves are
    interpolated linearly in log-log and not extrapolated.
    """
    curves = [(x, y) for x, y in curves if len(x) > 1]
    if not curves:
        return np.empty(0), np.empty(0)
    grid = np.geomspace(min(x[0] for x, _ in curves), max(x[-1] for x, _ in curves), points)
    losses = np.full(points, np.inf)
    for x, y in curves:
        losses = np.fmin(
            losses, np.exp(np.interp(np.log(grid), np.log(x), np.log(y), left=np.inf, right=np.inf))
        )
    ends = np.array([(x[-1], y[-1]) for x, y in curves])
    x, y = np.concatenate([grid, ends[:, 0]]), np.concatenate([losses, ends[:, 1]])
    order = np.lexsort((y, x))
    x, y, of_grid = x[order], np.minimum.accumulate(y[order]), order < points
    kept = of_grid | (np.diff(y, prepend=np.inf) < 0)
    return x[kept], y[kept]


def _lower(source: Source, runs: list[dict[str, Any]], column: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower envelope of the runs.

    The lowest training loss is a lucky batch, so for `loss_train` the envelope is the running minimum of the
    held-out losses of finished runs.
    """
    if column == "loss":
        return envelope([(np.array(r["flops"]), np.array(r["loss"])) for r in runs])
    ended = source.done[source.done["run_id"].isin({r["run_id"] for r in runs})].sort_values("flops")
    loss = ended["bits_per_byte" if source.per_byte else "loss"].to_numpy(float)
    return ended["flops"].to_numpy(float), np.minimum.accumulate(loss)


@lru_cache(maxsize=2)
def data(source: Source) -> dict[str, Any]:
    """Return the figure's content as plain JSON; `missing` holds the reason where it cannot be drawn."""
    base = {"figure": NAME, "schema": 1}
    done = source.done
    if source.curves.empty:
        return {
            **base,
            "missing": f"{source.name} has no loss curves (curves.parquet); `scaling run` collects the "
            "curves of the runs it trains.",
        }
    column, curves = by_run(source)
    params = dict(zip(done["run_id"], done["params"].astype(float), strict=True))
    kind = dict(zip(done["run_id"], done["kind"], strict=True)) if source.several else {}
    per_byte = source.per_byte
    scale = (done["bits_per_byte"] / done["loss"]).set_axis(done["run_id"]).to_dict() if per_byte else {}
    runs = [
        {
            "run_id": run,
            "params": params[run],
            "flops": x.tolist(),
            "loss": (y * scale.get(run, 1.0)).tolist(),
            **({"kind": kind[run]} if kind else {}),
        }
        for run, (x, y) in curves.items()
        if len(x) > 1
    ]
    if not runs:
        return {
            **base,
            "missing": f"no finished run of {source.name} has a loss curve with two points; train more with "
            f"`scaling run {source.name}`.",
        }
    # The first steps show only the initialisation, so the window opens a tenth into the shortest run.
    first = min(r["flops"][-1] for r in runs) / 10
    grid, low = _lower(source, runs, column)
    keep = grid >= first
    held = column == "loss"
    what = "held-out loss" if held else "training loss, running mean over ±4 % of compute"
    thick = "lower envelope" if held else "lowest held-out loss of finished runs"
    sizes = [r["params"] for r in runs]
    spans = units.spoken_range(float(grid[keep][0]), float(grid[-1]), units.flops)
    if kind:
        unit = "bits per byte" if per_byte else source.loss_unit
        return {**base, "unit": unit, **_of_kinds(source, runs, first, column, (what, thick), spans, unit)}
    return {
        **base,
        "unit": source.loss_unit,
        "title": f"Loss curves of {units.things(len(runs), 'run')} and the lowest loss reached at each "
        "compute",
        "subtitle": f"Loss during training, one line per run ({what}); thick line: {thick}",
        "alt": f"Loss against training compute for {len(runs)} runs of "
        f"{units.spoken_range(min(sizes), max(sizes), units.count)} parameters, with the {thick}, "
        f"which falls from {low[keep][0]:.2f} to {low[-1]:.2f} {source.loss_unit} over {spans}.",
        "footer": source.footer(
            n=len(runs), window=f"window {spans}", note="no interval: every line is measured"
        ),
        "runs": runs,
        "first": first,
        "envelope": {
            "name": thick.partition(" of ")[0],
            "flops": grid[keep].tolist(),
            "loss": low[keep].tolist(),
        },
    }


def _of_kinds(
    source: Source,
    runs: list[dict[str, Any]],
    first: float,
    column: str,
    words: tuple[str, str],
    spans: str,
    unit: str,
) -> dict[str, Any]:
    """Return the content of a figure of several kinds, with the envelope of each kind."""
    envelopes = []
    for kind in source.several:
        grid, low = _lower(source, [r for r in runs if r["kind"] == kind], column)
        keep = grid >= first
        if keep.any():
            # one noisy evaluation may pull an envelope down, so kinds are ranked by the ends of their runs
            ends = [r["loss"][-1] for r in runs if r["kind"] == kind] if column == "loss" else [low[-1]]
            line = {"flops": grid[keep].tolist(), "loss": low[keep].tolist()}
            envelopes.append({"kind": kind, **line, "end": float(min(ends))})
    # The best kinds and the baseline get labels; the order fixes the colours in every figure.
    best = sorted(envelopes, key=lambda e: (e["kind"] != source.several[0], e["end"]))
    named = best[: len(style.CYCLE)]
    for e in envelopes:
        e["named"] = e in named
    least = min(envelopes, key=lambda e: e["end"])
    others = len(envelopes) - len(named)
    return {
        "title": f"{len(runs)} runs of {len(envelopes)} kinds; lowest measured loss {least['end']:.2f} "
        f"{unit} ({least['kind']}, no interval)",
        "subtitle": f"Loss during training, one line per run ({words[0]}); thick: {words[1]} of each kind"
        + (f"; grey: {others} other kinds" if others else ""),
        "alt": f"Loss against training compute for {len(runs)} runs, with the lower envelope of each kind: "
        + "; ".join(f"{e['kind']} ends at {e['end']:.3f} or above" for e in envelopes)
        + f" {unit}, over {spans}.",
        "footer": source.footer(
            n=len(runs), window=f"window {spans}", note="no interval: every line is measured"
        ),
        "runs": runs,
        "first": first,
        "envelopes": envelopes,
    }


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    kinds = [e["kind"] for e in data.get("envelopes") or [] if e["named"]]
    longest = max(map(len, kinds or [data["envelope"]["name"]]))
    figure, ((axes,),) = style.canvas(data, right=0.25 + 0.065 * longest)
    axes.set_xscale("log")
    axes.set_yscale("log")
    runs = data["runs"]
    if kinds:
        labels = _kinds(axes, data, kinds)
        low, high = _ends(data["envelopes"])
    else:
        sizes = [r["params"] for r in runs]
        threads(axes, [(r["flops"], r["loss"]) for r in runs], sizes, width=0.9)
        dots(axes, [r["flops"][-1] for r in runs], [r["loss"][-1] for r in runs], sizes, small=3.4, zorder=5)
        labels = [_thick(axes, data["envelope"], style.paper().ink, data["envelope"]["name"])]
        low, high = _ends([data["envelope"]])
    inside = [v for r in runs for f, v in zip(r["flops"], r["loss"], strict=True) if f >= data["first"]]
    axes.set_xlim(data["first"], high * 1.08)
    axes.set_ylim(min(inside) / 1.03, min(max(inside), low * 1.25) * 1.02)
    units.say_axis(axes.xaxis, units.flops)
    units.say_axis(axes.yaxis, units.plain)
    axes.set_xlabel("training compute C")
    axes.set_ylabel(f"loss L ({data['unit']})")
    beside(axes, labels, column=True)
    if not kinds:
        style.size_ruler(axes, min(sizes), max(sizes))
    return figure


def _ends(envelopes: list[dict[str, Any]]) -> tuple[float, float]:
    """Return the largest loss and the largest compute of any envelope."""
    return max(max(e["loss"]) for e in envelopes), max(e["flops"][-1] for e in envelopes)


def _thick(axes: Any, line: dict[str, Any], colour: str, label: str) -> tuple[float, float, str, str]:
    """Draw an envelope in front of its runs and return its label."""
    halo = withStroke(linewidth=4.2, foreground=style.paper().background)
    x, y = line["flops"], line["loss"]
    look: dict[str, Any] = {"solid_joinstyle": "round", "solid_capstyle": "butt", "path_effects": [halo]}
    axes.plot(x, y, color=colour, lw=2.4, zorder=4, **look)
    return x[-1], y[-1], label, colour


def _kinds(axes: Any, data: dict[str, Any], kinds: list[str]) -> list[tuple[float, float, str, str]]:
    """Draw runs of several kinds in their colours and shapes and return the labels of the named kinds."""
    muted = style.paper().muted
    tints = {kind: style.tone(c) for kind, c in zip(kinds, style.CYCLE, strict=False)}
    shapes = dict(zip(kinds, style.MARKERS, strict=False))
    for kind in [*dict.fromkeys(r["kind"] for r in data["runs"])]:
        same = [r for r in data["runs"] if r["kind"] == kind]
        colour, pixels = tints.get(kind, muted), many(4 * len(data["runs"]))
        thin = {"color": colour, "alpha": 0.45, "lw": 0.7, "zorder": 2, "rasterized": pixels}
        for r in same:
            axes.plot(r["flops"], r["loss"], **thin)
        ends = [r["flops"][-1] for r in same], [r["loss"][-1] for r in same]
        axes.plot(*ends, ls="", marker=shapes.get(kind, "."), ms=3.6, color=colour, zorder=3)
    return [_thick(axes, e, tints[e["kind"]], e["kind"]) for e in data["envelopes"] if e["kind"] in tints]
