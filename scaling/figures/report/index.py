"""Write the index page of all results: one card per study, with its answer and a figure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from scaling import files
from scaling.errors import TableError
from scaling.figures import drawing, units
from scaling.figures.report import answer, page, svg
from scaling.figures.source import Source, read

MOST_PICTURES = 24
"""Largest number of studies shown with a figure, which bounds the size of the page."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """The card of one study."""

    name: str
    """Name of its folder."""
    link: str
    """Link to its report, relative to the page; empty where no report was written."""
    sentence: str
    """Answer of the study, or the reason why there is none."""
    small: str
    """Number of runs, range of compute, number of cautions."""
    picture: Markup
    """IsoFLOP profiles or loss curves as inline SVG; empty where there is nothing to draw."""


def studies(results: Path) -> list[Path]:
    """Return every folder with a ledger, sorted by name."""
    return sorted(path.parent for path in results.glob("*/ledger.parquet"))


def _picture(source: Source, name: str) -> tuple[Markup, set[str]]:
    for kind in ("isoflop", "curves"):
        data = drawing.of(source, [kind])[kind]
        if not data.get("missing"):
            drawn = drawing.to_svg(data, dots=90.0)
            return svg.inline(drawn, name=f"{name}-{kind}", title=data["title"], alt=data["alt"])
    return Markup(), set()


def card(folder: Path, number: int) -> tuple[Card, set[str]]:
    """Return the card of one folder and the colours of its figure.

    The card of a folder that cannot be read shows the error.
    """
    try:
        source = read(folder)
    except TableError as error:
        return Card(name=folder.name, link="", sentence=str(error), small="", picture=Markup()), set()
    opening = answer.answer(source)
    picture, colours = _picture(source, f"study-{number}") if number < MOST_PICTURES else (Markup(), set())
    done = source.done
    parts = [f"{len(done)} of {len(source.runs)} runs"]
    if len(done):
        parts.append(units.spoken_range(float(done["flops"].min()), float(done["flops"].max()), units.flops))
    if opening.cautions:
        parts.append(f"{len(opening.cautions)} caution{'s' if len(opening.cautions) > 1 else ''}")
    written = (folder / "report.html").is_file()
    link = f"{quote(folder.name)}/report.html" if written else ""
    return Card(
        name=folder.name, link=link, sentence=opening.sentence, small=" · ".join(parts), picture=picture
    ), colours


def write(results: Path) -> tuple[Path, list[Card]]:
    """Write index.html into the folder of results and return its path and cards.

    Raises TableError when the folder holds no study.
    """
    folders = studies(results)
    if not folders:
        raise TableError(
            f"{results} holds no study (a folder with a ledger.parquet); make one with `scaling run demo`"
        )
    cards, colours = [], set[str]()
    for number, folder in enumerate(folders):
        entry, used = card(folder, number)
        cards.append(entry)
        colours |= used
    styles = page.stylesheet(colours)
    text = (
        page.environment()
        .get_template("index.html.j2")
        .render(cards=cards, styles=Markup(styles), policy=page.policy(styles, []))
    )
    path = results / "index.html"
    files.write(path, text, "the index of reports")
    return path, cards
