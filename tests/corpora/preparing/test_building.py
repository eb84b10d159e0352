"""A corpus is built once, whole, split by content, and says what it is."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from scaling import corpora
from scaling.config import CorpusConfig, parse
from scaling.corpora.preparing import duplicates, order, overlap, writing
from scaling.corpora.preparing.order import Ordered
from scaling.corpora.preparing.writing import Stream
from scaling.errors import ConfigError, CorpusError, StorageError

from ..conftest import config, sentences


def documents(stream: np.ndarray) -> list[bytes]:
    """The documents of a byte stream."""
    return bytes(stream).split(b"\0")[:-1]


def test_every_document_lands_once_and_whole(folder: Path, tmp_path: Path) -> None:
    corpus = corpora.prepare(parse(CorpusConfig, config(folder)), tmp_path / "root")
    train, held = documents(corpus.train), documents(corpus.heldout)
    assert sorted(train + held) == sorted(text.encode() for text in sentences(40))
    assert not set(train) & set(held)
    said = corpus.manifest
    assert (said["documents_train"], said["documents_heldout"]) == (len(train), len(held))
    assert (said["tokens_train"], said["bytes_train"]) == (corpus.train.size, corpus.train.size)
    assert corpus.bytes_per_token == 1.0
    assert corpus.vocab == 256
    assert corpus.train.dtype == np.uint8
    for name, digest in said["sha256"].items():
        assert hashlib.sha256((corpus.folder / name).read_bytes()).hexdigest() == digest
    assert not list((tmp_path / "root").glob(".building*"))


def test_the_split_does_not_depend_on_names_or_order(folder: Path, tmp_path: Path) -> None:
    first = corpora.prepare(parse(CorpusConfig, config(folder)), tmp_path / "root")
    other = tmp_path / "other"
    other.mkdir()
    for number, path in enumerate(sorted(folder.iterdir())):
        (other / f"{1000 - number}.md").write_bytes(path.read_bytes())
    second = corpora.prepare(parse(CorpusConfig, config(other)), tmp_path / "root")
    assert first.folder != second.folder
    assert first.hash == second.hash
    assert np.array_equal(first.train, second.train)


def test_the_split_of_a_document_survives_more_documents(folder: Path, tmp_path: Path) -> None:
    before = corpora.prepare(parse(CorpusConfig, config(folder)), tmp_path / "root")
    for number, text in enumerate(sentences(40, seed=9)):
        (folder / f"new{number}.txt").write_text(text)
    after = corpora.prepare(parse(CorpusConfig, config(folder)), tmp_path / "root")
    assert set(documents(before.heldout)) < set(documents(after.heldout))
    assert set(documents(before.train)) < set(documents(after.train))


def test_duplicates_fall_on_one_side_and_are_counted(folder: Path, tmp_path: Path) -> None:
    for number, text in enumerate(sentences(40)):
        (folder / f"again{number}.txt").write_text(text)
    corpus = corpora.prepare(parse(CorpusConfig, config(folder)), tmp_path / "root")
    assert corpus.manifest["documents_duplicate"] == 40
    assert corpus.manifest["overlap"]["documents"] == 0
    assert not set(documents(corpus.train)) & set(documents(corpus.heldout))


def test_two_documents_are_split_whatever_the_fraction(tmp_path: Path) -> None:
    path = tmp_path / "two.txt"
    path.write_text("one line\nanother line\n")
    for fraction in (0.001, 0.999):
        corpus = corpora.prepare(
            parse(CorpusConfig, config(path, document="line", heldout_fraction=fraction)), tmp_path / "root"
        )
        assert (corpus.manifest["documents_train"], corpus.manifest["documents_heldout"]) == (1, 1)


def test_opened_again_without_work(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # the files of the test are younger than the tick of a slow file system
    monkeypatch.setattr("scaling.corpora.corpus._TICK_NS", 0)
    first = corpora.prepare(parse(CorpusConfig, config(folder)), tmp_path / "root")
    stamp = (first.folder / "train.bin").stat().st_mtime_ns
    monkeypatch.setattr("scaling.corpora.preparing.building._build", lambda *_: pytest.fail("built twice"))
    monkeypatch.setattr("scaling.corpora.corpus.sha256", lambda *_: pytest.fail("hashed twice"))
    second = corpora.prepare(
        parse(CorpusConfig, config(folder, unique_tokens=100, max_epochs=3)), tmp_path / "root"
    )
    assert second.folder == first.folder
    assert (second.folder / "train.bin").stat().st_mtime_ns == stamp


def test_changed_text_is_another_corpus(folder: Path, tmp_path: Path) -> None:
    first = corpora.prepare(parse(CorpusConfig, config(folder)), tmp_path / "root")
    (folder / "000.txt").write_text("something else entirely")
    second = corpora.prepare(parse(CorpusConfig, config(folder)), tmp_path / "root")
    assert first.hash != second.hash


def test_many_processes_prepare_at_once(folder: Path, tmp_path: Path) -> None:
    code = (
        "import json, sys; from pathlib import Path; from scaling import corpora;"
        "from scaling.config import CorpusConfig, parse;"
        "print(corpora.prepare(parse(CorpusConfig, json.loads(sys.argv[1])), Path(sys.argv[2])).hash)"
    )
    arguments = [sys.executable, "-c", code, json.dumps(config(folder)), str(tmp_path / "root")]
    running = [subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    hashes = {process.communicate()[0].strip() for process in running}
    assert all(process.returncode == 0 for process in running)
    assert len(hashes) == 1
    assert len(list((tmp_path / "root").iterdir())) == 1


@pytest.mark.parametrize("damage", ["cut", "flip", "gone", "manifest"])
def test_a_damaged_corpus_is_refused_when_opened_and_rebuilt_when_prepared(
    folder: Path, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    corpus = corpora.prepare(parse(CorpusConfig, config(folder)), tmp_path / "root")
    good, path = bytes(corpus.train), corpus.folder / "train.bin"
    if damage == "cut":
        path.write_bytes(good[:-1])
    elif damage == "flip":
        path.write_bytes(good[:50] + bytes([good[50] ^ 1]) + good[51:])
    elif damage == "gone":
        path.unlink()
    else:
        (corpus.folder / "manifest.json").write_text('{"format": 1,')
    with pytest.raises(CorpusError, match=r"prepare the corpus again"):
        corpora.open_corpus(corpus.folder)
    again = corpora.prepare(parse(CorpusConfig, config(folder)), tmp_path / "root")
    assert bytes(again.train) == good
    assert "set aside" in caplog.text


def test_overlap_is_measured(tmp_path: Path) -> None:
    shared = sentences(1, words=200, seed=5)[0]
    rows = [f"{text} {shared}" for text in sentences(30, words=30, seed=6)]
    path = tmp_path / "rows.txt"
    path.write_text("\n".join(rows))
    overlap = corpora.prepare(parse(CorpusConfig, config(path, document="line")), tmp_path / "root").manifest[
        "overlap"
    ]
    assert overlap["words"] == 13
    assert overlap["fraction"] > 0.3
    path.write_text("\n".join(sentences(30, seed=7)))
    overlap = corpora.prepare(parse(CorpusConfig, config(path, document="line")), tmp_path / "root").manifest[
        "overlap"
    ]
    assert overlap["fraction"] == 0
    assert overlap["windows"] > 100


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"source": "filez"}, "corpus.source cannot be 'filez'; did you mean 'files'"),
        ({"heldout_fraction": 1.5}, "heldout_fraction is 1.5; it must be a number between 0 and 1"),
        (
            {"heldout_fraction": None},
            "corpus.heldout_fraction is null; give it a value",
        ),
        ({"name": "../up"}, "corpus.name is '../up'"),
        ({"path": "???"}, "corpus.path is not set"),
        ({"feild": "text"}, "a key of corpus 'files' cannot be 'feild'; did you mean 'field'"),
        ({"document": "page"}, "corpus.document must be one of"),
    ],
)
def test_keys_that_cannot_be(folder: Path, tmp_path: Path, changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        corpora.prepare(parse(CorpusConfig, config(folder, **changes)), tmp_path / "root")


def test_a_root_that_cannot_be_written(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "root").write_text("a file stands here")
    with pytest.raises(StorageError, match=r"cannot be written.*SCALING_RESULTS"):
        corpora.prepare(parse(CorpusConfig, config(folder)), tmp_path / "root")


def test_a_full_disk_leaves_nothing_half_done(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Stream, "write", write)
        with pytest.raises(
            StorageError, match=r"could not be written \(No space left on device\); make room"
        ):
            corpora.prepare(parse(CorpusConfig, config(folder)), tmp_path / "root")
    assert not list((tmp_path / "root").iterdir())
    corpus = corpora.prepare(parse(CorpusConfig, config(folder)), tmp_path / "root")
    left = tmp_path / "root" / f".building-{corpus.folder.name}-old"
    left.mkdir()
    os.utime(left, (0, 0))
    (left.parent / left.name.removeprefix(".building-").removesuffix("-old") / "train.bin").unlink()
    corpora.prepare(parse(CorpusConfig, config(folder)), tmp_path / "root")
    assert not left.exists()


@pytest.mark.slow
def test_memory_is_flat_in_the_size_of_the_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight times the text, the same peak, once buffers are small enough to be filled by the smaller one."""
    monkeypatch.setattr(order, "_RUN_BYTES", 1 << 18)
    monkeypatch.setattr(Ordered.__init__, "__kwdefaults__", {"run_bytes": 1 << 18, "key": order.key})
    monkeypatch.setattr(order, "_MERGE", 4)
    monkeypatch.setattr(writing, "_BATCH_BYTES", 1 << 16)
    monkeypatch.setattr(overlap, "_KEEP", 1 << 12)
    monkeypatch.setattr(duplicates, "_FOLLOWED", 64)

    def peak(lines: int) -> int:
        path = tmp_path / f"{lines}.txt"
        path.write_text("\n".join(sentences(lines, words=200)))
        asked = config(path, document="line", name=f"lines{lines}")
        tracemalloc.start()
        corpora.prepare(parse(CorpusConfig, asked), tmp_path / "root")
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(10)
    assert peak(4000) < 1.3 * peak(500)


def test_results_carried_away_from_their_text_still_open(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = corpora.prepare(parse(CorpusConfig, config(folder)), tmp_path / "root")
    corpora.prepare(parse(CorpusConfig, config(folder, heldout_fraction=0.5)), tmp_path / "root")
    shutil.rmtree(folder)
    shutil.move(tmp_path / "root", tmp_path / "elsewhere")
    again = corpora.prepare(parse(CorpusConfig, config(folder, max_epochs=3)), tmp_path / "elsewhere")
    assert again.hash == first.hash
    assert "there is no text at" in caplog.text
    with pytest.raises(CorpusError, match="there is no text at"):
        corpora.prepare(parse(CorpusConfig, config(folder, heldout_fraction=0.3)), tmp_path / "elsewhere")
