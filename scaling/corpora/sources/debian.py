"""Text of Debian packages: nothing to download once the package is there."""

from __future__ import annotations

import dataclasses
import gzip
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from scaling.config import CorpusConfig
from scaling.corpora.sources import Source
from scaling.corpora.sources.sword import pairs
from scaling.errors import CorpusError

KEYS: frozenset[str] = frozenset()
_DIGITS = {c: n for n, c in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Debian:
    """Text in a Debian package."""

    package: str
    """What to install; two with a space between."""
    paths: tuple[str, ...]
    """Where its text lies, below the root of the file system."""
    read: Callable[..., Iterator[bytes]]
    """From those paths to documents."""
    rows: Callable[..., Iterator[Mapping[str, str]]] | None = None
    """From those paths to rows with an answer, where there is one."""
    licence: str
    """The licence of the text."""
    about: str
    """What it is."""

    @property
    def install(self) -> str:
        """What to type to have it."""
        return f"apt-get install {self.package}"


def source(config: CorpusConfig, root: Path, *, system: Path = Path("/")) -> Source:
    """The text of an installed package, by the name in `config["source"]`.

    Raises CorpusError when the package is not installed.
    """
    del root
    name = config.source
    said = DEBIAN[name]
    paths = [system / path for path in said.paths]
    if not all(path.exists() for path in paths):
        raise CorpusError(
            f"corpus {name!r} needs the Debian package {said.package}, which is not installed; "
            f"type: {said.install}"
        )
    files = [
        file
        for path in paths
        for file in (sorted(path.iterdir()) if path.is_dir() else [path])
        if file.is_file()
    ]
    rows = said.rows
    return Source(
        origin=f"{said.about} (Debian package {said.package})",
        licence=said.licence,
        fingerprint={"package": said.package, "sizes": [[file.name, file.stat().st_size] for file in files]},
        documents=lambda: said.read(*paths),
        rows=None if rows is None else lambda: rows(*paths),
    )


def _words(path: Path) -> Iterator[bytes]:
    """A word list: one document a word."""
    with path.open("rb") as file:
        yield from (line.strip() for line in file)


def _cookies(folder: Path) -> Iterator[bytes]:
    """Files of sayings, parted by lines that hold a per cent sign."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.is_symlink() and not path.suffix:
            yield from (saying.strip(b"\n") for saying in path.read_bytes().split(b"\n%\n"))


def _entries(index: Path) -> Iterator[bytes]:
    """A dictd dictionary: one document an entry, each once. The index says where, in base-64 numbers."""
    packed = index.with_suffix(".dict.dz")
    text = (
        gzip.decompress(packed.read_bytes()) if packed.exists() else index.with_suffix(".dict").read_bytes()
    )
    places = set()
    with index.open("rb") as file:
        for line in file:
            word, at, size = line.rstrip(b"\n").split(b"\t")[:3]
            if not word.startswith((b"00-database", b"00database")):
                places.add((_number(at), _number(size)))
    for start, length in sorted(places):
        yield text[start : start + length].decode("utf-8", errors="replace").encode()


def _verses(english: Path, spanish: Path) -> Iterator[bytes]:
    """One document a verse, in one language and then in the other."""
    for row in pairs(english, spanish):
        yield f"{row['text']}\n{row['target']}".encode()


def _translations(index: Path) -> Iterator[Mapping[str, str]]:
    """The entries of a bilingual dictionary: the headword, and the first word of its first sense."""
    for entry in _entries(index):
        head, _, senses = entry.decode().partition("\n")
        word = re.sub(r"\s*[/<\[].*", "", head).strip()
        first = re.split(r"[,;\n]", re.sub(r"^\s*1\.\s*", "", senses))[0].strip()
        if word and first:
            yield {"text": word, "target": first}


def _number(digits: bytes) -> int:
    total = 0
    for digit in digits.decode("ascii"):
        total = total * 64 + _DIGITS[digit]
    return total


_DICTD = "usr/share/dictd"
_SWORD = "usr/share/sword/modules/texts/ztext"
DEBIAN = {
    "bible": Debian(
        package="sword-text-kjv sword-text-sparv",
        paths=(f"{_SWORD}/engKJV2006eb", f"{_SWORD}/spaRV1909eb"),
        read=_verses,
        rows=pairs,
        licence="public domain (the English under the Crown's patent in the United Kingdom)",
        about="verses of the King James Bible with those of Reina-Valera 1909 in Spanish (text, target)",
    ),
    "eng-spa": Debian(
        package="dict-freedict-eng-spa",
        paths=(f"{_DICTD}/freedict-eng-spa.index",),
        read=_entries,
        rows=_translations,
        licence="GPL-2+",
        about="the English–Spanish dictionary of FreeDict: pairs of words (text, target)",
    ),
    "foldoc": Debian(
        package="dict-foldoc",
        paths=(f"{_DICTD}/foldoc.index",),
        read=_entries,
        licence="GFDL-1.1+",
        about="the Free On-line Dictionary of Computing",
    ),
    "fortunes": Debian(
        package="fortunes",
        paths=("usr/share/games/fortunes",),
        read=_cookies,
        licence="see the package's copyright file: sayings of many authors",
        about="sayings of the fortune program",
    ),
    "gcide": Debian(
        package="dict-gcide",
        paths=(f"{_DICTD}/gcide.index",),
        read=_entries,
        licence="GPL-2+ (text of Webster 1913 in the public domain)",
        about="the Collaborative International Dictionary of English",
    ),
    "wordnet": Debian(
        package="dict-wn",
        paths=(f"{_DICTD}/wn.index",),
        read=_entries,
        licence="WordNet's own, permissive",
        about="WordNet 3.0 as a dictionary",
    ),
    "words": Debian(
        package="wamerican",
        paths=("usr/share/dict/american-english",),
        read=_words,
        licence="public domain and SCOWL's permissive licence",
        about="a list of American English words",
    ),
}
