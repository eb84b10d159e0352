"""The files in conf/corpus compose, and name what a person must still say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from scaling import corpora, folders
from scaling.config import CorpusConfig, parse
from scaling.corpora import synthetic
from scaling.errors import ConfigError
from scaling.sweeping.planning import store

CONF = folders.shipped("conf").resolve()
GROUP = CONF / "corpus"
NAMES = sorted(path.relative_to(GROUP).with_suffix("").as_posix() for path in GROUP.rglob("*.yaml"))


def composed(*overrides: str) -> Any:
    """The `corpus` part of a config, as a run sees it."""
    store.register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return OmegaConf.to_container(compose(overrides=list(overrides)).corpus)


@pytest.mark.parametrize("name", NAMES)
def test_every_corpus_composes_with_the_common_values(name: str) -> None:
    found = composed(f"+corpus={name}")
    assert {"name", "source", "tokenizer", "heldout_fraction", "unique_tokens", "max_epochs"} <= set(found)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("synthetic/")])
def test_every_synthetic_language_is_spoken(name: str, tmp_path: Path) -> None:
    corpus = corpora.prepare(
        parse(CorpusConfig, composed(f"+corpus={name}", "corpus.tokens=20000")), tmp_path
    )
    assert corpus.name == name.removeprefix("synthetic/")
    assert corpus.vocab <= 256
    assert corpus.manifest["truth"]["entropy_rate"] > 0


def test_every_language_has_a_config() -> None:
    assert {f"synthetic/{name}" for name in synthetic.names()} <= set(NAMES)


def test_files_ask_for_a_path_and_take_one(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"corpus\.path is not set; type corpus\.path="):
        corpora.prepare(parse(CorpusConfig, composed("+corpus=files")), tmp_path)
    corpus = corpora.prepare(
        parse(CorpusConfig, composed("+corpus=files", f"corpus.path={folder}")), tmp_path
    )
    assert corpus.name == "files"
    with pytest.raises(ConfigError, match=r"corpus\.revision is not set"):
        corpora.prepare(parse(CorpusConfig, composed("+corpus=hub")), tmp_path)


def test_a_mixture_can_be_typed(folder: Path, tmp_path: Path) -> None:
    one = f"{{source:files,path:{folder},weight:1}}"
    none = f"{{source:files,path:{folder}/000.txt,weight:0}}"
    corpus = corpora.prepare(
        parse(CorpusConfig, composed("+corpus=mixture", f"corpus.parts=[{one},{none}]")), tmp_path
    )
    assert corpus.manifest["mixture"][0]["share"] == 1
