"""What corpora there are: those that a config can name, and those that lie prepared on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scaling.config import CorpusConfig
from scaling.corpora import synthetic
from scaling.corpora.corpus import MANIFEST, open_corpus
from scaling.corpora.sources import open_source
from scaling.corpora.sources.debian import DEBIAN, Debian
from scaling.corpora.sources.pypi import PYPI, Package
from scaling.errors import CorpusError

_SAID = ("name", "hash", "tokenizer", "vocab", "licence", "bytes_per_token")


def available() -> list[dict[str, Any]]:
    """Every corpus that can be had here: `source`, `about`, `licence`, what to `install` for it, and whether
    that is `installed`; the `documents` and `bytes` of those that are, measured now."""
    packaged: dict[str, Package | Debian] = {**PYPI, **DEBIAN}
    found = [_packaged(name, said) for name, said in sorted(packaged.items())]
    own = [
        ("files", "text of your own: corpus.path=FILE_OR_FOLDER", "your own"),
        ("hub", "a dataset of the Hugging Face hub, at a pinned revision", "the dataset's own"),
        ("mixture", "several of these, with weights", "those of its parts"),
        ("synthetic", f"a language of known entropy: {', '.join(synthetic.names())}", "none needed"),
    ]
    return found + [
        {"source": name, "about": about, "licence": licence, "install": None, "installed": True}
        for name, about, licence in own
    ]


def _packaged(name: str, said: Package | Debian) -> dict[str, Any]:
    """One row of `available`, for text that a package carries."""
    row = {"source": name, "about": said.about, "licence": said.licence, "install": said.install}
    try:
        source = open_source(CorpusConfig(source=name), Path())
    except CorpusError:
        return row | {"installed": False}
    assert source.documents is not None
    lengths = [len(document) for document in source.documents()]
    return row | {"installed": True, "documents": len(lengths), "bytes": sum(lengths)}


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
