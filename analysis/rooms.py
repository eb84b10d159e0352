"""Draw the rooms of the package and the imports between them, as they are: `python analysis/rooms.py`."""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from scaling.figures import style

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "scaling"
PLACES = {
    "cli": (1, 4.4, "one function a verb"),
    "api": (2, 4.4, "what import scaling offers"),
    "sweeping": (0.5, 3.3, "designs, plans, launchers"),
    "figures": (2.5, 3.3, "every picture and the page"),
    "training": (0.5, 2.2, "recipe, loop, checkpoints"),
    "trends": (3, 2.2, "facts against the calendar"),
    "published": (2, 2.2, "published fits, run again"),
    "families": (0, 1.1, "one dial gives every shape"),
    "corpora": (1, 1.1, "text to tokens, by hash"),
    "fitting": (2.5, 1.1, "laws, estimators, intervals"),
    "config": (0.5, 0, "every key, typed"),
    "tables": (2.5, 0, "one reader of tables"),
}
"""Room → column, floor, what it does."""
WIDTH, HEIGHT = 0.92, 0.5


@cache
def arrows() -> Counter[tuple[str, str]]:
    """Return how many files of one room import another."""
    counted: Counter[tuple[str, str]] = Counter()
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).parts[0]
        tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        names = {
            f"{node.module}.{alias.name}"
            for node in tree
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
        }
        for other in {name.split(".")[1] for name in names if name.startswith("scaling.")} - {room}:
            if room in PLACES and other in PLACES:
                counted[room, other] += 1
    return counted


def _through(room: str, other: str) -> bool:
    """Return whether the arrow follows from two others, which are drawn instead."""
    pairs = arrows().keys()
    return any((room, between) in pairs and (between, other) in pairs for between in PLACES)


def draw(path: Path) -> None:
    """Write the picture: rooms as boxes with their files and lines, imports as arrows."""
    with style.printed_on():
        figure = Figure(figsize=(7.6, 5.6))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(-0.6, 3.6)
        axes.set_ylim(-0.4, 4.8)
        for (room, other), count in arrows().items():
            if room in ("cli", "api") or _through(room, other):
                continue  # a face imports every room
            (x, y, _), (to_x, to_y, _) = PLACES[room], PLACES[other]
            axes.add_patch(
                FancyArrowPatch(
                    (x, y - HEIGHT / 2),
                    (to_x, to_y + HEIGHT / 2),
                    arrowstyle="-|>",
                    mutation_scale=9,
                    linewidth=0.6 + 0.05 * min(count, 40),
                    color="0.55",
                    zorder=1,
                )
            )
        for room, (x, y, words) in PLACES.items():
            files = list((PACKAGE / room).rglob("*.py"))
            lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)
            corner = (x - WIDTH / 2, y - HEIGHT / 2)
            axes.add_patch(
                FancyBboxPatch(
                    corner, WIDTH, HEIGHT, boxstyle="round,pad=0,rounding_size=0.06", fc="white", ec="0.2"
                )
            )
            axes.text(x, y + 0.12, room, ha="center", va="center", weight="semibold", size=10)
            axes.text(x, y - 0.03, words, ha="center", va="center", size=6.2)
            axes.text(
                x,
                y - 0.16,
                f"{len(files)} files, {lines:,} lines",
                ha="center",
                va="center",
                size=6,
                color="0.45",
            )
        figure.savefig(path)


if __name__ == "__main__":
    (ROOT / "docs").mkdir(exist_ok=True)
    draw(ROOT / "docs" / "rooms.svg")
