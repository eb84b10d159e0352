"""A damaged corpus, or an edited manifest, is refused in a sentence and prepared again."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling import corpora
from scaling.config import CorpusConfig, parse
from scaling.corpora import manifest
from scaling.errors import CorpusError

from .conftest import sentences

KINDS = ("bytes", "bpe", "labels", "targets")


def prepare(root: Path, kind: str) -> Any:
    """Prepares a small corpus of a kind."""
    rows = root / "rows.jsonl"
    if not rows.exists():
        made = [
            {"text": text, "label": "ab"[i % 2], "target": text[::-1]} for i, text in enumerate(sentences(60))
        ]
        rows.write_text("\n".join(map(json.dumps, made)), encoding="utf-8")
    config: dict[str, Any] = {"name": "small", "source": "files", "path": str(rows), "heldout_fraction": 0.2}
    config |= {"tokenizer": "bpe:300" if kind == "bpe" else "bytes", "field": "text"}
    if kind in ("labels", "targets"):
        config[kind[:-1]] = kind[:-1]
        return corpora.prepare_examples(parse(CorpusConfig, config), root / kind).texts
    return corpora.prepare(parse(CorpusConfig, config), root / kind)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, dict[str, bytes]]]:
    """A corpus of each kind, with the content of its files."""
    root = tmp_path_factory.mktemp("made")
    found = {kind: prepare(root, kind) for kind in KINDS}
    return {
        kind: (corpus, {path.name: path.read_bytes() for path in corpus.folder.iterdir()})
        for kind, corpus in found.items()
    }


def restore(corpus: Any, files: dict[str, bytes]) -> None:
    """Writes the files as they were."""
    for name, content in files.items():
        corpus.folder.joinpath(name).write_bytes(content)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(data=st.data())
def test_a_change_anywhere_is_noticed_or_changes_nothing(
    made: dict[str, tuple[Any, dict[str, bytes]]], data: st.DataObject
) -> None:
    corpus, files = made[data.draw(st.sampled_from(KINDS))]
    restore(corpus, files)
    path = corpus.folder / data.draw(st.sampled_from(sorted(files)))
    raw = bytearray(files[path.name])
    place = data.draw(st.integers(0, len(raw) - 1))
    if data.draw(st.booleans()):
        raw[place] ^= data.draw(st.integers(1, 255))
    else:
        raw = raw[:place]
    before = path.stat()
    path.write_bytes(raw)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # as a damaged disk leaves it
    try:
        found = corpora.open_corpus(corpus.folder)
    except CorpusError as error:
        message = str(error)
    else:
        assert dict(found.manifest) == dict(corpus.manifest)
        assert (bytes(found.train), bytes(found.heldout)) == (bytes(corpus.train), bytes(corpus.heldout))
        message = "again"
    assert message.endswith("again")
    assert "\n" not in message
    restore(corpus, files)


HOSTILE = [
    None,
    True,
    -1,
    0,
    2**70,
    1.5,
    float("nan"),
    float("inf"),
    "",
    "object",
    "<f8",
    "../x",
    [],
    {},
    [1],
    {"a": 1},
]


@pytest.mark.parametrize("kind", KINDS)
def test_an_edited_manifest_of_an_earlier_version_crashes_nothing(
    made: dict[str, tuple[Any, dict[str, bytes]]], kind: str
) -> None:
    """Manifests of earlier versions have no checksum, so every value is checked by itself."""
    corpus, files = made[kind]
    sound = {key: value for key, value in corpus.manifest.items() if key != "checksum"}
    needed = ("vocab", "dtype", "hash", "tokenizer", "files", "tokens_train", "tokens_heldout")
    for key in sound:
        for value in [*HOSTILE, ...]:
            edited = {k: v for k, v in sound.items() if k != key} | ({} if value is ... else {key: value})
            (corpus.folder / "manifest.json").write_text(json.dumps(edited))
            try:
                found = corpora.open_corpus(corpus.folder)
            except CorpusError:
                continue
            assert key not in needed, (key, value)
            if kind in ("labels", "targets") and "labels" in edited:
                examples = corpora.Examples(texts=found)
                examples.batch("train", seed=0, step=0, examples=2, context=8)
            assert (bytes(found.train), found.vocab) == (bytes(corpus.train), corpus.vocab)
    restore(corpus, files)


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "7", "{", "[" * 100_000, '{"format": 1}', '{"format": 1, "files": 3}', "\x00"]
)
def test_a_manifest_that_is_none_is_refused(made: dict[str, tuple[Any, dict[str, bytes]]], text: str) -> None:
    corpus, files = made["bytes"]
    (corpus.folder / "manifest.json").write_text(text)
    with pytest.raises(CorpusError, match=r"again$"):
        corpora.open_corpus(corpus.folder)
    (corpus.folder / "manifest.json").write_bytes(b"\xff\xfe")
    with pytest.raises(CorpusError, match=r"again$"):
        corpora.open_corpus(corpus.folder)
    restore(corpus, files)


def test_an_edited_value_is_noticed_by_the_checksum(made: dict[str, tuple[Any, dict[str, bytes]]]) -> None:
    corpus, files = made["bytes"]
    for edit in ({"bytes_per_token": 2.0}, {"documents_train": 1}, {"licence": "mine"}):
        (corpus.folder / "manifest.json").write_text(json.dumps(dict(corpus.manifest) | edit))
        with pytest.raises(CorpusError, match="its checksum is wrong"):
            corpora.open_corpus(corpus.folder)
    restore(corpus, files)


@pytest.mark.parametrize("damage", ["flip", "gone", "edited", "other corpus", "file", "folder of a file"])
@pytest.mark.parametrize("kind", ["bytes", "labels"])
def test_a_damaged_corpus_is_set_aside_and_built_again(
    tmp_path: Path, kind: str, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    corpus = prepare(tmp_path, kind)
    good, folder = bytes(corpus.train), corpus.folder
    name = "train.bin" if kind == "bytes" else "train.ends.bin"
    if damage == "flip":
        raw = bytearray((folder / name).read_bytes())
        raw[9] ^= 1
        (folder / name).write_bytes(raw)
    elif damage == "gone":
        (folder / name).unlink()
    elif damage == "edited":
        edited = {k: v for k, v in corpus.manifest.items() if k not in ("checksum", "labels")}
        (folder / "manifest.json").write_text(json.dumps(edited | {"dtype": "object"}))
    elif damage == "other corpus":
        other = prepare(tmp_path, "bpe")
        shutil.rmtree(folder)
        shutil.copytree(other.folder, folder)
    elif damage == "file":
        shutil.rmtree(folder)
        folder.write_text("not a folder")
    else:
        (folder / name).unlink()
        (folder / name).mkdir()
    again = prepare(tmp_path, kind)
    assert bytes(again.train) == good
    assert caplog.text.count("set aside as .damaged-small-") == 1
    assert len(corpora.prepared(tmp_path / kind)) == 1
    manifest.check(again.manifest)
