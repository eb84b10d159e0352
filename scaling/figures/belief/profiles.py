"""Draw profiles of the objective: one parameter held at a value, all others refitted.

A flat profile means that the runs do not determine the parameter.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from scaling.errors import ScalingError
from scaling.figures import style, units
from scaling.figures.laws.predict import law_of
from scaling.figures.source import Source

NAME = "profiles"
POINTS = 15
"""Number of values tried per parameter where the fit holds no profiles."""
MOST_RUNS = 2000
"""Largest number of runs that this figure profiles itself; larger fits must hold their profiles."""
_made: dict[tuple[str, str], list[dict[str, Any]]] = {}


def data(source: Source) -> dict[str, Any]:
    """Return the figure's content as plain JSON; `missing` holds the reason where it cannot be drawn."""
    base = {"figure": NAME, "schema": 1}
    if source.fit is None or source.unfitted:
        return {**base, "missing": source.unfitted}
    try:
        rows = (source.fit.get("validation") or {}).get("profiles") or compute(source)
    except ScalingError as reason:
        return {**base, "missing": f"{str(reason).rstrip('.')}."}
    rows = [r for r in rows if len(r.get("grid") or []) > 2]
    if not rows:
        return {**base, "missing": f"no parameter of the fit of {source.name} is free to be profiled."}
    loose = [units.formula(r["name"]) for r in rows if r.get("open_ended")]
    level = float(rows[0].get("level") or 0.95)
    title = (
        f"The runs do not bound {' and '.join(loose)}"
        if loose
        else f"The runs bound every parameter: {_name(min(rows, key=_width))} most tightly, "
        f"{_name(max(rows, key=_width))} least"
    )
    limit = max((_limit(r) for r in rows), default=4.0)
    done = source.fitted
    return {
        **base,
        "title": title,
        "subtitle": "Rise of the objective when one parameter is held fixed and the others are refitted; "
        "thick: "
        f"inside the {units.percent(level)} interval; a flat curve means that the runs do not determine it",
        "alt": "Profiles of the objective. "
        + " ".join(
            f"{units.formula(r['name'])} {units.digits(r['value'], 3)}, interval "
            f"{' to '.join(units.digits(v, 3) for v in r['interval'] or [])}"
            f"{', open-ended' if r.get('open_ended') else ''}."
            for r in rows
        ),
        "footer": source.footer(
            n=int(source.fit.get("n") or len(done)),
            window=f"window {units.spoken_range(done['flops'].min(), done['flops'].max(), units.flops)}",
            interval=f"{units.percent(level)} intervals where the rise stays below the line "
            f"({rows[0].get('method')})",
        ),
        "limit": limit,
        "profiles": [
            {k: r.get(k) for k in ("name", "grid", "rise", "value", "interval", "open_ended")} for r in rows
        ],
    }


def _width(row: dict[str, Any]) -> float:
    """Return the interval's width relative to the value."""
    low, high = row["interval"]
    return float(abs(high - low) / max(abs(row["value"]), 1e-12))


def _name(row: dict[str, Any]) -> str:
    return units.formula(str(row["name"]))


def _limit(row: dict[str, Any]) -> float:
    """Return the rise at the ends of the interval, the quantile that defines them."""
    grid, rise = (np.array([v if v is not None else np.nan for v in row[k]], float) for k in ("grid", "rise"))
    root = np.sqrt(np.maximum(rise, 0.0))
    ends = [v for v in row.get("interval") or [] if v is not None and grid.min() < v < grid.max()]
    rises = [float(np.interp(v, grid, root)) ** 2 for v in ends]
    return float(np.median(rises)) if rises else 3.84


