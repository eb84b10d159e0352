"""The dial: whole sizes exact, N monotone, ranges stated, impossible shapes refused in a sentence."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling import families
from scaling.config import FamilyConfig, parse
from scaling.errors import ConfigError, ShapeError

PRESETS = ["llama", "gpt2", "transformer2017"]


def params(name: str, size: float, **switches) -> int:
    family = families.get(name, **switches)
    return family.counts(family.shape(size, vocab=256, context=64)).params_total


@pytest.mark.parametrize("name", PRESETS)
def test_known_sizes(name: str) -> None:
    family = families.get(name)
    for size, n in ((1, 2e4), (4, 5e5), (24, 1e8)):
        shape = family.shape(size, vocab=256, context=64)
        assert shape.depth == size
        assert shape.width == 24 * size
        assert family.counts(shape).params_total == pytest.approx(n, rel=0.35)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    low=st.floats(0.25, 40),
    factor=st.floats(1.0, 3.0),
    name=st.sampled_from(PRESETS),
    vocab=st.sampled_from([2, 256, 8192]),
    kv_heads=st.sampled_from([None, 1, 2]),
)
def test_more_size_never_means_fewer_parameters(low, factor, name, vocab, kv_heads) -> None:
    family = families.get(name, kv_heads=kv_heads)
    small, large = (family.shape(s, vocab=vocab, context=64) for s in (low, low * factor))
    assert family.counts(small).params_total <= family.counts(large).params_total


def test_size_moves_finely() -> None:
    sizes = [1.0 * 1.02**i for i in range(160)]
    ns = sorted({params("llama", size) for size in sizes})
    assert max(b / a for a, b in pairwise(ns)) < 1.35
    wide = [n for n in ns if n > 3e5]
    assert len(wide) > 15
    assert max(b / a for a, b in pairwise(wide)) < 1.35


@given(size=st.floats(0.25, 30), name=st.sampled_from(PRESETS))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_heads_fit_and_are_even(size: float, name: str) -> None:
    shape = families.get(name).shape(size, vocab=256, context=64)
    assert shape.heads * shape.head_dim == shape.width
    assert shape.head_dim % 2 == 0
    assert shape.depth == max(1, math.floor(size + 0.5))


def test_given_parts_are_taken_and_the_rest_keeps_n() -> None:
    plain = params("llama", 4)
    assert params("llama", 4, depth=2) == pytest.approx(plain, rel=0.1)
    assert params("llama", 4, depth=8) == pytest.approx(plain, rel=0.1)
    shape = families.get("llama", depth=2, width=64, heads=4).shape(4, vocab=256, context=64)
    assert (shape.depth, shape.width, shape.heads, shape.head_dim) == (2, 64, 4, 16)
    assert families.get("llama", heads=8).shape(4, vocab=256, context=64).heads == 8


def test_null_switches_are_the_familys_own() -> None:
    assert families.get("gpt2", norm=None, depth=None) == families.get("gpt2")
    family = families.from_config(
        parse(FamilyConfig, {"name": "gpt2", "size": 2.5, "tied": False, "norm": None})
    )
    assert family == families.get("gpt2", tied=False)


@pytest.mark.parametrize(
    ("switches", "size", "sentence"),
    [
        ({}, 0.1, "family.size=0.1 is outside the range of llama, which is 0.25 to 256"),
        ({}, 1e6, "outside the range of llama"),
        ({}, math.nan, "family.size must be a number from 0.25 to 256; not nan"),
        ({}, "big", "family.size must be a number from 0.25 to 256; not 'big'"),
        ({"width": 66, "heads": 4}, 1, "family.width=66 is not a multiple of family.heads=4"),
        ({"width": 12, "heads": 4}, 1, "multiple of 8, or another family.position"),
        ({"width": 0}, 1, "family.width must be a whole number from 1; not 0"),
        ({"width": 17}, 1, "family.width=17 cannot be divided into heads of an even width"),
        ({"depth": 1.5}, 1, "family.depth must be a whole number from 1; not 1.5"),
        ({"heads": 3, "kv_heads": 2}, 1, "family.heads=3 cannot share family.kv_heads=2 evenly"),
    ],
)
def test_impossible_shapes(switches, size, sentence) -> None:
    with pytest.raises(ShapeError, match=None) as error:
        families.get("llama", **switches).shape(size, vocab=256, context=64)
    assert sentence in str(error.value)


@pytest.mark.parametrize(("vocab", "context"), [(0, 64), (256, 0), (2.5, 64), (256, True)])
def test_impossible_tokens(vocab, context) -> None:
    with pytest.raises(ShapeError, match="must be a whole number from 1"):
        families.get("llama").shape(1, vocab=vocab, context=context)


@pytest.mark.parametrize(
    ("name", "switches", "sentence"),
    [
        ("lama", {}, "family cannot be 'lama'; did you mean 'llama'"),
        ("llama", {"mpl": "relu"}, "a switch of the decoder cannot be 'mpl'; did you mean 'mlp'"),
        ("llama", {"mlp": "relu3"}, "family.mlp cannot be 'relu3'"),
        ("llama", {"tied": "yes"}, "family.tied is 'yes'; it must be true or false"),
        ("llama", {"dropout": 1.0}, "family.dropout is 1.0; it must be a number from 0, below 1"),
        ("llama", {"window": 0}, "family.window is 0; it must be a whole number, 1 or more"),
        ("llama", {"mlp_ratio": 0}, "family.mlp_ratio is 0; it must be a number above 0 to 64"),
    ],
)
def test_unknown_names_and_values(name, switches, sentence) -> None:
    with pytest.raises(ConfigError, match=sentence):
        families.get(name, **switches)
