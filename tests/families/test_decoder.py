"""What the decoder must do, and the mistakes that must stay out of it."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from scaling import families
from scaling.errors import ShapeError
from tests.families.formula import written_out

VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("llama", {}),
    ("gpt2", {}),
    ("transformer2017", {}),
    ("llama", {"qk_norm": True, "kv_heads": 1}),
    ("llama", {"position": "alibi"}),
    ("llama", {"window": 4}),
    ("llama", {"position": "learned", "norm_position": "post", "parallel": True, "residual_scale": "branch"}),
    ("gpt2", {"parallel": True, "mlp": "relu2"}),
    ("llama", {"experts": 4}),
]


def build(
    name: str, switches: dict[str, Any], size: float = 2, vocab: int = 50, context: int = 12, seed: int = 0
):
    family = families.get(name, **switches)
    return family.build(family.shape(size, vocab=vocab, context=context), seed=seed)


def tokens(batch: int = 2, context: int = 12, vocab: int = 50) -> torch.Tensor:
    return torch.randint(vocab, (batch, context), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("name", "switches"), [*VARIANTS, ("llama", {"position": "none"})], ids=str)
@torch.no_grad()
def test_no_causal_leak(name, switches) -> None:
    module, x = build(name, switches), tokens()
    # experts multiply as many rows as come to them, and the last bit of a product depends on how many they
    # are
    same = partial(torch.allclose, atol=1e-6) if switches.get("experts") else torch.equal
    before = module(x)
    for t in range(x.shape[1] - 1):
        changed = x.clone()
        changed[:, t + 1] = (changed[:, t + 1] + 7) % 50
        after = module(changed)
        assert same(after[:, : t + 1], before[:, : t + 1])
        assert not torch.allclose(after[:, t + 1], before[:, t + 1])


@pytest.mark.parametrize(("name", "switches"), VARIANTS, ids=str)
@torch.no_grad()
def test_order_matters(name, switches) -> None:
    module, x = build(name, switches), tokens()
    swapped = x.clone()
    swapped[:, [8, 9]] = x[:, [9, 8]]
    assert not torch.allclose(module(swapped)[:, 11], module(x)[:, 11], atol=1e-5)


@pytest.mark.parametrize("position", ["sinusoidal", "learned", "rope", "alibi"])
@torch.no_grad()
def test_one_block_knows_order_by_its_positions_alone(position) -> None:
    """The causal mask tells deeper decoders an order; here only the switch can."""
    module, x = build("llama", {"position": position, "depth": 1}), tokens()
    swapped = x.clone()
    swapped[:, [8, 9]] = x[:, [9, 8]]
    assert not torch.allclose(module(swapped)[:, 11], module(x)[:, 11], atol=1e-4)


@torch.no_grad()
def test_without_positions_one_block_sees_a_set() -> None:
    """With position `none` and one block, the last token sees the earlier ones as a set: the noted exception.
    The causal mask alone gives deeper decoders a sense of order."""
    x = tokens()
    swapped = x.clone()
    swapped[:, [8, 9]] = x[:, [9, 8]]
    one = build("llama", {"position": "none", "depth": 1})
    assert torch.allclose(one(swapped)[:, 11], one(x)[:, 11], atol=1e-6)
    two = build("llama", {"position": "none", "depth": 2})
    assert not torch.allclose(two(swapped)[:, 11], two(x)[:, 11], atol=1e-5)


@torch.no_grad()
def test_window_hides_what_lies_outside() -> None:
    module = build("llama", {"window": 3, "depth": 1})
    x = tokens()
    changed = x.clone()
    changed[:, 4] = (x[:, 4] + 1) % 50
    same = (module(changed) == module(x)).all(dim=2).all(dim=0)
    assert same.tolist() == [t not in (4, 5, 6) for t in range(12)]


@pytest.mark.parametrize(("heads", "kv_heads"), [(4, 4), (4, 2), (4, 1)])
def test_attention_is_its_formula(heads: int, kv_heads: int) -> None:
    generator = torch.Generator().manual_seed(0)
    q = torch.randn(2, heads, 9, 8, generator=generator)
    k, v = (torch.randn(2, kv_heads, 9, 8, generator=generator) for _ in range(2))
    ours = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=heads != kv_heads)
    assert torch.allclose(ours, written_out(q, k, v), atol=1e-6)


@pytest.mark.parametrize(("name", "switches"), VARIANTS, ids=str)
@torch.no_grad()
def test_module_attention_is_the_formula(name, switches, monkeypatch) -> None:
    module, x = build(name, switches), tokens()
    fast = module(x)
    monkeypatch.setattr(
        F,
        "scaled_dot_product_attention",
        lambda q, k, v, attn_mask=None, **_: written_out(q, k, v, attn_mask),
    )
    assert torch.allclose(module(x), fast, atol=1e-5)


@pytest.mark.parametrize(("name", "switches"), VARIANTS[:4], ids=str)
def test_one_batch_overfits(name, switches) -> None:
    module, x = build(name, switches, size=2), tokens(batch=4, context=12)
    optimizer = torch.optim.AdamW(module.parameters(), lr=5e-3)
    losses = []
    for _ in range(150):
        loss = F.cross_entropy(module(x)[:, :-1].flatten(0, 1), x[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(math.log(50), rel=0.3)
    assert losses[-1] < 0.1


def test_seed_alone_decides_the_weights() -> None:
    a, b, c = (build("llama", {}, seed=seed) for seed in (3, 3, 4))
    torch.manual_seed(99)
    assert all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))
    assert not torch.equal(a.embedding.weight, c.embedding.weight)
    state = torch.get_rng_state()
    build("gpt2", {})
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("name", ["llama", "gpt2", "transformer2017"])
@torch.no_grad()
def test_starts_at_the_loss_of_a_uniform_guess(name: str) -> None:
    for size in (1, 4, 8):
        module = build(name, {}, size=size, vocab=256, context=32)
        x = tokens(4, 33, 256)
        loss = F.cross_entropy(module(x[:, :-1]).flatten(0, 1), x[:, 1:].flatten())
        assert loss.item() == pytest.approx(math.log(256), abs=0.65)


@torch.no_grad()
def test_shorter_sequences_are_prefixes() -> None:
    for name, switches in VARIANTS:
        module, x = build(name, switches), tokens()
        assert torch.allclose(module(x[:, :5]), module(x)[:, :5], atol=1e-5)


def test_more_tokens_than_context_are_refused() -> None:
    with pytest.raises(ShapeError, match="13 tokens do not fit a context of 12"):
        build("llama", {})(tokens(context=13))


def test_dropout_acts_in_training_alone() -> None:
    module, x = build("gpt2", {"dropout": 0.5}), tokens()
    module.train()
    torch.manual_seed(0)
    assert not torch.equal(module(x), module(x))
    module.eval()
    assert torch.equal(module(x), module(x))


def test_every_parameter_learns() -> None:
    for name, switches in VARIANTS:
        module, x = build(name, switches), tokens()
        module(x).square().sum().backward()
        idle = [n for n, p in module.named_parameters() if p.grad is None or not torch.any(p.grad.abs() > 0)]
        assert not idle, f"{name} {switches}: {idle}"
