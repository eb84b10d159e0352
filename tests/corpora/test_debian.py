"""Built-in text of Debian packages, read from a small copy of their formats."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import pytest

from scaling.config import CorpusConfig
from scaling.corpora.sources import debian, names
from scaling.errors import CorpusError


def texts_of(name: str, system: Path) -> list[bytes]:
    """The documents of a built-in corpus on a small system."""
    found = debian.source(CorpusConfig(source=name), Path(), system=system)
    assert found.documents is not None
    return list(found.documents())


def test_word_list(tmp_path: Path) -> None:
    (tmp_path / "usr/share/dict").mkdir(parents=True)
    (tmp_path / "usr/share/dict/american-english").write_text("Aachen\nzebra\n")
    assert texts_of("words", tmp_path) == [b"Aachen", b"zebra"]


def test_sayings(tmp_path: Path) -> None:
    folder = tmp_path / "usr/share/games/fortunes"
    folder.mkdir(parents=True)
    (folder / "tao").write_text("one\n%\ntwo\nlines\n%\n")
    (folder / "tao.dat").write_bytes(b"\0\1")
    (folder / "tao.u8").symlink_to("tao")
    assert [text for text in texts_of("fortunes", tmp_path) if text] == [b"one", b"two\nlines"]


def test_dictionary(tmp_path: Path) -> None:
    folder = tmp_path / "usr/share/dictd"
    folder.mkdir(parents=True)
    entries = ["about this book", "A \\A\\ letter", "Bee \\Bee\\ insect" + "." * 60]
    (folder / "gcide.dict.dz").write_bytes(gzip.compress("".join(entries).encode()))
    # offsets and lengths in the base-64 digits of RFC 2229 dictd: A–Z, a–z, 0–9, +, /
    (folder / "gcide.index").write_text("00-database-info\tA\tP\na\tP\tM\nbee\tb\tBM\nbees\tb\tBM\n")
    assert texts_of("gcide", tmp_path) == [text.encode() for text in entries[1:]]


def test_pairs_of_a_bilingual_dictionary(tmp_path: Path) -> None:
    folder = tmp_path / "usr/share/dictd"
    folder.mkdir(parents=True)
    entries = ["abbot /æbət/\nabad\n", "abate /əbeit/\n1. calmarse, sosegarse\n2. amainar\n"]
    (folder / "freedict-eng-spa.dict").write_text("".join(entries))
    sizes = [len(entry.encode()) for entry in entries]
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    lines = [f"abbot\tA\t{digits[sizes[0]]}", f"abate\t{digits[sizes[0]]}\t{digits[sizes[1]]}"]
    (folder / "freedict-eng-spa.index").write_text("\n".join(lines) + "\n")
    found = debian.source(CorpusConfig(source="eng-spa"), Path(), system=tmp_path)
    assert found.rows is not None
    assert list(found.rows()) == [
        {"text": "abbot", "target": "abad"},
        {"text": "abate", "target": "calmarse"},
    ]


def test_verses_side_by_side(tmp_path: Path) -> None:
    verses = {
        "engKJV2006eb": ["<title>One</title>", "In the <w lemma='x'>beginning</w> . ", "¶ And &amp; so.", ""],
        "spaRV1909eb": ["", "EN el principio<note>aside</note>.", "Y así.", "Solo."],
    }
    for module, texts in verses.items():
        folder = tmp_path / "usr/share/sword/modules/texts/ztext" / module
        folder.mkdir(parents=True)
        for testament, held in (("ot", texts[:3]), ("nt", texts[3:])):
            packed, at = zlib.compress("".join(held).encode()), 0
            (folder / f"{testament}.bzz").write_bytes(packed)
            (folder / f"{testament}.bzs").write_bytes(struct.pack("<III", 0, len(packed), 99))
            places = []
            for text in held:
                places.append(struct.pack("<IIH", 0, at, len(text.encode())))
                at += len(text.encode())
            (folder / f"{testament}.bzv").write_bytes(b"".join(places))
    found = debian.source(CorpusConfig(source="bible"), Path(), system=tmp_path)
    assert found.rows is not None
    assert list(found.rows()) == [
        {"text": "In the beginning .", "target": "EN el principio."},
        {"text": "And & so.", "target": "Y así."},
    ]
    assert next(iter(texts_of("bible", tmp_path))) == b"In the beginning .\nEN el principio."


@pytest.mark.parametrize("name", sorted(debian.DEBIAN))
def test_a_package_that_is_not_there_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(
        CorpusError, match=f"needs the Debian package {debian.DEBIAN[name].package}.*apt-get install"
    ):
        debian.source(CorpusConfig(source=name), tmp_path, system=tmp_path)
    assert name in names()
