"""Render the report of a sweep as one page without network requests or inline styles.

Styles and scripts are hashed in the content-security policy, and every name is escaped.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from scaling import files
from scaling.figures import drawing, style
from scaling.figures.report import answer as answering
from scaling.figures.report import comparing, explore, samples, svg, tables, words
from scaling.figures.source import Source
from scaling.terminal.text import visible

_HERE = Path(__file__).parent


def environment() -> Environment:
    """Return the templates, which escape everything and fail on undefined variables."""
    return Environment(
        loader=FileSystemLoader(_HERE / "template"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: visible(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def policy(styles: str, scripts: list[str]) -> str:
    """Return the content-security policy: only this style, these scripts, and embedded fonts and images."""

    def digest(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    return (
        f"default-src 'none'; style-src {digest(styles)}; script-src "
        f"{' '.join(map(digest, scripts)) or chr(39) + 'none' + chr(39)}; font-src data:; img-src "
        "data:; base-uri 'none'; form-action 'none'"
    )


def stylesheet(colours: set[str]) -> str:
    """Return the page's CSS with its fonts and the figures' colours."""
    faces = ""
    for file, weight in zip(style.FONT_FILES, (400, 600), strict=True):
        data = base64.b64encode(file.read_bytes()).decode()
        faces += (
            f"@font-face{{font-family:'Scaling "
            f"Sans';font-weight:{weight};font-display:block;src:url(data:font/otf;base64,{data}) "
            "format('opentype')}\n"
        )
    papers = set(vars(style.LIGHT).values())
    return (
        faces
        + svg.palette(colours | papers | set(style.CYCLE))
        + (_HERE / "template" / "page.css").read_text(encoding="utf-8")
    )


def dots(runs: int) -> float:
    """Return the resolution of rasterised marks in dots per inch, lower where many runs must fit in 3 MB."""
    return 140.0 if runs <= 1000 else 90.0


WIDE = 540.0
"""Width in points beyond which a figure takes the full width of the page, to keep its text legible."""
KEY = ("isoflop", "optimum", "families", "changes", "curves", "surface")
"""Figures at the top of the page; the others follow the fit."""


def scripts() -> list[str]:
    """Return the scripts of the page in order: charting library, zoom plugin, table, interactive figure."""
    files = ("vendor/chart.min.js", "vendor/zoom.min.js", "template/table.js", "template/explore.js")
    return [(_HERE / file).read_text(encoding="utf-8") for file in files]


def drawn(source: Source) -> tuple[list[dict[str, Any]], set[str]]:
    """Return every figure as inline SVG, or the reason why it is missing, and all colours used."""
    figures: list[dict[str, Any]] = []
    colours: set[str] = set()
    for name, data in drawing.of(source).items():
        if data.get("missing"):
            figures.append({"name": name, "missing": data["missing"]})
            continue
        inside, used = svg.inline(
            drawing.to_svg(data, dots=dots(len(source.runs))),
            name=name,
            title=data["title"],
            alt=data["alt"],
        )
        colours |= used
        wide = svg.points_wide(inside) > WIDE
        figures.append({"name": name, "svg": inside, "title": data["title"], "missing": "", "wide": wide})
    return figures, colours


def _absent(figures: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return (names, reason) of the figures that are not drawn, each reason once."""
    why: dict[str, list[str]] = {}
    for f in figures:
        if f["missing"]:
            why.setdefault(str(f["missing"]), []).append(str(f["name"]))
    return [(", ".join(names), reason) for reason, names in why.items()]


def _words_left(runs: tables.Table) -> str:
    """Return CSS that left-aligns text columns; a class in every cell would add 100 kB at 5 000 rows."""
    words = [i for i, cell in enumerate(runs.rows[0], start=1) if not cell.number] if runs.rows else []
    rules = {i: "text-align:left" + (";padding-left:18px" if i > 1 else "") for i in words}
    return "".join(f"#all-runs td:nth-child({i}){{{rule}}}\n" for i, rule in rules.items())


def render(source: Source) -> tuple[str, answering.Answer]:
    """Return the page as text and the answer that it opens with."""
    opening = answering.answer(source)
    fit = source.fit or {}
    figures, colours = drawn(source)
    noise, pooled = tables.seed_noise(source)
    table = tables.ordered(source)
    runs = tables.runs(table)
    code = scripts()
    styles = stylesheet(colours | set(explore.RAMP)) + _words_left(runs)
    text = (
        environment()
        .get_template("page.html.j2")
        .render(
            name=source.name,
            unit=source.loss_unit,
            answer=opening,
            key=[f for f in figures if f["name"] in KEY and not f["missing"]],
            more=[f for f in figures if f["name"] not in KEY and not f["missing"]],
            absent=_absent(figures),
            unfitted=source.unfitted,
            runs=runs,
            data=explore.script_json(explore.payload(source, table)),
            parameters=tables.parameters(fit),
            minima=tables.minima(fit),
            method=words.method(fit),
            certificate=words.certificate(fit),
            validation=words.validation(fit),
            checklist=words.checklist(fit),
            compared=comparing.exponents(source.comparison or {}),
            gains=comparing.gains(source.comparison or {}),
            worth=comparing.worth(source.comparison or {}),
            rates=comparing.rates(source.comparison or {}),
            noise=noise,
            pooled=pooled,
            written=samples.table(source),
            written_how=samples.how(source),
            bill=tables.bill(source),
            provenance=words.provenance(source),
            commands=words.commands(source),
            styles=Markup(styles),
            scripts=[Markup(c) for c in code],
            policy=policy(styles, code),
        )
    )
    return text, opening


def write(source: Source) -> tuple[Path, answering.Answer]:
    """Write report.html beside the ledger and return its path and the answer."""
    text, opening = render(source)
    path = source.folder / "report.html"
    files.write(path, text, "the report")
    return path, opening
