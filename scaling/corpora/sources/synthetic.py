"""A synthetic language as a source: two independent samples, one to train on and one to be measured on."""

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
    """`language` with its `parameters`, drawn with `seed`; `tokens` in all, `heldout_fraction` of them held
    out.

    Raises ConfigError for anything that the language cannot take.
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
            f"corpus.tokenizer is {config.tokenizer!r}; a synthetic language is symbols already: "
            f"tokenizer=symbols"
        )
    name = str(config.options["language"])
    spoken = synthetic.language(name, seed=seed, **config.options["parameters"])
    held = max(int(tokens * config.heldout_fraction), 1)

    def streams() -> dict[str, Iterator[np.ndarray]]:
        return {
            "train": spoken.sample(np.random.default_rng([seed, 11]), tokens - held),
            "heldout": spoken.sample(np.random.default_rng([seed, 12]), held),
        }

    return Source(
        origin=f"synthetic language {name} {dict(config.options['parameters'])}, seed {seed}",
        licence="none needed: drawn by a program",
        fingerprint={"language": repr(spoken)},
        streams=streams,
        vocab=spoken.vocab,
        facts=lambda: {"truth": synthetic.truth(spoken)},
    )
