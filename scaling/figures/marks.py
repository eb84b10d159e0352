"""Draw the marks that several figures share: dots and lines coloured by size, and reference lines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from scaling.figures import style

MANY = 400
"""Number of marks above which a figure stores them as pixels; 5 000 marks in an SVG weigh megabytes."""


def many(marks: int) -> bool:
    """Return whether this number of marks is stored as pixels."""
    return marks > MANY


def positions(sizes: Sequence[float], among: Sequence[float] | None = None) -> list[float]:
    """Return the position of each size between the smallest (0) and the largest (1) size, in logarithms.

    The range is that of `among`, by default that of `sizes`.
    """
    logs, all_logs = (np.log(np.asarray(v, dtype=float)) for v in (sizes, among or sizes))
    span = max(float(np.ptp(all_logs)), 1e-9)
    return [float(v) for v in (logs - all_logs.min()) / span]


def dots(
    axes: Axes,
    x: Sequence[float],
    y: Sequence[float],
    sizes: Sequence[float],
    *,
    small: float = 5.0,
    zorder: float = 3,
) -> None:
    """Draw runs at (x, y), coloured by parameters; where there are few sizes each has its own shape."""
    levels = np.unique(np.round(np.log(sizes), 2))
    few = len(levels) <= len(style.MARKERS)
    shapes = {level: style.MARKERS[i] for i, level in enumerate(levels)} if few else {}
    thin = small if len(sizes) <= 80 else max(1.8, small * (80 / len(sizes)) ** 0.4)
    steps = [round(at * (style.STEPS - 1)) for at in positions(sizes)]
    groups: dict[tuple[int, str], list[int]] = {}
    for i, (step, level) in enumerate(zip(steps, np.round(np.log(sizes), 2), strict=True)):
        groups.setdefault((step, shapes.get(level, "o")), []).append(i)
    for (step, shape), inside in sorted(groups.items()):
        axes.plot(
            [x[i] for i in inside],
            [y[i] for i in inside],
            ls="",
            marker=shape,
            ms=thin,
            color=style.ramp(step / (style.STEPS - 1)),
            mec=style.paper().background,
            mew=0.5 if not many(len(sizes)) else 0.0,
            zorder=zorder,
            rasterized=many(len(sizes)),
        )


def threads(
    axes: Axes,
    lines: Sequence[tuple[Sequence[float], Sequence[float]]],
    sizes: Sequence[float],
    *,
    width: float,
    among: Sequence[float] | None = None,
) -> None:
    """Draw one thin line (x, y) per run, coloured by parameters, the largest models at the back.

    The colour ramp runs from the smallest to the largest size of `among`, by default of `sizes`.
    """
    order = sorted(range(len(lines)), key=lambda i: -sizes[i])
    colours = [style.ramp(at) for at in positions(sizes, among)]
    thin = width if len(lines) <= 60 else max(0.3 * width, width * 60 / len(lines))
    axes.add_collection(
        LineCollection(
            [np.column_stack(lines[i]) for i in order],
            colors=[colours[i] for i in order],
            linewidths=thin,
            alpha=0.75,
            zorder=2,
            capstyle="round",
            rasterized=many(4 * len(lines)),
        )
    )


def level(axes: Axes, y: float = 0.0) -> None:
    """Draw a thin horizontal line across the panel."""
    axes.axhline(y, color=style.paper().muted, lw=0.8, zorder=1)


def running(x: Sequence[float], y: Sequence[float], bins: int = 6) -> tuple[list[float], list[float]]:
    """Return the medians of y in bins of equal counts along x, and the bins' geometric mean x."""
    order = np.argsort(x, kind="stable")
    levels, level_of = np.unique(np.round(np.log(x), 1), return_inverse=True)
    if len(levels) <= bins:
        order, level_of = np.arange(len(order)), np.asarray(level_of)
        groups = [np.flatnonzero(level_of == i) for i in range(len(levels))]
    else:
        groups = [g for g in np.array_split(order, min(bins, max(len(order) // 4, 1))) if len(g)]
    X, Y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    return [float(np.exp(np.mean(np.log(X[g])))) for g in groups], [float(np.median(Y[g])) for g in groups]
