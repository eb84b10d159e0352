"""Use a synthetic language as a source: one sample for training and an independent one for evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from scaling.config import CorpusConfig
from scaling.corpora import synthetic
from scaling.corpora.sources import Source
from scaling.errors import ConfigError

KEYS = frozenset({"language", "seed", "tokens", "parameters"})


def source(config: CorpusConfig, root: Path) -> Source:
    """Return the source of a synthetic language.

    Keys: `language`, its `parameters`, `seed`, and `tokens` in total, of which `heldout_fraction` are held
    out. Raises ConfigError for a missing key or a value that the language does not accept.
    """
    del root
    for key in ("language", "seed", "tokens", "parameters"):
        if key not in config.options:
            raise ConfigError(f"corpus 'synthetic' needs {key!r}; give corpus.{key}=VALUE")
    seed, tokens = config.options["seed"], config.options["tokens"]
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ConfigError(f"corpus.seed is {seed!r}; give an integer from 0")
    if isinstance(tokens, bool) or not isinstance(tokens, int) or tokens < 2:
        raise ConfigError(f"corpus.tokens is {tokens!r}; give an integer, such as 10000000")
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
