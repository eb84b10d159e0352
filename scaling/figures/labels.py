"""Draw labels beside what they name, instead of legends, and push them apart until none covers another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text


def spread(wanted: Sequence[float], gap: float, low: float = -np.inf, high: float = np.inf) -> list[float]:
    """Return the positions nearest to `wanted` (least squares) that are at least `gap` apart in [low, high].

    The order is kept. Method: pool adjacent violators on the positions less their minimal offsets.
    """
    order = np.argsort(wanted, kind="stable")
    offsets = np.arange(len(order)) * gap
    blocks: list[tuple[float, int]] = []
    for value in np.asarray(wanted, dtype=float)[order] - offsets:
        blocks.append((float(value), 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, n), (b, m) = blocks[-2], blocks[-1]
            blocks[-2:] = [((a * n + b * m) / (n + m), n + m)]
    placed = np.concatenate([np.full(n, v) for v, n in blocks]) if blocks else np.empty(0)
    placed = np.clip(placed, low, high - offsets[-1] if len(order) else high) + offsets
    positions = np.empty(len(order))
    positions[order] = placed
    return [float(v) for v in positions]


def margin(axes: Axes, y: float, text: str, *, dx: float, size: float = 8.5, color: Any = None) -> None:
    """Write a text beside the axes at the height `y` in data units.

    dx: distance from the right edge in points; where negative, from the left edge.
    """
    axes.annotate(
        text,
        (0 if dx < 0 else 1, y),
        xycoords=("axes fraction", "data"),
        xytext=(dx, 0),
        textcoords="offset points",
        ha="right" if dx < 0 else "left",
        va="center_baseline",
        fontsize=size,
        color=color,
        annotation_clip=False,
    )


def beside(
    axes: Axes,
    labels: Sequence[tuple[float, float, str, str]],
    *,
    size: float = 8.5,
    dx: float = 8.0,
    gap: float = 1.45,
    column: bool = False,
    hairlines: bool = True,
) -> list[Text]:
    """Write labels to the right of their points, spread vertically so that none overlaps another.

    labels: (x, y in data units, text, colour). Each label has a background in the sheet's colour; a label
    that moved far from its point gets a hairline. `column` sets all labels beside the right edge of the axes,
    so that none covers a line. Call this after the axes have their final limits. Returns the texts.
    """
    if not labels:
        return []
    figure = axes.figure
    dots = figure.dpi / 72  # points to display units
    at = axes.transData.transform([(x, y) for x, y, _, _ in labels])
    box = axes.get_window_extent()
    ys = spread(at[:, 1].tolist(), size * gap * dots, box.y0 - 2, box.y1 + size * dots)
    texts: list[Text] = []
    ground = {"facecolor": axes.get_facecolor(), "edgecolor": "none", "pad": 0.6}
    for (x, y, text, colour), (px, py), new in zip(labels, at, ys, strict=True):
        shift, aside = (new - py) / dots, max(0.0, (box.x1 - px) / dots) if column else 0.0
        if hairlines and (abs(shift) > size * 0.6 or aside > size):
            axes.annotate(
                "",
                (x, y),
                xytext=(aside + dx - 1, shift),
                textcoords="offset points",
                arrowprops={"arrowstyle": "-", "lw": 0.6, "color": colour, "shrinkA": 0, "shrinkB": 2},
            )
        texts.append(
            axes.annotate(
                text,
                (x, y),
                xytext=(aside + dx, shift),
                textcoords="offset points",
                color=colour,
                fontsize=size,
                bbox=ground,
                va="center_baseline",
                annotation_clip=False,
            )
        )
    return texts
