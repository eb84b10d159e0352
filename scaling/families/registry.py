"""Which families there are, and how one is found by its name."""

from __future__ import annotations

from dataclasses import fields
from importlib import import_module
from typing import Any

from scaling.config import FamilyConfig
from scaling.errors import ConfigError, one_of
from scaling.families.decoder.switches import PRESETS, Switches
from scaling.families.encoders import masked
from scaling.families.encoders import switches as seq2seq
from scaling.families.family import Family
from scaling.families.recurrent.switches import LSTMSwitches
from scaling.families.regression.switches import PerceptronSwitches

MODULES: dict[str, str] = {
    **dict.fromkeys(PRESETS, "scaling.families.decoder.family"),
    "lstm": "scaling.families.recurrent.family",
    "bert": "scaling.families.encoders.masked",
    "bert_classifier": "scaling.families.encoders.classifier",
    "seq2seq2017": "scaling.families.encoders.seq2seq",
    "t5": "scaling.families.encoders.seq2seq",
    "mlp": "scaling.families.regression.family",
    "hf": "scaling.families.foreign.hf",
}
"""Name → the module whose `family(name, changes)` makes it."""
_PARTS = ("depth", "width", "heads")
_DECODER = tuple(field.name for field in fields(Switches))
KEYS: dict[str, tuple[str, ...]] = {
    "base": (*_PARTS, *_DECODER),
    "encoder": (*masked.OVERRIDES, *masked.ALLOWED),
    "encoder_decoder": (*seq2seq.OVERRIDES, *seq2seq.ALLOWED),
    "recurrent": tuple(field.name for field in fields(LSTMSwitches)),
    "perceptron": tuple(field.name for field in fields(PerceptronSwitches)),
    "foreign": ("model_type", *_PARTS, "fields"),
}
"""What the files of conf/family start from → the keys of such a family."""


def names() -> list[str]:
    """Every family that `get` knows by name."""
    return list(MODULES)


def get(name: str, **switches: Any) -> Family:
    """A family by name, with some of its switches set.

    Args:
        name: one of `names()`, or `path.py:Name` for a class in a file of one's own.
        switches: the family's own; None means its default.

    Raises:
        ConfigError: when the name, a switch or its value is not known.
    """
    changes = {key: value for key, value in switches.items() if value is not None}
    if ".py:" in name:
        from scaling.families.foreign.user import family

        return family(name, changes)
    if name not in MODULES:
        raise ConfigError(one_of("family", name, MODULES))
    made: Family = import_module(MODULES[name]).family(name, changes)
    return made


def from_config(config: FamilyConfig) -> Family:
    """Return the family of a config, with its switches. Raises ConfigError."""
    if config.name is None or config.size is None:
        raise ConfigError("a family needs family.name and family.size; name one of: " + ", ".join(names()))
    return get(config.name, **config.switches)


def listing(*, vocab: int = 256, context: int = 64) -> list[dict[str, Any]]:
    """What there is, for people and programs: one row a family.

    Args:
        vocab, context: what N is counted for.

    Returns:
        Rows with name, objective, dial, sizes [smallest, largest], params [at the smallest, at the largest;
        None where the family needs more than a name], source and switches.
    """
    rows = []
    for name in names():
        if name == "hf":
            # its counts are those of one model type, and need torch
            rows.append(_foreign())
            continue
        found = get(name)
        params = [
            found.counts(found.shape(size, vocab=vocab, context=context)).params_total for size in found.sizes
        ]
        rows.append(
            {
                "name": name,
                "objective": found.objective,
                "dial": found.dial,
                "sizes": list(found.sizes),
                "params": params,
                "source": found.source,
                "switches": dict(found.switches),
            }
        )
    return rows


def _foreign() -> dict[str, Any]:
    from scaling.families.foreign.hf import HFFamily

    any_type = HFFamily(model_type="…")
    return {
        "name": any_type.name,
        "objective": any_type.objective,
        "dial": any_type.dial,
        "sizes": list(any_type.sizes),
        "params": None,
        "source": any_type.source,
        "switches": dict(any_type.switches),
    }
