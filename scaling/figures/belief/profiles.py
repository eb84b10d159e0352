"""Profiles of the objective: each parameter held at a value and all others refitted. A flat profile is a
parameter that the runs do not know."""

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
"""Values tried a parameter where the fit does not hold profiles yet."""
MOST_RUNS = 2000
"""Larger ledgers are profiled by the fit alone, where it finds flat directions."""
_made: dict[tuple[str, str], list[dict[str, Any]]] = {}


def data(source: Source) -> dict[str, Any]:
    """What the figure shows, as plain JSON; `missing` says in one sentence what is not there."""
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
        else f"The runs bound every parameter: {_said(min(rows, key=_width))} best, "
        f"{_said(max(rows, key=_width))} worst"
    )
    limit = max((_limit(r) for r in rows), default=4.0)
    done = source.fitted
    return {
        **base,
        "title": title,
        "subtitle": "Rise of the objective when one parameter is held and the others are refitted; thick: "
        f"below the {units.percent(level)} limit",
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
    """The interval's width relative to the value."""
    low, high = row["interval"]
    return float(abs(high - low) / max(abs(row["value"]), 1e-12))


def _said(row: dict[str, Any]) -> str:
    return units.formula(str(row["name"]))


def _limit(row: dict[str, Any]) -> float:
    """The rise at the ends of the interval: the quantile that decided them."""
    grid, rise = (np.array([v if v is not None else np.nan for v in row[k]], float) for k in ("grid", "rise"))
    root = np.sqrt(np.maximum(rise, 0.0))
    ends = [v for v in row.get("interval") or [] if v is not None and grid.min() < v < grid.max()]
    found = [float(np.interp(v, grid, root)) ** 2 for v in ends]
    return float(np.median(found)) if found else 3.84


def compute(source: Source) -> list[dict[str, Any]]:
    """Profiles of the fit beside a ledger, refitted from its own options without a bootstrap.

    Raises TableError for a law that is not in the catalogue, FitError and ConfigError from the fit, and
    TableError in a sentence where the ledger no longer gives the fit.
    """
    from scaling.errors import TableError
    from scaling.fitting.fit import fit as run
    from scaling.fitting.fit_file import with_tuples
    from scaling.fitting.uncertainty.profile import profile

    assert source.fit is not None
    law = law_of(source.fit)
    given = source.fit.get("input") or {}
    options = {k: with_tuples(v) for k, v in (source.fit.get("options") or {}).items()}
    asked = [law.name, given.get("columns"), given.get("where"), options]
    key = (source.digest, json.dumps(asked, default=str))
    if key in _made:
        return _made[key]
    if int(source.fit.get("n") or 0) > MOST_RUNS:
        raise TableError(
            f"{source.name} has more than {MOST_RUNS} runs; its fit is profiled only where `scaling fit` "
            "finds it flat"
        )
    made = run(
        str(source.folder),
        law,
        columns=given.get("columns"),
        where=given.get("where"),
        **{**options, "bootstrap": "none", "starts": 4},
    )
    for name, theirs in source.fit["parameters"].items():
        ours = float(made.theta[law.names.index(name)]) if name in law.names else theirs["value"]
        if not math.isclose(ours, float(theirs["value"]), rel_tol=0.02, abs_tol=1e-6):
            raise TableError(
                f"the ledger of {source.name} no longer gives its fit, so its profiles are not drawn; fit it "
                f"again with `scaling fit {source.name}`"
            )
    free = [n for n in made.problem.coordinates.names if n not in made.options.tied.values()]
    _made[key] = [
        profile(made.problem, made.optimum, name, level=made.options.level, points=POINTS).to_json()
        for name in free[:8]
    ]
    return _made[key]


def draw(data: dict[str, Any]) -> Figure:
    """The figure of `data`."""
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
            axes.set_ylabel("rise")
    return figure


def _panel(axes: Any, row: dict[str, Any], limit: float, top: float) -> None:
    keep = [i for i, v in enumerate(row["rise"]) if v is not None and row["grid"][i] is not None]
    x, y = (np.array([row[k][i] for i in keep], dtype=float) for k in ("grid", "rise"))
    wide = x.min() > 0 and x.max() > 4 * x.min()
    if wide:
        axes.set_xscale("log")
    # Between the tried values the root of the rise is nearly straight.
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
