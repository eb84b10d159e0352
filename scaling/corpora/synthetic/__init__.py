"""Synthetic languages with a known entropy, to test whether a fit recovers the irreducible loss."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from scaling.corpora.synthetic.language import Entropy, Language
from scaling.errors import ConfigError, one_of

__all__ = ["Entropy", "Language", "language", "names", "of", "truth"]

_LANGUAGES = {
    "facts": ("skills", "Facts"),
    "hierarchy": ("hierarchy", "Hierarchy"),
    "hmm": ("hmm", "HiddenMarkov"),
    "markov": ("markov", "Markov"),
    "parity": ("skills", "Parity"),
}


def names() -> list[str]:
    """Return the names of all languages."""
    return sorted(_LANGUAGES)


def language(name: str, *, seed: int, **parameters: Any) -> Language:
    """Return the language `name`; the same `seed` gives the same rules on every machine.

    Raises ConfigError for an unknown name or parameter, or a value that the language does not accept.
    """
    if name not in _LANGUAGES:
        raise ConfigError(one_of("corpus.language", name, _LANGUAGES))
    module, kind = _LANGUAGES[name]
    constructor = getattr(import_module(f"scaling.corpora.synthetic.{module}"), kind)
    allowed = [field.name for field in dataclasses.fields(constructor) if field.name != "seed"]
    for key in parameters:
        if key not in allowed:
            raise ConfigError(one_of(f"a parameter of the language {name!r}", key, allowed))
    missing = [key for key in allowed if key not in parameters]
    if missing:
        raise ConfigError(
            f"the language {name!r} needs {missing[0]!r}; give corpus.parameters.{missing[0]}=VALUE"
        )
    instance: Language = constructor(seed=seed, **parameters)
    return instance


def of(manifest: Mapping[str, Any]) -> Language:
    """Return the language of a corpus on disk, from its manifest.

    Raises ConfigError when the corpus is not synthetic.
    """
    config = manifest["config"]
    if "truth" not in manifest:
        raise ConfigError(f"corpus {manifest['name']!r} is no synthetic language; its entropy is unknown")
    return language(config["language"], seed=config["seed"], **config["parameters"])


def truth(language: Language) -> Mapping[str, Any]:
    """Return the known properties of a language, for the manifest; entropies in nats per token."""
    entropy = language.entropy()
    return {
        "entropy_rate": entropy.rate,
        "entropy_rate_lower": entropy.lower,
        "entropy_rate_upper": entropy.upper,
        "floor_by_context": {str(c): language.floor(c) for c in language.contexts()},
        "period": language.period,
        "data_exponent": language.data_exponent,
        "data_exponent_tokens": getattr(language, "data_exponent_tokens", None),
        "parameter_exponent": language.parameter_exponent,
        "reference": language.reference,
    }
