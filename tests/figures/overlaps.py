"""Find texts of a figure that cover each other or leave the sheet."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox


def texts(figure: Figure) -> list[tuple[str, Bbox]]:
    """Every visible, non-empty text of a figure with its box in display units."""
    canvas: Any = FigureCanvasAgg(figure)
    renderer = canvas.get_renderer()
    figure.draw_without_rendering()
    unseen = _outside(figure)
    found = []
    for text in figure.findobj(Text):
        if text not in unseen and text.get_visible() and text.get_text().strip() and text.get_alpha() != 0:
            box = text.get_window_extent(renderer)
            if box.width > 0 and box.height > 0:
                found.append((text.get_text(), box))
    return found


def _outside(figure: Figure) -> set[Text]:
    """Tick labels that exist but are never drawn: their ticks lie outside the axes' limits, or the axes
    are off."""
    unseen: set[Text] = set()
    for axes in figure.findobj(Axes):
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            slack = 1e-9 * (high - low)
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if not axes.axison or not low - slack <= tick.get_loc() <= high + slack:
                    unseen |= {tick.label1, tick.label2}
    return unseen


def overlaps(figure: Figure, slack: float = 1.0) -> list[tuple[str, str]]:
    """Pairs of texts whose boxes overlap by more than `slack` display units both ways, and texts that
    leave the sheet (paired with '')."""
    boxes = texts(figure)
    sheet = figure.bbox
    bad = []
    for i, (one, a) in enumerate(boxes):
        if (
            a.x0 < sheet.x0 - slack
            or a.y0 < sheet.y0 - slack
            or a.x1 > sheet.x1 + slack
            or a.y1 > sheet.y1 + slack
        ):
            bad.append((one, ""))
        for other, b in boxes[i + 1 :]:
            if min(a.x1, b.x1) - max(a.x0, b.x0) > slack and min(a.y1, b.y1) - max(a.y0, b.y0) > slack:
                bad.append((one, other))
    return bad
