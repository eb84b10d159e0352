"""Draw measured against predicted loss, and the residuals."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from scaling.errors import TableError
from scaling.figures import style, units
from scaling.figures.laws.predict import surface
from scaling.figures.marks import dots, many, positions
from scaling.figures.source import Source

NAME = "surface"


def data(source: Source) -> dict[str, Any]:
    """Return the figure's content as plain JSON; `missing` holds the reason where it cannot be drawn."""
    base = {"figure": NAME, "schema": 1}
    try:
        table, law = surface(source)
    except TableError as reason:
        return {**base, "missing": f"{reason}."}
    assert source.fit is not None
    residuals = np.log((table["L"] / table["predicted"]).to_numpy(float))
    rms, worst = float(np.sqrt(np.mean(residuals**2))), float(np.abs(residuals).max())
    objective = source.fit.get("objective") or {}
    used = (source.fit.get("input") or {}).get("rows_used", source.fit.get("n"))
    return {
        **base,
        "unit": source.loss_unit,
        "title": f"The fitted law misses the measured loss by {units.percent(rms)} (root mean square)",
        "subtitle": f"{units.formula(law.formula)}, fitted to {len(table)} runs; the largest residual is "
        f"{units.percent(worst)}",
        "alt": f"Predicted against measured loss for {len(table)} runs under {law.name}: points lie on "
        f"the diagonal within {units.percent(worst)}, "
        f"root mean square {units.percent(rms)}.",
        "footer": source.footer(
            n=len(table),
            window=f"window L {table['L'].min():.2f} to {table['L'].max():.2f} {source.loss_unit}",
            interval=f"fitted to {used} runs" if used else "",
            note=_estimator(objective),
        ),
        "points": [
            {"run_id": r["run_id"], "N": r["N"], "measured": r["L"], "predicted": r["predicted"]}
            for r in table.sort_values("N").to_dict("records")
        ],
    }


def _estimator(objective: dict[str, Any]) -> str:
    """Return the objective in words, such as `huber on log loss, δ = 0.001`."""
    if not objective.get("name"):
        return ""
    delta = objective.get("delta")
    return f"{objective['name']} on {objective.get('scale', '')} loss".replace("  ", " ") + (
        f", δ = {units.digits(delta, 3)}" if delta else ""
    )


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    figure, ((top,), (below,)) = style.canvas(data, rows=(2.4, 1.0), row_gap=0.28, height=5.6, right=0.4)
    measured = np.array([p["measured"] for p in data["points"]])
    predicted = np.array([p["predicted"] for p in data["points"]])
    sizes = [p["N"] for p in data["points"]]
    low, high = min(measured.min(), predicted.min()), max(measured.max(), predicted.max())
    low, high = low - 0.06 * (high - low), high + 0.06 * (high - low)
    top.plot([low, high], [low, high], color=style.paper().muted, lw=0.8, zorder=1)
    below.axhline(0, color=style.paper().muted, lw=0.8, zorder=1)
    residuals = (100 * (measured / predicted - 1)).tolist()
    dots(top, predicted.tolist(), measured.tolist(), sizes)
    colours = [style.ramp(at) for at in positions(sizes)]
    below.vlines(predicted, 0, residuals, colors=colours, lw=1.0, zorder=2, rasterized=many(len(sizes)))
    dots(below, predicted.tolist(), residuals, sizes, small=4.4)
    top.set_xlim(low, high)
    top.set_ylim(low, high)
    below.set_xlim(low, high)
    reach = float(np.abs(residuals).max()) * 1.25 or 1.0
    below.set_ylim(-reach, reach)
    top.set_xticklabels([])
    top.tick_params(axis="x", length=0)
    top.set_ylabel(f"measured L ({data['unit']})")
    below.set_ylabel("residual (%)")
    below.set_xlabel(f"predicted L ({data['unit']})")
    figure.align_ylabels([top, below])
    style.size_ruler(top, min(sizes), max(sizes))
    return figure
