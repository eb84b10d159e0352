"""Read text that Debian packages carry. `apt-get install` the package; nothing else is downloaded.

    corpus=analysis/corpora/debian.py:bible +corpus.target=target
    corpus=analysis/corpora/debian.py:eng_spa +corpus.target=target
    corpus=analysis/corpora/debian.py:gcide

Also `foldoc`, `fortunes`, `wordnet` and `words`. Without a target the corpus is running text. `system` is the
root of the file system.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np

from scaling.corpora.sources import Source
from scaling.errors import CorpusError

_DICTD = "usr/share/dictd"
_SWORD = "usr/share/sword/modules/texts/ztext"
_DIGITS = {c: n for n, c in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")}
_BLOCKS = [("at", "<u4"), ("compressed", "<u4"), ("size", "<u4")]
_VERSES = [("block", "<u4"), ("at", "<u4"), ("size", "<u2")]
_ASIDE = re.compile(r"<(title|note)\b[^>]*(?<!/)>.*?</\1>", re.DOTALL)


def bible(system: str = "/") -> Source:
    """Return 31,084 verses in English and Spanish, 8 MB: rows with `text` and `target`."""
    package = "sword-text-kjv sword-text-sparv"
    english, spanish = _installed(package, system, f"{_SWORD}/engKJV2006eb", f"{_SWORD}/spaRV1909eb")
    about = "verses of the King James Bible with those of Reina-Valera 1909 in Spanish (text, target)"
    return Source(
        **_description(package, about, english, spanish),
        licence="public domain (the English under the Crown's patent in the United Kingdom)",
        documents=lambda: (
            f"{row['text']}\n{row['target']}".encode() for row in _verse_pairs(english, spanish)
        ),
        rows=lambda: _verse_pairs(english, spanish),
    )


def eng_spa(system: str = "/") -> Source:
    """Return the 5,907 pairs of words of the English–Spanish FreeDict: rows with `text` and `target`."""
    about = "the English–Spanish dictionary of FreeDict: pairs of words (text, target)"
    made, index = _dictionary("dict-freedict-eng-spa", "freedict-eng-spa", about, system)
    return Source(**made, licence="GPL-2+", rows=lambda: _translations(index))


def foldoc(system: str = "/") -> Source:
    """Return the Free On-line Dictionary of Computing, 5.6 MB: a document an entry."""
    made, _ = _dictionary("dict-foldoc", "foldoc", "the Free On-line Dictionary of Computing", system)
    return Source(**made, licence="GFDL-1.1+")


def gcide(system: str = "/") -> Source:
    """Return the Collaborative International Dictionary of English, 126,000 entries, 40 MB."""
    about = "the Collaborative International Dictionary of English"
    made, _ = _dictionary("dict-gcide", "gcide", about, system)
    return Source(**made, licence="GPL-2+ (text of Webster 1913 in the public domain)")


def wordnet(system: str = "/") -> Source:
    """Return WordNet 3.0 as a dictionary: a document an entry."""
    made, _ = _dictionary("dict-wn", "wn", "WordNet 3.0 as a dictionary", system)
    return Source(**made, licence="WordNet's own, permissive")


def fortunes(system: str = "/") -> Source:
    """Return the sayings of the fortune program: a document a saying."""
    (folder,) = _installed("fortunes", system, "usr/share/games/fortunes")
    return Source(
        **_description("fortunes", "sayings of the fortune program", folder),
        licence="see the package's copyright file: sayings of many authors",
        documents=lambda: _sayings(folder),
    )


def words(system: str = "/") -> Source:
    """Return a list of American English words: a document a word."""
    (path,) = _installed("wamerican", system, "usr/share/dict/american-english")
    return Source(
        **_description("wamerican", "a list of American English words", path),
        licence="public domain and SCOWL's permissive licence",
        documents=lambda: (line.strip() for line in path.read_bytes().splitlines()),
    )


def _installed(package: str, system: str, *paths: str) -> list[Path]:
    """Return the paths below the root of the file system. Raises CorpusError where one is missing."""
    places = [Path(system) / path for path in paths]
    if not all(place.exists() for place in places):
        raise CorpusError(
            f"the corpus needs the Debian package {package}, which is not installed; "
            f"type: apt-get install {package}"
        )
    return places


def _description(package: str, about: str, *paths: Path) -> dict[str, Any]:
    """Return the origin and the fingerprint of a source, from its package and its files."""
    files = [
        file
        for path in paths
        for file in (sorted(path.iterdir()) if path.is_dir() else [path])
        if file.is_file()
    ]
    return {
        "origin": f"{about} (Debian package {package})",
        "fingerprint": {"package": package, "sizes": [[file.name, file.stat().st_size] for file in files]},
    }


def _dictionary(package: str, name: str, about: str, system: str) -> tuple[dict[str, Any], Path]:
    """Return the fields of a dictd dictionary's source, and its index."""
    (index,) = _installed(package, system, f"{_DICTD}/{name}.index")
    return {**_description(package, about, index), "documents": lambda: _entries(index)}, index


