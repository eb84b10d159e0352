"""Use a synthetic language as a source: one sample for training and an independent one for evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from scaling.config import CorpusConfig
from scaling.config.kinds import SEED, TEXT, UNSET, Setting, mapping, whole
from scaling.corpora import synthetic
from scaling.corpora.sources import Source
from scaling.errors import ConfigError

KEYS = {
    "language": Setting(TEXT, UNSET, "markov, hmm, hierarchy, facts or parity."),
    "seed": Setting(SEED, UNSET, "Random seed of the language."),
    "tokens": Setting(
        whole(2, 10**12, why="they are written to disk"),
        UNSET,
        "Tokens in total, of which heldout_fraction are held out.",
    ),
    "parameters": Setting(mapping("{symbols: 16}"), UNSET, "Parameters of the language."),
}


def source(config: CorpusConfig, root: Path) -> Source:
    """Return the source of a synthetic language.

    Raises ConfigError for a value that the language does not accept.
    """
    del root
    seed, tokens = config.options["seed"], config.options["tokens"]
    if config.tokenizer != "symbols":
        raise ConfigError(
            f"corpus.tokenizer is {config.tokenizer!r}; a synthetic language consists of symbols: set "
            f"corpus.tokenizer=symbols"
        )
    name = str(config.options["language"])
    language = synthetic.language(name, seed=seed, **config.options["parameters"])
    held = max(int(tokens * config.heldout_fraction), 1)

    def streams() -> dict[str, Iterator[np.ndarray]]:
        return {
            "train": language.sample(np.random.default_rng([seed, 11]), tokens - held),
            "heldout": language.sample(np.random.default_rng([seed, 12]), held),
        }

    return Source(
        origin=f"synthetic language {name} {dict(config.options['parameters'])}, seed {seed}",
        licence="none needed: drawn by a program",
        fingerprint={"language": repr(language)},
        streams=streams,
        vocab=language.vocab,
        facts=lambda: {"truth": synthetic.truth(language)},
    )
