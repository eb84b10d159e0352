"""Prepare a figure's SVG for a page with a strict policy.

Style attributes become presentation attributes, ids become unique, colours become CSS variables that follow
the light or dark scheme.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from markupsafe import Markup

from scaling.figures import style

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_HEX = re.compile(r"#[0-9a-fA-F]{6}\b")
_SHORT_FONT = re.compile(r"^(?:(italic|oblique)\s+)?(?:(\d{3}|bold|normal)\s+)?([\d.]+px)\s+(.*)$")
FONTS = "'Scaling Sans', Inter, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"


def variable(colour: str) -> str:
    """Return the CSS variable of a figure's colour."""
    return f"--c{colour.lower().lstrip('#')}"


def inline(svg: bytes, *, name: str, title: str, alt: str) -> tuple[Markup, set[str]]:
    """Return an `<svg>` element for a page and the colours that it uses.

    `name` makes the ids unique; screen readers read `title` and `alt`. The text of the figure stays text.
    """
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(svg)
    colours: set[str] = set()
    for parent in root.iter():
        for child in list(parent):
            if child.tag in {f"{{{_SVG}}}metadata", f"{{{_SVG}}}style", f"{{{_SVG}}}title"}:
                parent.remove(child)
    for element in root.iter():
        for key, value in _properties(element.attrib.pop("style", "")):
            element.set(key, value)
        if _XLINK in element.attrib:
            element.set("href", element.attrib.pop(_XLINK))
        for key, value in list(element.attrib.items()):
            if key == "id":
                element.set("id", f"{name}-{value}")
            elif key == "href" and value.startswith("#"):
                element.set("href", f"#{name}-{value[1:]}")
            elif "url(#" in value:
                element.set(key, value.replace("url(#", f"url(#{name}-"))
            elif key in {"fill", "stroke"} and _HEX.fullmatch(value):
                colours.add(value.lower())
                element.set(key, f"var({variable(value)})")
            elif key == "font-family":
                element.set(key, FONTS)
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.attrib.update(
        {
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-alt",
            "stroke-linejoin": "round",
            "stroke-linecap": "butt",
        }
    )
    for i, (tag, text) in enumerate((("title", title), ("desc", alt))):
        spoken = ElementTree.Element(
            f"{{{_SVG}}}{tag}", {"id": f"{name}-{'title' if tag == 'title' else 'alt'}"}
        )
        spoken.text = text
        root.insert(i, spoken)
    return Markup(ElementTree.tostring(root, encoding="unicode")), colours


def points_wide(svg: str) -> float:
    """Return the width of a figure in points from its view box; 0 where it has none."""
    match = re.search(r'viewBox="0 0 ([\d.]+)', svg)
    return float(match[1]) if match else 0.0


def _properties(text: str) -> list[tuple[str, str]]:
    """Return CSS declarations as presentation attributes, with the `font` shorthand split into its parts."""
    properties = []
    for part in text.split(";"):
        key, _, value = (p.strip() for p in part.partition(":"))
        short = _SHORT_FONT.match(value) if key == "font" else None
        if short:
            properties += [("font-weight", short[2])] if short[2] else []
            properties += [("font-size", short[3]), ("font-family", short[4])]
        elif key and value:
            properties.append((key, value))
    return properties


def palette(colours: set[str]) -> str:
    """Return CSS that gives every colour its value on light and on dark paper."""
    light = "".join(f"{variable(c)}:{c};" for c in sorted(colours))
    dark = "".join(f"{variable(c)}:{style.for_dark(c)};" for c in sorted(colours))
    return f":root{{{light}}}\n@media screen and (prefers-color-scheme: dark){{:root{{{dark}}}}}\n"