def _entries(index: Path) -> Iterator[bytes]:
    """Yield every entry of a dictd dictionary once. The index holds places in base-64 numbers (RFC 2229)."""
    compressed = index.with_suffix(".dict.dz")
    text = (
        gzip.decompress(compressed.read_bytes())
        if compressed.exists()
        else index.with_suffix(".dict").read_bytes()
    )
    places = set()
    with index.open("rb") as file:
        for line in file:
            word, at, size = line.rstrip(b"\n").split(b"\t")[:3]
            if not word.startswith((b"00-database", b"00database")):
                places.add((_number(at), _number(size)))
    for start, length in sorted(places):
        yield text[start : start + length].decode("utf-8", errors="replace").encode()


def _number(digits: bytes) -> int:
    total = 0
    for digit in digits.decode("ascii"):
        total = total * 64 + _DIGITS[digit]
    return total


def _translations(index: Path) -> Iterator[Mapping[str, str]]:
    """Yield the headword of every entry, and the first word of its first sense."""
    for entry in _entries(index):
        head, _, senses = entry.decode().partition("\n")
        word = re.sub(r"\s*[/<\[].*", "", head).strip()
        first = re.split(r"[,;\n]", re.sub(r"^\s*1\.\s*", "", senses))[0].strip()
        if word and first:
            yield {"text": word, "target": first}


def _sayings(folder: Path) -> Iterator[bytes]:
    """Yield the sayings of every file, which lines with a per cent sign separate."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.is_symlink() and not path.suffix:
            yield from (saying.strip(b"\n") for saying in path.read_bytes().split(b"\n%\n"))


def _verse_pairs(english: Path, spanish: Path) -> Iterator[Mapping[str, str]]:
    """Yield the verses of two modules that number them alike; verses that one lacks are left out."""
    for text, target in zip(_verses(english), _verses(spanish), strict=True):
        if text and target:
            yield {"text": text, "target": target}


def _verses(module: Path) -> Iterator[str]:
    """Yield every verse of a SWORD module as plain text, in the order of its numbering; "" where it has none.

    The format is that of the driver zText: `.bzz` holds blocks under zlib, `.bzs` the place of each block,
    `.bzv` the place of each verse in its block. Headings of books and chapters are numbered with the verses.
    """
    for testament in ("ot", "nt"):
        compressed = (module / f"{testament}.bzz").read_bytes()
        blocks = np.fromfile(module / f"{testament}.bzs", dtype=_BLOCKS).tolist()
        texts = [zlib.decompress(compressed[at : at + size]) for at, size, _ in blocks]
        for block, at, size in np.fromfile(module / f"{testament}.bzv", dtype=_VERSES).tolist():
            yield _plain(texts[block][at : at + size].decode()) if size else ""


def _plain(osis: str) -> str:
    """Return text without its OSIS markup, headings, notes and signs of a paragraph."""
    return " ".join(unescape(re.sub(r"<[^>]*>|¶", "", _ASIDE.sub("", osis))).split())
