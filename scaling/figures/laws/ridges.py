"""Draw bootstrap draws of every pair of parameters; ridges show strongly correlated estimates."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from scaling.figures import style, units
from scaling.figures.source import Source

NAME = "ridges"


def data(source: Source) -> dict[str, Any]:
    """Return the figure's content as plain JSON; `missing` holds the reason where it cannot be drawn."""
    base = {"figure": NAME, "schema": 1}
    if source.fit is None or source.unfitted:
        return {**base, "missing": source.unfitted}
    drawn = source.fit.get("bootstrap") or {}
    names, draws = drawn.get("names") or [], drawn.get("draws") or []
    if len(draws) < 20 or len(names) < 2:
        return {
            **base,
            "missing": f"the fit of {source.name} holds {len(draws)} bootstrap draws and this figure needs "
            f"20; run `scaling fit {source.name} --bootstrap pairs`.",
        }
    values = np.array([[np.nan if v is None else float(v) for v in row] for row in draws])
    values = values[np.isfinite(values).all(1)]
    spread = [i for i in range(len(names)) if np.unique(values[:, i]).size > 1][:6]
    values, names = values[:, spread], [names[i] for i in spread]
    logs = np.where((values > 0).all(0), np.log(np.where(values > 0, values, 1.0)), values)
    together = np.corrcoef(logs.T)
    pairs = [(abs(together[i, j]), names[i], names[j]) for i in range(len(names)) for j in range(i)]
    strong = [p for p in sorted(pairs, reverse=True) if p[0] > 0.9]
    pairs_text = ", ".join(f"{units.formula(b)} and {units.formula(a)}" for _, a, b in strong[:3])
    title = f"{pairs_text} trade off" if strong else "No two parameters are correlated beyond 0.9"
    estimates = source.fit.get("parameters") or {}
    first: dict[str, Any] = next(iter(estimates.values()), {})
    return {
        **base,
        "title": title,
        "subtitle": f"{len(values)} bootstrap draws of every pair; a narrow ridge means that the data fix "
        "only a combination of the two; numbers: correlations (of logarithms where positive)",
        "alt": f"Scatter of bootstrap draws for every pair of {', '.join(map(units.formula, names))}. "
        f"{title}.",
        "footer": source.footer(
            n=int(source.fit.get("n") or 0),
            window=f"window: {len(values)} draws shown",
            interval=f"shaded: {units.percent(first['level'])} interval ({first.get('method')})"
            if first.get("level")
            else "no interval",
            note="diamond: estimate",
        ),
        "names": names,
        "draws": values.tolist(),
        "correlation": together.tolist(),
        "estimates": [(estimates.get(n) or {}).get("value") for n in names],
        "intervals": [(estimates.get(n) or {}).get("interval") for n in names],
    }


def _limits(x: np.ndarray, scale: str) -> tuple[float, float]:
    """Return the ends of an axis, with a margin around the draws; the outermost 1 % may lie outside."""
    z = np.log(x) if scale == "log" else x
    low, high = np.quantile(z, [0.005, 0.995])
    room = 0.12 * (high - low)
    ends = (low - room, high + room)
    return (
        (float(np.exp(ends[0])), float(np.exp(ends[1])))
        if scale == "log"
        else (float(ends[0]), float(ends[1]))
    )


def _ticks(low: float, high: float, scale: str) -> list[float]:
    """Return at most two round numbers, far apart and far from the ends, where the next panel begins."""
    log = scale == "log"
    a, b = (float(np.log(v)) for v in (low, high)) if log else (low, high)
    inner = [v * (b - a) + a for v in (0.14, 0.86)]
    if log:
        ticks = units.log_ticks(float(np.exp(inner[0])), float(np.exp(inner[1])), 4)
    else:
        even = MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]).tick_values(*inner)
        ticks = [float(t) for t in even if inner[0] <= t <= inner[1]]
    if len(ticks) < 2:
        return ticks
    apart = (np.log(ticks[-1] / ticks[0]) if log else ticks[-1] - ticks[0]) / (b - a)
    return [ticks[0], ticks[-1]] if apart > 0.45 else ticks[:1]


def _edges(x: np.ndarray, scale: str, bins: int = 24) -> np.ndarray:
    """Return the edges of a histogram, evenly spaced on the scale of the axis."""
    low, high = float(x.min()), float(x.max())
    return np.geomspace(low, high, bins + 1) if scale == "log" else np.linspace(low, high, bins + 1)


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    names, values = data["names"], np.array(data["draws"])
    k = len(names)
    figure, grid = style.canvas(
        data,
        columns=k,
        rows=(1.0,) * k,
        gap=0.12,
        row_gap=0.12,
        width=7.2,
        height=7.0,
        left=0.95,
    )
    colour = style.tone(style.BLUE)
    scales = ["log" if v.min() > 0 and v.max() > 3 * v.min() else "linear" for v in values.T]
    for i in range(k):
        for j in range(k):
            axes = grid[i][j]
            axes.grid(False)
            axes.tick_params(length=0)
            if j > i:
                axes.set_axis_off()
                axes.set_xticks([])
                axes.set_yticks([])
                strength = data["correlation"][i][j]
                axes.text(
                    0.5,
                    0.5,
                    f"{strength:+.2f}".replace("-", "−"),
                    transform=axes.transAxes,
                    ha="center",
                    va="center",
                    fontsize=8.5,
                    fontweight=600 if abs(strength) > 0.9 else 400,
                    color=style.paper().ink if abs(strength) > 0.9 else style.paper().muted,
                )
                continue
            x, y = values[:, j], values[:, i]
            axes.set_xscale(scales[j])
            low, high = _limits(x, scales[j])
            axes.set_xlim(low, high)
            span = data["intervals"][j]
            if span and None not in span:
                axes.axvspan(*np.clip(span, low, high), color=colour, alpha=0.10, lw=0)
            if i == j:
                axes.hist(
                    x,
                    bins=[float(e) for e in _edges(x, scales[j])],
                    color=colour,
                    alpha=0.85,
                )
                axes.spines["left"].set_visible(False)
            else:
                axes.plot(x, y, ls="", marker="o", ms=1.8, color=colour, alpha=0.45, mew=0, rasterized=True)
                axes.set_yscale(scales[i])
                axes.set_ylim(*_limits(y, scales[i]))
                if None not in (data["estimates"][i], data["estimates"][j]):
                    axes.plot(
                        data["estimates"][j], data["estimates"][i], "D", ms=4.5, color=style.paper().ink
                    )
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_locator(NullLocator())
                axis.set_minor_locator(NullLocator())
            if i == k - 1:
                ticks = _ticks(*axes.get_xlim(), scales[j])
                axes.set_xticks(ticks, [units.plain(t) for t in ticks])
                axes.set_xlabel(units.formula(names[j]), color=style.paper().ink)
            if j == 0 and i:
                ticks = _ticks(*axes.get_ylim(), scales[i])
                axes.set_yticks(ticks, [units.plain(t) for t in ticks])
                axes.set_ylabel(units.formula(names[i]), color=style.paper().ink)
    figure.align_ylabels([grid[i][0] for i in range(k)])
    return figure
