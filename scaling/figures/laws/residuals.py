"""What the law leaves over, against N, D, C and the fitted loss: a law that is right leaves no trend."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

from scaling.errors import TableError
from scaling.figures import style, units
from scaling.figures.laws.predict import surface
from scaling.figures.marks import dots, level, running
from scaling.figures.source import Source

NAME = "residuals"
AXES = (
    ("N", "parameters N", "log"),
    ("D", "tokens D", "log"),
    ("C", "training compute C", "log"),
    ("predicted", "predicted L", "linear"),
)
"""(column, label, scale) a panel."""


LEVEL = 0.05
"""How often a law that is right may be said to leave a trend in any of N, D, C."""


def trend(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """The t value and the two-sided p value of a straight line of y on log x; (0, 1) where there are fewer
    than 4 points or no spread."""
    z = np.log(x) - np.log(x).mean()
    if len(x) < 4 or not (z**2).sum() > 0:
        return 0.0, 1.0
    slope = float((z * y).sum() / (z**2).sum())
    rest = y - y.mean() - slope * z
    error = float(np.sqrt((rest**2).sum() / (len(x) - 2) / (z**2).sum()))
    t = slope / error if error > 0 else 0.0
    return t, float(2 * stats.t.sf(abs(t), len(x) - 2))


def holm(p: dict[str, float]) -> dict[str, float]:
    """p values of several questions at once, by Holm's step-down rule: the chance of any false alarm stays
    below the level (Holm 1979, Scandinavian Journal of Statistics 6, 65)."""
    adjusted, worst = {}, 0.0
    for i, name in enumerate(sorted(p, key=lambda n: p[n])):
        worst = max(worst, min(1.0, (len(p) - i) * p[name]))
        adjusted[name] = worst
    return {name: adjusted[name] for name in p}


def data(source: Source) -> dict[str, Any]:
    """What the figure shows, as plain JSON; `missing` says in one sentence what is not there."""
    base = {"figure": NAME, "schema": 1}
    try:
        table, law = surface(source)
    except TableError as reason:
        return {**base, "missing": f"{reason}."}
    axes = [a for a in AXES if a[0] in table and np.isfinite(table[a[0]]).all()]
    rest = (table["L"] / table["predicted"] - 1).to_numpy()
    tested = {a[0]: trend(table[a[0]].to_numpy(), rest) for a in axes if a[0] != "predicted"}
    p = holm({name: value for name, (_, value) in tested.items()})
    found = [name for name in p if p[name] < LEVEL]
    title = (
        f"What the law leaves over still depends on {' and '.join(found)}"
        if found
        else f"No straight trend is left in {_listed(list(p))}"
    )
    said = ", ".join(f"{name} {_chance(value)}" for name, value in p.items())
    return {
        **base,
        "title": title,
        "subtitle": f"Measured over predicted loss less one, {len(table)} runs; the line is the median "
        "of neighbours",
        "alt": f"Residuals of {law.name} against parameters, tokens, compute and predicted loss. {title}.",
        "footer": source.footer(
            n=len(table),
            window=f"window {units.spoken_range(table['C'].min(), table['C'].max(), units.flops)}",
            interval=f"fitted to {(source.fit or {}).get('n')} runs",
            note=f"t-tests of a straight line on the logarithm, Holm over {len(p)}: p = {said}; a trend is "
            f"said below {LEVEL:g}",
        ),
        "trends": {name: {"t": tested[name][0], "p": p[name]} for name in p},
        "axes": [{"column": a[0], "label": a[1], "scale": a[2]} for a in axes],
        "points": [
            {"run_id": row["run_id"], "rest": float(r), **{a[0]: row[a[0]] for a in axes}}
            for row, r in zip(table.to_dict("records"), rest, strict=True)
        ],
    }


def _listed(names: list[str]) -> str:
    """N, D or C."""
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def _chance(p: float) -> str:
    """A p value in words: 0.042, or < 0.001."""
    return "< 0.001" if p < 0.001 else units.digits(p)


def draw(data: dict[str, Any]) -> Figure:
    """The figure of `data`."""
    wide = len(data["axes"])
    figure, (row,) = style.canvas(
        data,
        columns=wide,
        gap=0.28,
        width=8.6,
        height=3.9,
        head=0.42,
    )
    rest = [100 * p["rest"] for p in data["points"]]
    reach = 1.15 * max(map(abs, rest)) or 1.0
    for i, (axes, spec) in enumerate(zip(row, data["axes"], strict=True)):
        x = [p[spec["column"]] for p in data["points"]]
        axes.set_xscale(spec["scale"])
        level(axes)
        dots(axes, x, rest, [p["N"] for p in data["points"]], small=4.2)
        axes.plot(*running(x, rest), color=style.paper().ink, lw=1.4, zorder=4)
        axes.set_ylim(-reach, reach)
        axes.set_xlabel(spec["label"])
        if spec["scale"] == "log":
            axes.set_xlim(min(x) / 1.4, max(x) * 1.4)
            units.say_axis(axes.xaxis, units.flops if spec["column"] == "C" else units.count, 2)
        if i:
            axes.set_yticklabels([])
    row[0].set_ylabel("left over (%)")
    N = [p["N"] for p in data["points"]]
    style.size_ruler(row[-1], min(N), max(N))
    return figure
