"""Draw F5, loss curves by family with lower envelopes and power laws through them.

Runs are thin lines, envelopes thick ones; the power law has a band and is dashed beyond the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from scaling.figures import labels, style, units
from scaling.figures.runs.curves import envelope
from scaling.figures.source import Source
from scaling.figures.trends import kit

NAME = "family-curves"
KEPT = 60
DRAWS = 200
LEVEL = 0.9


def _curves(source: Source) -> list[dict[str, Any]]:
    """Return one entry per run: family, flops, loss; held-out points where there are any, and the end."""
    curves = []
    done = source.done
    by_run = dict(iter(source.curves.groupby("run_id"))) if len(source.curves) else {}
    for _, run in done.iterrows():
        x, y = [float(run["flops"])], [float(run["loss"])]
        rows = by_run.get(run["run_id"])
        if rows is not None:
            held = rows[["flops", "loss"]].apply(pd.to_numeric, errors="coerce").dropna()
            held = held[(held > 0).all(axis=1) & (held["flops"] < run["flops"])].sort_values("flops")
            keep: Any = (
                np.unique(np.linspace(0, len(held) - 1, min(KEPT, len(held))).astype(int))
                if len(held)
                else []
            )
            x = [*held["flops"].to_numpy(float)[keep], *x] if len(held) else x
            y = [*held["loss"].to_numpy(float)[keep], *y] if len(held) else y
        curves.append({"family": str(run.get("family") or source.name), "flops": x, "loss": y})
    return curves


def _hull_line(curves: list[dict[str, Any]], seed: int = 0) -> dict[str, Any] | None:
    """Fit log L = a + b log C to the later half of the lower envelope, with a band from resampled runs.

    Returns None with fewer than three runs that have loss curves.
    """
    rng = np.random.default_rng(seed)

    def fitted(some: Sequence[dict[str, Any]]) -> tuple[float, float, np.ndarray, np.ndarray]:
        x, y = envelope([(np.array(c["flops"]), np.array(c["loss"])) for c in some])
        fine = np.isfinite(y)
        x, y = x[fine], y[fine]
        late = x >= np.sqrt(x[0] * x[-1])
        b, a = np.polyfit(np.log(x[late]), np.log(y[late]), 1)
        return float(a), float(b), x, y

    if sum(len(c["flops"]) > 1 for c in curves) < 3:
        return None
    a, b, x, y = fitted(curves)
    grid = np.geomspace(np.sqrt(x[0] * x[-1]), 10 * x[-1], 40)
    drawn = []
    for _ in range(DRAWS):
        some = [curves[i] for i in rng.integers(0, len(curves), len(curves))]
        try:
            p, q, _, _ = fitted(some)
        except (
            ValueError,
            TypeError,
            IndexError,
            np.linalg.LinAlgError,
        ):  # a resample of one curve has no envelope
            continue
        drawn.append(np.exp(p + q * np.log(grid)))
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return {
        "hull": {"flops": x.tolist(), "loss": y.tolist()},
        "exponent": -b,
        "line": {
            "flops": grid.tolist(),
            "loss": np.exp(a + b * np.log(grid)).tolist(),
            "low": low.tolist(),
            "high": high.tolist(),
        },
        "end": float(x[-1]),
    }


def data(source: Source) -> dict[str, Any]:
    """Return the figure's content as plain JSON; `missing` holds the reason where it cannot be drawn."""
    curves = _curves(source)
    names = sorted({c["family"] for c in curves})
    families = []
    for name in names:
        mine = [c for c in curves if c["family"] == name]
        line = _hull_line(mine)
        if line is not None:
            families.append({"family": name, "n": len(mine), "curves": mine, **line})
    if not families:
        return {
            "figure": NAME,
            "schema": 1,
            "missing": f"{source.name} has no family with three runs that have loss curves; run it with "
            "evaluation.points above 1.",
        }
    # The order fixes the colours of the families in every figure.
    families.sort(key=lambda f: source.several.index(f["family"]) if f["family"] in source.several else -1)
    start = min(f["hull"]["flops"][0] for f in families)
    return {
        "figure": NAME,
        "schema": 1,
        "title": _comparison(families)
        if len(families) > 1
        else f"{families[0]['family']}: loss falls as {units.power('C', -families[0]['exponent'])}",
        "subtitle": "Held-out loss against compute: thin, runs; thick, lower envelope of each family; "
        "power law through its later half; dashed: extrapolation",
        "alt": "; ".join(f"{f['family']} exponent {f['exponent']:.3f}" for f in families),
        "footer": source.footer(
            n=sum(f["n"] for f in families),
            window=f"window {units.spoken_range(start, max(f['end'] for f in families), units.flops)}",
            interval=f"{LEVEL:.0%} bands, runs resampled {DRAWS} times; no floor is inferred",
            command=f"scaling trends figures DIR --only family-curves --sweep {source.name}",
        ),
        "families": families,
    }


def _comparison(families: list[dict[str, Any]]) -> str:
    """Return the title that compares the power laws, with bands, at the end of the shortest envelope."""
    end = min(f["end"] for f in families)

    def at_end(f: dict[str, Any], key: str) -> float:
        line = f["line"]
        return float(np.exp(np.interp(np.log(end), np.log(line["flops"]), np.log(line[key]))))

    best = min(families, key=lambda f: at_end(f, "loss"))
    others = min(at_end(f, "low") for f in families if f is not best)
    if at_end(best, "high") < others:
        return f"At {units.flops(end)} {best['family']} has the lowest loss on its lower envelope"
    return f"At {units.flops(end)} the lower envelopes of the families are not told apart"


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    figure, ((axes,),) = style.canvas(data, width=7.8, height=5.0, left=0.7, right=1.7)
    ends = []
    for i, f in enumerate(data["families"]):
        colour = style.tone(style.CYCLE[i % len(style.CYCLE)])
        for c in f["curves"]:
            axes.plot(c["flops"], c["loss"], color=colour, lw=0.5, alpha=0.45, zorder=2)
            axes.plot(
                c["flops"][-1:],
                c["loss"][-1:],
                marker=style.MARKERS[i % len(style.MARKERS)],
                ms=3,
                color=colour,
                alpha=0.7,
                zorder=3,
            )
        axes.plot(f["hull"]["flops"], f["hull"]["loss"], color=colour, lw=2.2, zorder=5)
        line = {k: np.array(v) for k, v in f["line"].items()}
        axes.fill_between(line["flops"], line["low"], line["high"], color=colour, alpha=0.15, lw=0, zorder=1)
        later = line["flops"] >= f["end"]
        axes.plot(line["flops"][~later], line["loss"][~later], color=colour, lw=0.9, zorder=4)
        axes.plot(line["flops"][later], line["loss"][later], color=colour, lw=1.4, ls=kit.DASHED, zorder=4)
        ends.append(
            (
                float(line["flops"][-1]),
                float(line["loss"][-1]),
                f"{f['family']}  {units.power('C', -f['exponent'], 3)}",
                colour,
            )
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    everything = [v for f in data["families"] for v in (*f["hull"]["loss"], *f["line"]["loss"])]
    axes.set_ylim(min(everything) * 0.97, max(everything) * 1.02)
    axes.set_xlim(
        min(f["hull"]["flops"][0] for f in data["families"]),
        max(f["line"]["flops"][-1] for f in data["families"]),
    )
    units.say_axis(axes.xaxis, units.flops, 6)
    units.say_axis(axes.yaxis, units.plain, 7)
    axes.set_xlabel("training compute")
    axes.set_ylabel("held-out loss (nats per token)")
    labels.beside(axes, ends, size=8.5)
    return figure
