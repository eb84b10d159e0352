"""Lay out small multiples: one panel for each kind of runs, all on the same axes."""

from __future__ import annotations

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scaling.figures import style

MOST = 9
"""Largest number of kinds that get a panel; the first ones in the order of the table."""


def of(rows: list[dict[str, Any]]) -> list[str]:
    """Return the kinds of the rows in order of appearance; one empty name where rows name no kind."""
    return list(dict.fromkeys(str(row.get("kind", "")) for row in rows))


Place = tuple[Axes, str, bool, bool]
"""A panel: (axes, kind, whether its left axis is labelled, whether its lower axis is labelled)."""


def canvas(
    data: dict[str, Any], kinds: list[str], *, right: float, gap: float, ruled: bool = False
) -> tuple[Figure, list[Place]]:
    """Return a figure and its panels, one per kind; `ruled` leaves room for the ruler of sizes."""
    columns = min(len(kinds), 2 if len(kinds) <= 4 else 3)
    deep = math.ceil(len(kinds) / columns)
    figure, grid = style.canvas(
        data,
        columns=columns,
        rows=(1.0,) * deep,
        right=right,
        gap=gap,
        row_gap=0.62,
        width=7.2 if columns < 3 else 9.6,
        height=4.9 if deep == 1 else 1.75 + 2.3 * deep,
        head=(0.34 if ruled else 0.2) + (0.2 if len(kinds) > 1 else 0.0),
    )
    panels = [axes for row in grid for axes in row]
    for axes in panels[len(kinds) :]:
        axes.set_axis_off()
    for axes, kind in zip(panels, kinds, strict=False):
        if kind:
            axes.set_title(kind, color=style.paper().ink, pad=6, y=1.0)
    return figure, [
        (axes, kind, i % columns == 0, i + columns >= len(kinds))
        for i, (axes, kind) in enumerate(zip(panels, kinds, strict=False))
    ]


def ruler(places: list[Place], sizes: list[float]) -> None:
    """Draw the ruler of sizes above the last panel of the first row, clear of the kinds' names."""
    last = next((i for i, place in enumerate(places) if i and place[2]), len(places)) - 1
    alone = len(places) == 1
    style.size_ruler(places[last][0], min(sizes), max(sizes), lift=0.10 if alone else 0.30)
