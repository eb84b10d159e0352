"""Draw backtests: a law fitted below a cut in compute, its forecasts above, and the measured losses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from scaling.figures import style, units
from scaling.figures.source import Source

NAME = "forecasts"
MOST = 4
"""Number of cuts drawn, evenly spaced and including the last; coverage counts all cuts."""


def data(source: Source) -> dict[str, Any]:
    """Return the figure's content as plain JSON; `missing` holds the reason where it cannot be drawn."""
    base = {"figure": NAME, "schema": 1}
    if source.fit is None or source.unfitted:
        return {**base, "missing": source.unfitted}
    validation = source.fit.get("validation") or {}
    backtest = validation.get("backtest") or {}
    cuts = [c for c in backtest.get("cuts") or [] if c.get("forecasts") and len(c["forecasts"][0]) == 5]
    if not cuts:
        why = (validation.get("missing") or {}).get("backtest")
        return {
            **base,
            "missing": f"{source.name} was not backtested: {why}."
            if why
            else f"the fit of {source.name} holds no backtest; run `scaling fit {source.name}` again.",
        }
    shown = [cuts[i] for i in np.unique(np.linspace(0, len(cuts) - 1, MOST).round().astype(int))]
    level = float(backtest.get("level") or 0.95)
    overall = (backtest.get("by_decades_beyond") or {}).get("all") or {}
    total, calibrated = overall.get("forecasts"), overall.get("calibrated_coverage")
    say = units.flops if backtest.get("ladder") == "C" else units.count
    level_text = units.percent(level)
    rows = [f for c in cuts for f in c["forecasts"]]
    held = sum(abs(error) <= half for _, error, half, *_ in rows) / len(rows)
    title = f"{level_text} intervals covered {units.percent(held)} of {len(rows)} forecasts of larger runs"
    if total and calibrated is not None:
        title += f", calibrated intervals {units.percent(calibrated)} of {total}"
    furthest = max(row[0] for row in rows)
    return {
        **base,
        "title": title,
        "subtitle": "Each panel: the law fitted up to a cut in compute; dots: the larger runs. Inner band: "
        "nominal interval; outer band: widened by the errors at earlier cuts; crosses lie outside",
        "alt": f"Errors of forecasts from {len(shown)} cuts in compute, up to a factor of "
        f"{units.digits(10**furthest)} beyond the cut, inside nominal and calibrated bands. {title}.",
        "footer": source.footer(
            n=int(source.fit.get("n") or len(source.fitted)),
            window=f"window {len(cuts)} cuts, {units.spoken_range(cuts[0]['at'], cuts[-1]['at'], say)}",
            interval=f"{level_text} prediction intervals (pairs bootstrap and residuals below the cut)",
            note="calibrated: nominal interval and other admissible laws, each side widened by the largest "
            "factor that an earlier cut needed, growing with distance; counted from the second cut on",
        ),
        "ladder": backtest.get("ladder"),
        "scale": backtest.get("scale") or "log",
        "cuts": [
            {
                "at": c["at"],
                "fitted": c.get("fitted"),
                "forecasts": c["forecasts"],
            }
            for c in shown
        ],
    }


def _rise(values: Any, scale: str) -> np.ndarray:
    """Return errors in per cent of the forecast, or in nats where they are errors of the loss itself."""
    v = np.asarray(values, dtype=float)
    return 100 * np.expm1(v) if scale == "log" else v


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    cuts, scale = data["cuts"], data["scale"]
    figure, (row,) = style.canvas(
        data,
        columns=len(cuts),
        gap=0.28,
        width=8.6 if len(cuts) > 2 else 7.2,
        height=4.1,
        head=0.36,
    )
    reach = 0.0
    for axes, cut in zip(row, cuts, strict=True):
        reach = max(reach, _panel(axes, cut, data))
    for i, axes in enumerate(row):
        axes.set_ylim(-1.08 * reach, 1.08 * reach)
        axes.locator_params(axis="y", nbins=6)
        units.say_axis(axes.xaxis, lambda v: f"× {units.digits(v)}", 3)
        axes.set_xlabel("beyond the cut")
        if i:
            axes.set_yticklabels([])
    row[0].set_ylabel("measured / forecast − 1 (%)" if scale == "log" else "measured − forecast (nats)")
    return figure


def _panel(axes: Any, cut: dict[str, Any], data: dict[str, Any]) -> float:
    """Draw one cut and return the largest absolute value that its panel must show."""
    scale = data["scale"]
    decades, error, half, low, high = (np.array(v, dtype=float) for v in zip(*cut["forecasts"], strict=True))
    steps = np.unique(decades.round(2))
    steps = steps if len(steps) <= 12 else np.quantile(decades, np.linspace(0, 1, 12))
    near = np.abs(decades[:, None] - steps[None]).argmin(1)
    groups = [i for i in range(len(steps)) if (near == i).any()]
    x = np.array([decades[near == i].mean() for i in groups])
    span = float(decades.max())
    # Below the cut the runs are fitted, so the bands begin at the cut, with the width of the nearest step.
    at = np.concatenate([[0.0], x])

    def edge(values: np.ndarray) -> np.ndarray:
        middle = np.array([np.median(values[near == i]) for i in groups])
        return np.concatenate([middle[:1], middle])

    nominal = edge(half)
    colour = style.tone(style.BLUE)
    reach = [float(np.abs(_rise(error, scale)).max()), float(np.abs(_rise(nominal, scale)).max())]
    bands = [(-nominal, nominal, 0.22)]
    calibrated = bool(np.isfinite(low).all())
    if calibrated:
        bands.insert(0, (edge(low), edge(high), 0.13))
        reach += [float(np.abs(_rise(end, scale)).max()) for end in bands[0][:2]]
    axes.set_xscale("log")
    for lower, upper, alpha in bands:
        axes.fill_between(
            10**at, _rise(lower, scale), _rise(upper, scale), color=colour, alpha=alpha, lw=0, zorder=1
        )
    axes.axhline(0, color=colour, lw=1.6, zorder=2)
    outside = (error < low) | (error > high) if calibrated else np.abs(error) > half
    dots = ((~outside, "o", style.paper().ink), (outside, "X", style.tone(style.VERMILION)))
    for keep, marker, tint in dots:
        axes.plot(
            10 ** decades[keep],
            _rise(error[keep], scale),
            marker,
            ms=4.6,
            color=tint,
            mec=style.paper().background,
            mew=0.5,
            zorder=3,
        )
    say = units.flops if data["ladder"] == "C" else units.count
    axes.set_title(f"cut at {say(cut['at'])}", color=style.paper().muted, pad=8)
    axes.set_xlim(1, 10 ** (1.06 * span))
    return max(v for v in reach if math.isfinite(v))
