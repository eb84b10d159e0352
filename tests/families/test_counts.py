"""Sizes and FLOPs by component against torch's own counters on the meta device, for every switch."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from scaling import families
from scaling.families.counts import keys_seen
from scaling.families.decoder.module import Decoder, component_of
from scaling.families.decoder.switches import Switches
from scaling.families.shape import Shape

BATCH = 2
CHOICES = {
    field.name: field.metadata["kind"].choices for field in fields(Switches) if field.metadata["kind"].choices
}


def on_meta(family: Any, shape: Shape) -> tuple[Counter[str], Counter[str]]:
    """Parameters and forward FLOPs of one batch by component, as torch counts them."""
    with torch.device("meta"):
        module = Decoder(shape, family.decoder)
    params: Counter[str] = Counter()
    for name, parameter in module.named_parameters():
        params[component_of(name)] += parameter.numel()
    with FlopCounterMode(display=False) as counter:
        module(torch.zeros(BATCH, shape.context, dtype=torch.long, device="meta"))
    flops: Counter[str] = Counter()
    by_module = counter.get_flop_counts()
    flops["all"] = sum(by_module["Global"].values())
    for i in range(shape.depth):
        inside = by_module[f"Decoder.blocks.{i}.attention"]
        maps = sum(
            sum(by_module.get(f"Decoder.blocks.{i}.attention.{part}", {}).values()) for part in ("qkv", "out")
        )
        flops["attention_projection"] += maps
        flops["attention_scores_full"] += sum(inside.values()) - maps
        router = sum(by_module.get(f"Decoder.blocks.{i}.mlp.router", {}).values())
        flops["mlp"] += sum(by_module[f"Decoder.blocks.{i}.mlp"].values()) - router
        flops["other"] += router
    flops["head"] = flops["all"] - sum(flops[name] for name in flops if name != "all")
    return params, flops


def check(family: Any, shape: Shape) -> None:
    counts = family.counts(shape)
    params, flops = on_meta(family, shape)
    assert {name: n for name, n in counts.params.items() if n} == {name: n for name, n in params.items() if n}
    assert counts.params_total == sum(params.values())
    assert (counts.params_active < counts.params_total) == bool(family.decoder.experts)
    tokens = BATCH * shape.context
    for name in ("attention_projection", "attention_scores_full", "mlp", "head", "other"):
        assert counts.flops[name] * tokens == flops[name], name
    assert counts.flops_per_token * tokens == 3 * flops["all"]


@pytest.mark.parametrize("name", ["llama", "gpt2", "transformer2017"])
@pytest.mark.parametrize("size", [0.25, 1, 2.7, 4])
def test_presets(name: str, size: float) -> None:
    family = families.get(name)
    check(family, family.shape(size, vocab=101, context=24))


ONE_SWITCH = [{key: value} for key, values in CHOICES.items() for value in values] + [
    {"qk_norm": True},
    {"kv_heads": 1},
    {"kv_heads": 2},
    {"window": 5},
    {"tied": True},
    {"bias": True},
    {"parallel": True},
    {"embedding_scale": True},
    {"dropout": 0.1},
    {"mlp_ratio": 1.5},
    {"experts": 5, "bias": False},
    {"experts": 8, "experts_per_token": 1, "bias": False, "mlp": "relu"},
    {"depth": 3},
    {"width": 40},
    {"heads": 2},
]


@pytest.mark.parametrize("switch", ONE_SWITCH, ids=str)
@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_every_switch(name: str, switch: dict[str, Any]) -> None:
    family = families.get(name, **switch)
    check(family, family.shape(2, vocab=67, context=16))


@pytest.mark.slow
@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    choices=st.fixed_dictionaries({key: st.sampled_from(values) for key, values in CHOICES.items()}),
    flags=st.fixed_dictionaries(
        {key: st.booleans() for key in ("qk_norm", "tied", "bias", "parallel", "embedding_scale")}
    ),
    kv_heads=st.sampled_from([None, 1, 2, 3]),
    window=st.sampled_from([None, 1, 7, 99]),
    size=st.floats(0.25, 4.0),
    vocab=st.integers(1, 300),
    context=st.integers(1, 40),
)
def test_any_switches(choices, flags, kv_heads, window, size, vocab, context) -> None:
    family = families.get("llama", **choices, **flags, kv_heads=kv_heads, window=window)
    check(family, family.shape(size, vocab=vocab, context=context))


@pytest.mark.parametrize("window", [None, 1, 4, 16, 50])
def test_keys_seen_is_the_mean_row_of_the_mask(window: int | None) -> None:
    context = 16
    family = families.get("llama", window=window)
    shape = family.shape(1, vocab=9, context=context)
    bias = family.build(shape, seed=0).bias
    mask = torch.ones(context, context).tril() if bias is None else (bias[0] == 0).float()
    assert keys_seen(context, window) == pytest.approx(mask.sum(1).mean().item())
    counts = family.counts(shape)
    ratio = counts.flops["attention_scores_causal"] / counts.flops["attention_scores_full"]
    assert ratio == pytest.approx(keys_seen(context, window) / context)
    assert counts.flops_per_token_causal < counts.flops_per_token


def test_breakdown_adds_up() -> None:
    for name in ("llama", "gpt2", "transformer2017"):
        family = families.get(name)
        counts = family.counts(family.shape(3, vocab=256, context=64))
        assert counts.params_total == counts.params_embedding + counts.params_head + counts.params_block
        # 6N with N the matrices that a token passes through, plus the attention scores
        matrices = (
            counts.params_block + counts.params_head
            if not family.decoder.tied
            else counts.params_block + 256 * family.shape(3, vocab=256, context=64).width
        )
        assert counts.flops_per_token == pytest.approx(
            6 * matrices + 3 * counts.flops["attention_scores_full"], rel=0.02
        )
