"""The page over all results: one card a study, with its answer and its picture."""

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
"""Studies beyond this many are shown without a picture, so that the page stays light."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """One study."""

    name: str
    """Its folder's name."""
    link: str
    """Its report, relative to the page; empty where none was written."""
    sentence: str
    """Its answer, or why there is none."""
    small: str
    """Runs, range, cautions."""
    picture: Markup
    """Its IsoFLOP profiles or loss curves as inline SVG; empty where there is nothing to draw."""


def studies(results: Path) -> list[Path]:
    """Every folder with a ledger, by name."""
    return sorted(path.parent for path in results.glob("*/ledger.parquet"))


def _picture(source: Source, name: str) -> tuple[Markup, set[str]]:
    for kind in ("isoflop", "curves"):
        data = drawing.of(source, [kind])[kind]
        if not data.get("missing"):
            drawn = drawing.to_svg(data, dots=90.0)
            return svg.inline(drawn, name=f"{name}-{kind}", title=data["title"], alt=data["alt"])
    return Markup(), set()


def card(folder: Path, number: int) -> tuple[Card, set[str]]:
    """The card of one folder and the colours of its picture. A folder that cannot be read says so on its
    card."""
    try:
        source = read(folder)
    except TableError as error:
        return Card(name=folder.name, link="", sentence=str(error), small="", picture=Markup()), set()
    said = answer.answer(source)
    picture, colours = _picture(source, f"study-{number}") if number < MOST_PICTURES else (Markup(), set())
    done = source.done
    parts = [f"{len(done)} of {len(source.runs)} runs"]
    if len(done):
        parts.append(units.spoken_range(float(done["flops"].min()), float(done["flops"].max()), units.flops))
    if said.cautions:
        parts.append(f"{len(said.cautions)} caution{'s' if len(said.cautions) > 1 else ''}")
    written = (folder / "report.html").is_file()
    link = f"{quote(folder.name)}/report.html" if written else ""
    return Card(
        name=folder.name, link=link, sentence=said.sentence, small=" · ".join(parts), picture=picture
    ), colours


def write(results: Path) -> tuple[Path, list[Card]]:
    """Writes index.html into the folder of results. Raises TableError when it holds no study."""
    folders = studies(results)
    if not folders:
        raise TableError(
            f"{results} holds no study (a folder with a ledger.parquet); make one with `scaling run demo`"
        )
    cards, colours = [], set[str]()
    for number, folder in enumerate(folders):
        made, used = card(folder, number)
        cards.append(made)
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
