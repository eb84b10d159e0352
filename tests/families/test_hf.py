"""Any transformers config as a family: counts, causality, seeds, mistakes; one case a model type on tiny
shapes."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from scaling import families
from scaling.errors import ConfigError, ShapeError

TYPES = ["llama", "gpt2", "gpt_neox", "qwen2", "gemma", "mamba"]
VOCAB, CONTEXT = 61, 16


def make(model_type: str, size: float = 2, **fields):
    family = families.get("hf", model_type=model_type, **fields)
    return family, family.shape(size, vocab=VOCAB, context=CONTEXT)


@pytest.mark.parametrize("model_type", TYPES)
def test_counts_are_those_of_the_module(model_type: str) -> None:
    family, shape = make(model_type)
    counts, module = family.counts(shape), family.build(shape, seed=0)
    assert counts.params_total == sum(p.numel() for p in module.parameters())
    config = module.model.config
    assert (config.vocab_size, config.hidden_size, config.num_hidden_layers) == (
        VOCAB,
        shape.width,
        shape.depth,
    )
    # on the CPU, with real numbers, and attention written out because torch counts nothing inside its CPU
    # kernel
    module.eval().model.set_attn_implementation("eager")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.zeros(3, CONTEXT, dtype=torch.long))
    assert counts.flops_per_token * 3 * CONTEXT == pytest.approx(3 * counter.get_total_flops(), rel=1e-9)


@pytest.mark.parametrize("model_type", ["llama", "gpt2"])
def test_components_are_the_decoders_own(model_type: str) -> None:
    """The same architecture, counted by arithmetic here and by torch there."""
    family, shape = make(model_type)
    module = family.build(shape, seed=0)
    ours = families.get(model_type, width=shape.width, depth=shape.depth, heads=shape.heads)
    own_shape = ours.shape(2, vocab=VOCAB, context=CONTEXT)
    hidden = shape.hidden if model_type == "llama" else 4 * shape.width
    assert hidden == own_shape.hidden
    theirs, counted = family.counts(shape), ours.counts(own_shape)
    assert {k: v for k, v in theirs.params.items() if v} == {k: v for k, v in counted.params.items() if v}
    for name in ("attention_projection", "attention_scores_full", "attention_scores_causal", "mlp", "head"):
        assert theirs.flops[name] == pytest.approx(counted.flops[name]), name
    assert sum(p.numel() for p in module.parameters()) == counted.params_total


@pytest.mark.parametrize("model_type", TYPES)
def test_causal_ordered_seeded_and_learning(model_type: str) -> None:
    family, shape = make(model_type)
    state = torch.get_rng_state()
    module, again, other = (family.build(shape, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), again.parameters(), strict=True))
    assert any(not torch.equal(a, b) for a, b in zip(module.parameters(), other.parameters(), strict=True))
    x = torch.randint(VOCAB, (2, CONTEXT), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        module.eval()
        before = module(x)
        assert before.shape == (2, CONTEXT, VOCAB)
        changed = x.clone()
        changed[:, 9] = (changed[:, 9] + 5) % VOCAB
        after = module(changed)
        assert torch.allclose(after[:, :9], before[:, :9], atol=1e-5)
        assert not torch.allclose(after[:, 9], before[:, 9], atol=1e-5)
        swapped = x.clone()
        swapped[:, [8, 9]] = x[:, [9, 8]]
        assert not torch.allclose(module(swapped)[:, 15], before[:, 15], atol=1e-6)
    module.train()
    optimizer = torch.optim.AdamW(module.parameters(), lr=3e-3)
    losses = []
    for _ in range(12):
        loss = torch.nn.functional.cross_entropy(module(x)[:, :-1].flatten(0, 1), x[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_fields_are_the_configs_own() -> None:
    family, shape = make("mamba", state_size=4)
    assert family.config(shape).state_size == 4
    assert family.switches == {"model_type": "mamba", "state_size": 4}
    more = families.get("hf", model_type="mamba", fields={"state_size": 8})
    assert (
        more.counts(more.shape(2, vocab=VOCAB, context=CONTEXT)).params_total
        > family.counts(shape).params_total
    )


def test_bad_input() -> None:
    with pytest.raises(ConfigError, match=r"needs family.model_type"):
        families.get("hf")
    with pytest.raises(ConfigError, match=r"family.model_type=t5 has no causal head"):
        families.get("hf", model_type="t5")
    with pytest.raises(ConfigError, match=r"cannot be 'lama'; did you mean 'llama'"):
        families.get("hf", model_type="lama")
    with pytest.raises(ConfigError, match=r"a field of the mamba config cannot be 'state_sise'"):
        make("mamba", state_sise=4)
    with pytest.raises(ShapeError, match="outside the range"):
        make("llama", size=0.1)


@pytest.mark.parametrize("model_type", ["llama", "gpt2"])
@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"vocab_size": VOCAB - 1}, r"family.vocab_size is 60 and the corpus has 61 tokens; leave it out"),
        ({"max_position_embeddings": 15}, r"family.max_position_embeddings is 15 and the context is 16"),
        ({"num_attention_heads": 7}, r"transformers (refuses|cannot build) this (llama|gpt2)"),
        ({"num_hidden_layers": 0}, r"depth must be a whole number from 1; not 0"),
    ],
)
def test_fields_that_cannot_be(model_type: str, fields: dict[str, int], sentence: str) -> None:
    def shape_and_count() -> None:
        family, shape = make(model_type, **fields)
        family.counts(shape)

    with pytest.raises((ConfigError, ShapeError), match=sentence) as caught:
        shape_and_count()
    assert "\n" not in str(caught.value)


def test_a_state_space_model_costs_what_its_maps_cost() -> None:
    """FLOPs by component from the sizes of mamba's maps (arXiv:2312.00752, figure 3), not from torch's
    counter."""
    family, shape = make("mamba")
    config, counts = family.config(shape), family.counts(shape)
    inner, rank, states = config.intermediate_size, config.time_step_rank, config.state_size
    maps = shape.width * 2 * inner + inner * (rank + 2 * states) + rank * inner + inner * shape.width
    # the convolution runs past the end by its own length, where it is cut; the scan itself is elementwise but
    # for its read-out
    kernel = config.conv_kernel
    convolution, read_out = inner * kernel * (CONTEXT + kernel - 1) / CONTEXT, inner * states
    assert counts.flops["head"] == 2 * VOCAB * shape.width
    assert counts.flops["other"] == 2 * shape.depth * (maps + convolution + read_out)
    assert "attention_scores_full" not in counts.flops
