"""The LSTM language model: its sizes, its FLOPs through an unrolled twin, its causality, its truncation."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from scaling import families
from scaling.errors import ConfigError
from scaling.families.recurrent.module import component_of


def build(size: float = 2.5, vocab: int = 50, context: int = 12, **switches):
    family = families.get("lstm", **switches)
    shape = family.shape(size, vocab=vocab, context=context)
    return family, shape, family.build(shape, seed=0)


def tokens(vocab: int = 50, context: int = 12) -> torch.Tensor:
    return torch.randint(vocab, (2, context), generator=torch.Generator().manual_seed(1))


def unrolled(module, x: torch.Tensor) -> torch.Tensor:
    """The same network as products, gates and sums, one token after the other (torch's counter does not see
    nn.LSTM)."""
    y = module.embedding(x)
    for layer in range(module.shape.depth):
        w_ih, w_hh, b_ih, b_hh = (
            getattr(module.lstm, f"{name}_l{layer}")
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        h = c = torch.zeros(x.shape[0], module.shape.width, device=x.device)
        out = []
        for t in range(x.shape[1]):
            gates = F.linear(y[:, t], w_ih, b_ih) + F.linear(h, w_hh, b_hh)
            i, f, g, o = gates.chunk(4, dim=1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            out.append(h)
        y = torch.stack(out, dim=1)
    return F.linear(y, module.embedding.weight if module.head is None else module.head.weight)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("size", [0.25, 1, 2.5, 6])
def test_counts(size, tied) -> None:
    family, shape, module = build(size, tied=tied)
    counts, x = family.counts(shape), tokens()
    with torch.no_grad():
        assert torch.allclose(unrolled(module, x), module(x), atol=1e-5)
    by: dict[str, int] = {}
    for name, parameter in module.named_parameters():
        by[component_of(name)] = by.get(component_of(name), 0) + parameter.numel()
    assert {name: n for name, n in counts.params.items() if n} == by
    meta = module.to("meta")
    with FlopCounterMode(display=False) as counter:
        unrolled(meta, x.to("meta"))
    assert counter.get_total_flops() * 3 == counts.flops_per_token * x.numel()
    with FlopCounterMode(display=False) as head:
        F.linear(torch.zeros(*x.shape, shape.width, device="meta"), meta.embedding.weight)
    assert counts.flops["head"] * x.numel() == head.get_total_flops()
    assert counts.flops["other"] * x.numel() == counter.get_total_flops() - head.get_total_flops()


def test_same_grid_as_the_decoder() -> None:
    for size in (0.5, 1, 2, 3.7, 6, 12):
        n = [
            family.counts(family.shape(size, vocab=256, context=64)).params_total
            for family in (families.get("lstm"), families.get("llama"))
        ]
        assert n[0] == pytest.approx(n[1], rel=0.2)
    sizes = [0.25 * 1.05**i for i in range(100)]
    lstm = families.get("lstm")
    ns = [lstm.counts(lstm.shape(size, vocab=256, context=64)).params_total for size in sizes]
    assert all(b >= 0.97 * a for a, b in pairwise(ns))


@torch.no_grad()
def test_no_causal_leak_and_order_matters() -> None:
    _, _, module = build()
    x = tokens()
    before = module(x)
    for t in range(11):
        changed = x.clone()
        changed[:, t + 1] = (changed[:, t + 1] + 7) % 50
        assert torch.equal(module(changed)[:, : t + 1], before[:, : t + 1])
    swapped = x.clone()
    swapped[:, [8, 9]] = x[:, [9, 8]]
    assert not torch.allclose(module(swapped)[:, 11], before[:, 11])


def test_truncation_cuts_gradients_not_the_state() -> None:
    _, _, whole = build()
    _, _, cut = build(truncate=4)
    x = tokens()
    assert torch.allclose(whole(x), cut(x), atol=1e-6)
    grads = []
    for module in (whole, cut):
        embedded = module.embedding.weight
        module(x)[:, 11].sum().backward()
        grads.append(embedded.grad[x[0, 2]].abs().sum().item() if x[0, 2] not in x[:, 8:] else None)
    assert grads[0] is not None
    assert grads[0] > 0
    assert grads[1] == 0


def test_one_batch_overfits_and_seed_decides() -> None:
    _, _, module = build()
    _, _, again = build()
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), again.parameters(), strict=True))
    x, optimizer = tokens(), torch.optim.AdamW(module.parameters(), lr=1e-2)
    for _ in range(120):
        loss = F.cross_entropy(module(x)[:, :-1].flatten(0, 1), x[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1


def test_bad_switches() -> None:
    with pytest.raises(ConfigError, match=r"a switch of lstm must be one of .*not 'heads'"):
        families.get("lstm", heads=2)
    with pytest.raises(ConfigError, match=r"family.truncate is 0; it must be a whole number, 1 or more"):
        families.get("lstm", truncate=0)
