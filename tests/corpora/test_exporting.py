"""A tokeniser that travels with an exported model gives the tokens that the corpus gave."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scaling import corpora
from scaling.config import CorpusConfig, parse
from scaling.corpora.exporting import to_transformers
from scaling.corpora.tokenizers import Symbols

TEXTS = ["plain words, twice  spaced\n\nand a line", "naïve café – 日本語 🙂", " leading", "a\ttab\x01"]


@pytest.mark.parametrize("tokenizer", ["bytes", "bpe:300"])
def test_same_tokens_after_a_folder_on_disk(folder: Path, tmp_path: Path, tokenizer: str) -> None:
    from transformers import AutoTokenizer

    config = {"name": "x", "source": "files", "path": str(folder), "heldout_fraction": 0.3}
    ours = corpora.prepare(
        parse(CorpusConfig, {**config, "tokenizer": tokenizer}), tmp_path / "corpora"
    ).tokenizer
    made = to_transformers(ours, context=64)
    assert made is not None
    made.save_pretrained(tmp_path / "exported")
    theirs = AutoTokenizer.from_pretrained(tmp_path / "exported")
    assert theirs.model_max_length == 64
    assert theirs.eos_token_id == theirs.bos_token_id == ours.separator
    assert len(theirs) == ours.vocab
    for text in TEXTS:
        ids = theirs(text).input_ids
        assert ids == ours.encode([text.encode()])[0].tolist()
        assert theirs.decode(ids) == ours.decode(np.array(ids)) == text


def test_symbols_are_no_text() -> None:
    assert to_transformers(Symbols(vocab=5), context=8) is None
