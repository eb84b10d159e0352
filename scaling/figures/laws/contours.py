"""Draw the contours of the fitted loss over N and D, the runs, and the compute-optimal path."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator
from scipy.spatial import ConvexHull, QhullError

from scaling.errors import TableError
from scaling.figures import style, units
from scaling.figures.labels import beside
from scaling.figures.laws.predict import frontier, surface, values_of
from scaling.figures.marks import dots
from scaling.figures.source import Source

NAME = "contours"
GRID = 70
"""Grid points per axis at which the surface is evaluated."""
BEYOND = 4.0
"""Factor by which the axes extend beyond the largest N and D of the runs."""


def data(source: Source) -> dict[str, Any]:
    """Return the figure's content as plain JSON; `missing` holds the reason where it cannot be drawn."""
    base = {"figure": NAME, "schema": 1}
    try:
        table, law = surface(source)
    except TableError as reason:
        return {**base, "missing": f"{reason}."}
    assert source.fit is not None
    if not set(law.variables) <= {"N", "D"} or len(law.variables) < 2:
        return {
            **base,
            "missing": f"the law {law.name!r} is not a surface over N and D, so it has no contours.",
        }
    N = np.geomspace(table["N"].min() / 1.5, table["N"].max() * BEYOND, GRID)
    D = np.geomspace(table["D"].min() / 1.5, table["D"].max() * BEYOND, GRID)
    mesh = law.predict(values_of(source.fit), {"N": np.repeat(N, GRID), "D": np.tile(D, GRID)}).reshape(
        GRID, GRID
    )
    per = float(np.median(table["C"] / (table["N"] * table["D"])))
    C = np.geomspace(table["C"].min(), N[-1] * D[-1] * per, 60)
    best_n, best_d = frontier(law, values_of(source.fit), C, per)
    spans = units.spoken_range(table["C"].min(), table["C"].max(), units.flops)
    return {
        **base,
        "title": "Contours of the fitted loss and the compute-optimal path",
        "subtitle": "Contours are solid within the range of the runs and dashed beyond; the thick line is "
        "the best N and D at each compute; dots are runs",
        "alt": f"Contours of fitted loss over parameters and tokens with {len(table)} runs and the "
        f"compute-optimal path from {units.count(best_n[0])} parameters and {units.count(best_d[0])} "
        "tokens upwards.",
        "footer": source.footer(
            n=len(table),
            window=f"window {spans}",
            interval="point estimates, no interval",
            note=f"{units.formula(law.formula)}; C = {units.digits(per, 3)} N D, the median of the runs",
        ),
        "N": N.tolist(),
        "D": D.tolist(),
        "loss": mesh.tolist(),
        "frontier": {
            "C": C.tolist(),
            "N": best_n.tolist(),
            "D": best_d.tolist(),
            "data_up_to": float(table["C"].max()),
        },
        "points": [{"run_id": r["run_id"], "N": r["N"], "D": r["D"]} for r in table.to_dict("records")],
    }


def _inside(points: np.ndarray, N: np.ndarray, D: np.ndarray) -> np.ndarray:
    """Return which grid points lie inside the slightly widened convex hull of the runs, in logarithms."""
    middle = points.mean(0)
    try:
        hull = points[ConvexHull(points).vertices]
    except QhullError:
        return np.zeros((len(N), len(D)), dtype=bool)
    wide = middle + (hull - middle) * 1.06
    mesh = np.stack(np.meshgrid(np.log(N), np.log(D), indexing="ij"), -1).reshape(-1, 2)
    return Path(wide).contains_points(mesh).reshape(len(N), len(D))


def _widened(mask: np.ndarray) -> np.ndarray:
    """Return the mask extended by its neighbours, so that solid lines reach the edge of the hull."""
    wide = mask.copy()
    for axis in (0, 1):
        for step in (-1, 1):
            wide |= np.roll(mask, step, axis)
    return wide


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    figure, ((axes,),) = style.canvas(data, height=5.4, right=1.0, head=0.34)
    N, D, loss = np.array(data["N"]), np.array(data["D"]), np.array(data["loss"])
    points = np.log([[p["N"], p["D"]] for p in data["points"]])
    inside = _inside(points, N, D)
    levels = MaxNLocator(10, steps=[1, 2, 2.5, 5, 10]).tick_values(*np.quantile(loss, [0.02, 0.98]))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.grid(False)
    muted = style.paper().muted
    everywhere = np.ones_like(inside)
    for mask, dashes in ((everywhere, (0, (3.6, 2.2))), (_widened(inside), "solid")):
        if (~mask).all():
            continue
        visible = np.ma.array(loss, mask=~mask).T
        axes.contour(
            N, D, visible, levels=levels, colors=muted, linewidths=0.9, linestyles=[dashes], alpha=0.8
        )
    dots(
        axes,
        [p["N"] for p in data["points"]],
        [p["D"] for p in data["points"]],
        [p["N"] for p in data["points"]],
    )
    path = data["frontier"]
    C, best_n, best_d = (np.array(path[k]) for k in ("C", "N", "D"))
    here = (best_n <= N[-1]) & (best_d <= D[-1]) & (best_n >= N[0]) & (best_d >= D[0])
    known = here & (path["data_up_to"] >= C)
    ink = style.paper().ink
    axes.plot(best_n[known], best_d[known], color=ink, lw=2.4, zorder=4)
    beyond = here & (path["data_up_to"] <= C)
    axes.plot(best_n[beyond], best_d[beyond], color=ink, lw=2.0, ls="--", zorder=4)
    axes.set_xlim(N[0], N[-1])
    axes.set_ylim(D[0], D[-1])
    units.say_axis(axes.xaxis, units.count)
    units.say_axis(axes.yaxis, units.count)
    axes.set_xlabel("parameters N")
    axes.set_ylabel("tokens D")
    edge = []
    for value in levels:
        column = loss[-1]
        if column.min() < value < column.max():
            at = float(np.exp(np.interp(-value, -column, np.log(D))))
            edge.append((float(N[-1]), at, f"L = {units.digits(value, 3)}", muted))
    if here.any():
        last = np.flatnonzero(here)[-1]
        if best_n[last] > N[-1] / 1.3:
            edge.append((float(N[-1]), float(best_d[last]), "optimal path", ink))
        else:
            axes.annotate(
                "optimal path",
                (best_n[last], best_d[last]),
                xytext=(4, 6),
                textcoords="offset points",
                fontsize=8.5,
            )
    beside(axes, edge)
    sizes = [p["N"] for p in data["points"]]
    style.size_ruler(axes, min(sizes), max(sizes))
    return figure