def compute(source: Source) -> list[dict[str, Any]]:
    """Compute the profiles of the fit beside a ledger, refitted with its own options and no bootstrap.

    Raises TableError for a law outside the catalogue or a ledger that no longer reproduces the fit, and
    FitError or ConfigError from the fit itself.
    """
    from scaling.errors import TableError
    from scaling.fitting.fit import fit as run
    from scaling.fitting.fit_file import with_tuples
    from scaling.fitting.uncertainty.profile import profile

    assert source.fit is not None
    law = law_of(source.fit)
    inputs = source.fit.get("input") or {}
    options = {k: with_tuples(v) for k, v in (source.fit.get("options") or {}).items()}
    request = [law.name, inputs.get("columns"), inputs.get("where"), options]
    key = (source.digest, json.dumps(request, default=str))
    if key in _made:
        return _made[key]
    if int(source.fit.get("n") or 0) > MOST_RUNS:
        raise TableError(
            f"{source.name} has more than {MOST_RUNS} runs; `scaling fit` profiles so large a fit only where "
            "it is flat"
        )
    fit = run(
        str(source.folder),
        law,
        columns=inputs.get("columns"),
        where=inputs.get("where"),
        **{**options, "bootstrap": "none", "starts": 4},
    )
    for name, theirs in source.fit["parameters"].items():
        ours = float(fit.theta[law.names.index(name)]) if name in law.names else theirs["value"]
        if not math.isclose(ours, float(theirs["value"]), rel_tol=0.02, abs_tol=1e-6):
            raise TableError(
                f"the ledger of {source.name} no longer reproduces its fit, so its profiles are not drawn; "
                f"fit it again with `scaling fit {source.name}`"
            )
    free = [n for n in fit.problem.coordinates.names if n not in fit.options.tied.values()]
    _made[key] = [
        profile(fit.problem, fit.optimum, name, level=fit.options.level, points=POINTS).to_json()
        for name in free[:8]
    ]
    return _made[key]


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    rows, limit = data["profiles"], data["limit"]
    columns = len(rows) if len(rows) <= 5 else math.ceil(len(rows) / 2)
    deep = math.ceil(len(rows) / columns)
    figure, grid = style.canvas(
        data,
        columns=columns,
        rows=(1.0,) * deep,
        gap=0.26,
        row_gap=0.85,
        width=max(7.2, 0.9 + 1.62 * columns),
        height=1.9 + 2.0 * deep,
        head=0.36,
    )
    panels = [axes for row in grid for axes in row]
    for axes in panels[len(rows) :]:
        axes.set_axis_off()
    top = 2.6 * limit
    for i, (axes, row) in enumerate(zip(panels, rows, strict=False)):
        _panel(axes, row, limit, top)
        if i % columns:
            axes.set_yticklabels([])
        else:
            axes.set_ylabel("rise of the objective")
    return figure


def _panel(axes: Any, row: dict[str, Any], limit: float, top: float) -> None:
    keep = [i for i, v in enumerate(row["rise"]) if v is not None and row["grid"][i] is not None]
    x, y = (np.array([row[k][i] for i in keep], dtype=float) for k in ("grid", "rise"))
    wide = x.min() > 0 and x.max() > 4 * x.min()
    if wide:
        axes.set_xscale("log")
    # The square root of the rise is nearly linear between the tried values.
    z = np.log(x) if wide else x
    fine = np.linspace(z.min(), z.max(), 240)
    signed = np.sqrt(np.maximum(y, 0)) * np.sign(x - row["value"])
    curve = np.interp(fine, z, signed) ** 2
    at = np.exp(fine) if wide else fine
    colour = style.tone(style.VERMILION if row.get("open_ended") else style.BLUE)
    axes.plot(at, curve, color=colour, lw=1.1, zorder=2)
    axes.plot(at, np.where(curve <= limit, curve, np.nan), color=colour, lw=2.6, zorder=3)
    axes.axhline(limit, color=style.paper().muted, lw=0.8, ls="--", zorder=1)
    axes.plot(row["value"], 0, "D", ms=5.5, color=style.paper().ink, clip_on=False, zorder=4)
    inside = at[curve <= top]
    low, high = (inside.min(), inside.max()) if len(inside) else (at.min(), at.max())
    room = 0.05 * (np.log(high / low) if wide else high - low)
    axes.set_xlim((low * math.exp(-room), high * math.exp(room)) if wide else (low - room, high + room))
    axes.set_ylim(0, top)
    axes.locator_params(axis="y", nbins=4)
    units.say_axis(axes.xaxis, lambda v: units.count(v) if abs(v) >= 1000 else units.digits(v), 3)
    axes.set_xlabel(units.formula(row["name"]), color=style.paper().ink)
