"""A source in a file of one's own: its keys, its name, and every mistake in a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scaling import corpora, folders
from scaling.config import CorpusConfig, parse
from scaling.errors import ConfigError, CorpusError
from scaling.sweeping.planning import config as configs
from scaling.sweeping.planning.config import spelled

FILE = """
from scaling.corpora.sources import Source


def counted_texts(count=40):
    return Source(
        origin="texts with a number",
        licence="none needed",
        fingerprint={"count": count},
        documents=lambda: (f"text number {number}".encode() for number in range(count)),
        rows=lambda: ({"text": f"text {n}", "odd": str(n % 2)} for n in range(count)),
    )


def nothing():
    return None


def _private():
    return None
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    return path


def config(file: Path, **changes: Any) -> CorpusConfig:
    """Return the config of a corpus of that file."""
    asked = {"name": "mine", "source": f"{file}:counted_texts", "tokenizer": "bytes", "heldout_fraction": 0.2}
    return parse(CorpusConfig, asked | changes)


def test_it_works_like_any_other_and_takes_its_arguments_as_keys(file: Path, tmp_path: Path) -> None:
    corpus = corpora.prepare(config(file), tmp_path)
    assert corpus.manifest["documents_train"] + corpus.manifest["documents_heldout"] == 40
    assert corpus.manifest["source"] == "texts with a number"
    few = corpora.prepare(config(file, count=20), tmp_path)
    assert few.manifest["documents_train"] + few.manifest["documents_heldout"] == 20
    assert corpora.prepare_examples(config(file, label="odd"), tmp_path).labels == ["0", "1"]


def test_an_edited_file_is_prepared_again(file: Path, tmp_path: Path) -> None:
    before = corpora.prepare(config(file), tmp_path)
    file.write_text(FILE.replace("text number", "verse number"))
    after = corpora.prepare(config(file), tmp_path)
    assert after.hash != before.hash
    file.unlink()
    assert corpora.prepare(config(file), tmp_path).name == "mine", "a prepared text needs no file"


def test_a_file_of_the_checkout_opens_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = "analysis/corpora/debian.py:words"
    with pytest.raises(CorpusError, match="needs the Debian package wamerican"):
        corpora.prepare(config(tmp_path, source=source, system=str(tmp_path)), tmp_path / "root")
    monkeypatch.setattr(folders, "shipped", lambda _: tmp_path / "wheel/shipped/sweeps")
    with pytest.raises(CorpusError, match=r"no file 'analysis/corpora/debian\.py'.*come with a checkout"):
        corpora.prepare(config(tmp_path, source=source), tmp_path / "root")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"source": "nowhere.py:text"}, r"there is no file 'nowhere\.py'"),
        ({"source": "{file}:count_texts"}, "did you mean 'counted_texts'"),
        ({"source": "{file}:_private"}, "must be one of 'counted_texts', 'nothing'; not '_private'"),
        ({"source": "{file}:nothing"}, "must return a Source; not NoneType"),
        ({"counts": 3}, "does not take these keys of the corpus.*'counts'; its arguments are count"),
    ],
)
def test_mistakes_are_named(file: Path, tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    if "source" in changes:
        changes = {"source": changes["source"].format(file=file)}
    with pytest.raises((ConfigError, CorpusError), match=sentence):
        corpora.prepare(config(file, **changes), tmp_path)


def test_a_file_that_fails_is_named(file: Path, tmp_path: Path) -> None:
    file.write_text("import nothing_of_that_name\n")
    with pytest.raises(ConfigError, match=r"mine\.py does not import: ModuleNotFoundError"):
        corpora.prepare(config(file), tmp_path)


def test_the_command_line_names_the_corpus_after_the_function() -> None:
    assert spelled(["corpus.name=other", "corpus=a/b.py:my_text"]) == [
        "corpus=base",
        "corpus.source=a/b.py:my_text",
        "corpus.name=my-text",
        "corpus.name=other",
    ]


def test_the_command_line_trains_on_it(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from scaling import train

    monkeypatch.chdir(file.parent)
    asked = ["corpus=mine.py:counted_texts", "+corpus.count=900", "family.size=0.5", "context=16"]
    few = ["budget.tokens=30000", "evaluation.sequences=8", "evaluation.points=1"]
    monkeypatch.setattr("sys.argv", ["train", *asked, *few])
    train.main()
    assert " done N=" in capsys.readouterr().out


def test_a_corpus_chosen_by_name_replaces_the_sweep_files_own() -> None:
    with configs.hydra("translation") as (engine, primary):
        master = configs.master(engine, primary, [])
        compose = configs.composer(engine.config_loader, master)
        assert compose([]).corpus.source == "analysis/corpora/debian.py:eng_spa"
        chosen = compose(["corpus.name=mine", "corpus=files", "corpus.path=x.jsonl"]).corpus
        assert (chosen.name, chosen.source, chosen.options["target"]) == ("mine", "files", "target")
        assert compose(["corpus=mine.py:counted_texts"]).corpus.source == "mine.py:counted_texts"
