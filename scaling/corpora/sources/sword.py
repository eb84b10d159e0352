"""Verses of compressed SWORD modules, the form in which Debian keeps translations of the Bible."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import Path

import numpy as np

_BLOCKS = [("at", "<u4"), ("packed", "<u4"), ("size", "<u4")]
_VERSES = [("block", "<u4"), ("at", "<u4"), ("size", "<u2")]
_ASIDE = re.compile(r"<(title|note)\b[^>]*(?<!/)>.*?</\1>", re.DOTALL)


def pairs(english: Path, spanish: Path) -> Iterator[Mapping[str, str]]:
    """Rows (text, target) of two modules that number their verses alike; verses that one lacks are left
    out."""
    for text, target in zip(verses(english), verses(spanish), strict=True):
        if text and target:
            yield {"text": text, "target": target}


def verses(module: Path) -> Iterator[str]:
    """Every verse of a module in the order of its numbering, "" where it has none, as plain text.

    The format is that of the driver zText: `.bzz` holds blocks under zlib, `.bzs` where each lies, `.bzv`
    where each verse lies in its block; headings of books and chapters are numbered with the verses.
    """
    for testament in ("ot", "nt"):
        packed = (module / f"{testament}.bzz").read_bytes()
        blocks = np.fromfile(module / f"{testament}.bzs", dtype=_BLOCKS).tolist()
        plain = [zlib.decompress(packed[at : at + size]) for at, size, _ in blocks]
        for block, at, size in np.fromfile(module / f"{testament}.bzv", dtype=_VERSES).tolist():
            yield _plain(plain[block][at : at + size].decode()) if size else ""


def _plain(osis: str) -> str:
    """Text without its OSIS markup, headings, notes and signs of a paragraph."""
    return " ".join(unescape(re.sub(r"<[^>]*>|¶", "", _ASIDE.sub("", osis))).split())
