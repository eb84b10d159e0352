"""What comes over the network is written once, checked, and continued after a kill."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scaling import corpora
from scaling.config import CorpusConfig, parse
from scaling.corpora.sources import hub
from scaling.corpora.sources.shards import Shards
from scaling.errors import CorpusError

from .conftest import sentences


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Forty rows of JSON."""
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps({"text": text}) for text in sentences(40)))
    return path


ASKED = {
    "name": "far",
    "source": "hub",
    "dataset": "owner/name",
    "split": "train",
    "revision": "abc",
    "tokenizer": "bytes",
    "heldout_fraction": 0.2,
}


def far(rows: Path, streaming: bool, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Puts local rows where the hub would answer; the list counts how often it was asked."""
    import datasets

    real, asked = datasets.load_dataset, []

    def load_dataset(*_: object, **said: object) -> Any:
        asked.append(1)
        return real("json", data_files=str(rows), split="train", streaming=streaming)

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return asked


@pytest.mark.parametrize("streaming", [True, False])
def test_a_killed_fetch_goes_on_and_a_finished_one_is_not_repeated(
    rows: Path, tmp_path: Path, streaming: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Shards, "__init__", functools.partialmethod(Shards.__init__, shard_bytes=1000))
    asked = far(rows, streaming, monkeypatch)
    real = hub._rows
    seen: list[Any] = []

    def stops(config: Any, skip: int, state: Any) -> Iterator[Any]:
        for row in real(config, skip, state):
            if len(seen) == 23:
                raise KeyboardInterrupt
            seen.append(row)
            yield row

    monkeypatch.setattr(hub, "_rows", stops)
    with pytest.raises(KeyboardInterrupt):
        corpora.prepare(parse(CorpusConfig, ASKED), tmp_path / "root")
    (kept,) = (tmp_path / "root").glob("fetched-*")
    written = sum(note["documents"] for note in Shards(kept).notes())
    assert 0 < written < 23
    before = {path.name: path.stat().st_mtime_ns for path in kept.glob("*.bin")}

    resumed: list[str] = []

    def goes_on(config: Any, skip: int, state: Any) -> Iterator[Any]:
        assert skip == written
        for row in real(config, skip, state):
            resumed.append(row[0]["text"])
            yield row

    monkeypatch.setattr(hub, "_rows", goes_on)
    corpus = corpora.prepare(parse(CorpusConfig, ASKED), tmp_path / "root")
    assert resumed == sentences(40)[written:]
    assert {
        path.name: path.stat().st_mtime_ns for path in kept.glob("*.bin") if path.name in before
    } == before
    texts = bytes(corpus.train).split(b"\0")[:-1] + bytes(corpus.heldout).split(b"\0")[:-1]
    assert sorted(texts) == sorted(text.encode() for text in sentences(40))

    count = len(asked)
    corpora.prepare(parse(CorpusConfig, ASKED | {"heldout_fraction": 0.3}), tmp_path / "root")
    assert len(asked) == count


def test_a_damaged_shard_is_refused(rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    far(rows, True, monkeypatch)
    corpora.prepare(parse(CorpusConfig, ASKED), tmp_path / "root")
    (kept,) = (tmp_path / "root").glob("fetched-*")
    shard = kept / "00000.bin"
    shard.write_bytes(shard.read_bytes()[:-1] + b"?")
    with pytest.raises(
        CorpusError, match=r"00000\.bin is missing or damaged; remove .* and fetch the text again"
    ):
        corpora.prepare(parse(CorpusConfig, ASKED | {"heldout_fraction": 0.3}), tmp_path / "root")
