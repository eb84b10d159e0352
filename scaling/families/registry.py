"""List the families and return one by its name."""

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
"""Name → the module whose `family(name, changes)` returns the family."""
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
"""Kind of family, which files of conf/family name in `defaults` → the keys of such a family."""


def names() -> list[str]:
    """Return the names of all families that `get` knows."""
    return list(MODULES)


def get(name: str, **switches: Any) -> Family:
    """Return a family by name, with some of its switches set.

    Args:
        name: one of `names()`, or `path.py:Name` for a class in a user's file.
        switches: values of the family's switches; None means the default.

    Raises:
        ConfigError: when the name, a switch or its value is not known.
    """
    changes = {key: value for key, value in switches.items() if value is not None}
    if ".py:" in name:
        from scaling.families.foreign.user import family

        return family(name, changes)
    if name not in MODULES:
        raise ConfigError(one_of("family", name, MODULES))
    instance: Family = import_module(MODULES[name]).family(name, changes)
    return instance


def from_config(config: FamilyConfig) -> Family:
    """Return the family of a config, with its switches. Raises ConfigError."""
    if config.name is None:
        raise ConfigError("a family needs family.name; one of: " + ", ".join(names()))
    return get(config.name, **config.switches)


def listing(*, vocab: int = 256, context: int = 64) -> list[dict[str, Any]]:
    """Return one row for each family, as a table or JSON shows them.

    Args:
        vocab, context: token ids and tokens per sequence for which N is counted.

    Returns:
        Rows with name, objective, dial, sizes [smallest, largest], params [at the smallest, at the largest
        size; None where the family needs more than a name], source and switches.
    """
    rows = []
    for name in names():
        if name == "hf":
            # its counts depend on the model type and need torch
            rows.append(_foreign())
            continue
        family = get(name)
        shapes = [family.shape(size, vocab=vocab, context=context) for size in family.sizes]
        rows.append(
            {
                "name": name,
                "objective": family.objective,
                "dial": family.dial,
                "sizes": list(family.sizes),
                "params": [family.counts(shape).params_total for shape in shapes],
                "source": family.source,
                "switches": dict(family.switches),
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
