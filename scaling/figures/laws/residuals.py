"""Draw the residuals of a law against N, D, C and the predicted loss, and test them for trends."""

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
"""(column, label, scale) of each panel."""


LEVEL = 0.05
"""Significance level of the trend tests over N, D and C together."""


def trend(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Return the t value and two-sided p value of the slope of y on log x.

    The result is (0, 1) where there are fewer than 4 points or x does not vary.
    """
    z = np.log(x) - np.log(x).mean()
    if len(x) < 4 or not (z**2).sum() > 0:
        return 0.0, 1.0
    slope = float((z * y).sum() / (z**2).sum())
    rest = y - y.mean() - slope * z
    error = float(np.sqrt((rest**2).sum() / (len(x) - 2) / (z**2).sum()))
    t = slope / error if error > 0 else 0.0
    return t, float(2 * stats.t.sf(abs(t), len(x) - 2))


def holm(p: dict[str, float]) -> dict[str, float]:
    """Adjust p values for multiple tests by Holm's step-down rule, which bounds the family-wise error rate.

    Source: Holm 1979, Scandinavian Journal of Statistics 6, 65.
    """
    adjusted, worst = {}, 0.0
    for i, name in enumerate(sorted(p, key=lambda n: p[n])):
        worst = max(worst, min(1.0, (len(p) - i) * p[name]))
        adjusted[name] = worst
    return {name: adjusted[name] for name in p}


def data(source: Source) -> dict[str, Any]:
    """Return the figure's content as plain JSON; `missing` holds the reason where it cannot be drawn."""
    base = {"figure": NAME, "schema": 1}
    try:
        table, law = surface(source)
    except TableError as reason:
        return {**base, "missing": f"{reason}."}
    axes = [a for a in AXES if a[0] in table and np.isfinite(table[a[0]]).all()]
    rest = (table["L"] / table["predicted"] - 1).to_numpy()
    tested = {a[0]: trend(table[a[0]].to_numpy(), rest) for a in axes if a[0] != "predicted"}
    p = holm({name: value for name, (_, value) in tested.items()})
    trending = [name for name in p if p[name] < LEVEL]
    title = (
        f"The residuals of the law still depend on {' and '.join(trending)}"
        if trending
        else f"No linear trend of the residuals is detected in {_listed(list(p))}"
    )
    chances = ", ".join(f"{name} {_chance(value)}" for name, value in p.items())
    return {
        **base,
        "title": title,
        "subtitle": f"Residual: measured over predicted loss, minus one; {len(table)} runs; line: median of "
        "neighbouring runs",
        "alt": f"Residuals of {law.name} against parameters, tokens, compute and predicted loss. {title}.",
        "footer": source.footer(
            n=len(table),
            window=f"window {units.spoken_range(table['C'].min(), table['C'].max(), units.flops)}",
            interval=f"fitted to {(source.fit or {}).get('n')} runs",
            note=f"t-tests of the slope on the logarithm, Holm-adjusted over {len(p)}: p = {chances}; trend: "
            f"p < {LEVEL:g}",
        ),
        "trends": {name: {"t": tested[name][0], "p": p[name]} for name in p},
        "axes": [{"column": a[0], "label": a[1], "scale": a[2]} for a in axes],
        "points": [
            {"run_id": row["run_id"], "rest": float(r), **{a[0]: row[a[0]] for a in axes}}
            for row, r in zip(table.to_dict("records"), rest, strict=True)
        ],
    }


def _listed(names: list[str]) -> str:
    """Return names as a list in words, such as `N, D or C`."""
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def _chance(p: float) -> str:
    """Return a p value as text: 0.042, or < 0.001."""
    return "< 0.001" if p < 0.001 else units.digits(p)


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
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
    row[0].set_ylabel("residual (%)")
    N = [p["N"] for p in data["points"]]
    style.size_ruler(row[-1], min(N), max(N))
    return figure
