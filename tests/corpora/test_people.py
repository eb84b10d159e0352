"""Text as people have it on their disks is read right, or ends in one sentence that names the file."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
from pathlib import Path
from typing import Any

import pyarrow
import pytest

from scaling import corpora
from scaling.config import CorpusConfig, parse
from scaling.errors import CorpusError

from .conftest import config, sentences

ROWS = [{"text": text} for text in sentences(40)]
LINES = "\n".join(map(json.dumps, ROWS)).encode()


def prepared(path: Path, root: Path, **changes: object) -> Any:
    return corpora.prepare(parse(CorpusConfig, config(path, **changes), where="corpus"), root)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.ndjson", LINES),
        ("a.JSONL", b"\xef\xbb\xbf" + LINES),
        ("a.json", json.dumps(ROWS, indent=1).encode()),
        ("a.jsonl", json.dumps(ROWS).encode()),
        ("a.jsonl.gz", gzip.compress(LINES[:100]) + gzip.compress(LINES[100:])),
        ("a.jsonl.bz2", bz2.compress(LINES)),
        ("a.jsonl.xz", lzma.compress(LINES)),
        ("a.jsonl.zst", pyarrow.compress(LINES, codec="zstd", asbytes=True)),
        ("a.jsonl", LINES + b'\n{"text": null}'),
    ],
)
def test_rows_in_every_dress_are_the_same_corpus(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "plain.jsonl").write_bytes(LINES)
    found = prepared(tmp_path / name, tmp_path / "root")
    assert found.hash == prepared(tmp_path / "plain.jsonl", tmp_path / "root").hash
    assert found.manifest.get("rows_without_text", 0) == content.count(b"null")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.jsonl.gz", gzip.compress(LINES)[:-20], "is damaged"),
        ("a.jsonl.gz", LINES, "is damaged"),
        ("a.txt.xz", lzma.compress(LINES)[:-20], "is damaged"),
        ("a.txt.zst", LINES, "cannot be read"),
        ("a.txt", gzip.compress(LINES), "is compressed by gzip"),
        ("a.pdf", b"%PDF-1.4 \xe2", "is a PDF"),
        ("a.txt", "text".encode("utf-16"), "is UTF-16"),
        ("a.txt", b"te\0xt", "a zero byte at offset 2"),
        ("a.jsonl", b"[" * 100_000, "is not a JSON array"),
        ("a.jsonl", b'{"a":' * 100_000, "line 1 is not JSON"),
        ("a.jsonl", b'{"text": null}', "is empty"),
    ],
)
def test_what_cannot_be_read_is_named(name: str, content: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CorpusError, match=sentence) as caught:
        prepared(tmp_path / name, tmp_path / "root")
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_with_links_pipes_and_hidden_files(folder: Path, tmp_path: Path) -> None:
    alone = prepared(folder, tmp_path / "root")
    os.symlink("..", folder / "up")
    os.symlink("000.txt", folder / "again.txt")
    os.symlink("nowhere", folder / "dead.txt")
    os.mkfifo(folder / "pipe.txt")
    (folder / "._000.txt").write_bytes(b"\0\5")
    (folder / ".DS_Store").write_bytes(b"\0")
    found = prepared(folder, tmp_path / "root")
    assert found.hash == alone.hash


@pytest.mark.parametrize("name", ["pipe", "/dev/zero"])
def test_a_pipe_or_a_device_is_refused(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CorpusError, match="pipe, socket or device"):
        prepared(tmp_path / name, tmp_path / "root")


def test_null_is_no_label(tmp_path: Path) -> None:
    rows = [{"text": text, "label": str(number % 2)} for number, text in enumerate(sentences(40))]
    extra = [{"text": None, "label": "1"}, {"text": "words", "label": None}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows + extra)))
    asked = config(tmp_path / "a.jsonl", label="label")
    found = corpora.prepare_examples(parse(CorpusConfig, asked, where="corpus"), tmp_path / "root")
    assert found.labels == ["0", "1"]
    assert found.count("train") + found.count("heldout") == 40
