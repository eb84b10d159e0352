"""What is written here rather than called from torch: gradients in float64 against finite differences."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor

from scaling import families
from scaling.families.decoder.layers import activate, rotation
from scaling.training.objectives.chunked import Deferred
from scaling.training.objectives.task import IGNORED, cross_entropy
from tests.families.formula import written_out


def numbers(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize(
    ("name", "switches"),
    [
        ("llama", {}),
        ("llama", {"qk_norm": True, "kv_heads": 1}),
        ("llama", {"position": "alibi", "window": 3, "mlp": "relu2"}),
        ("llama", {"experts": 3}),
        ("gpt2", {"parallel": True, "residual_scale": "branch"}),
        ("transformer2017", {}),
    ],
    ids=str,
)
def test_a_decoder_block(name, switches) -> None:
    family = families.get(name, width=8, heads=2, depth=1, **switches)
    module = family.build(family.shape(1, vocab=5, context=4), seed=0).double()
    cos, sin = (None, None) if module.cos is None else (module.cos, module.sin)
    block, x = module.blocks[0], numbers(2, 4, 8)
    assert torch.autograd.gradcheck(lambda x: block(x, cos, sin, module.bias), (x,))


def test_cross_attention() -> None:
    family = families.get("t5", width=8, heads=2, depth=1)
    cross = family.build(family.shape(1, vocab=5, context=4), seed=0).double().decoder[0].cross
    hidden = torch.tensor([0.0, 0.0, -torch.inf], dtype=torch.float64).expand(2, 1, 1, 3)
    assert torch.autograd.gradcheck(
        lambda x, memory: cross(x, memory, hidden), (numbers(2, 4, 8), numbers(2, 3, 8, seed=1))
    )


def test_rotation_gate_and_written_out_attention() -> None:
    cos, sin = (table.double() for table in rotation(4, 6, 100.0))
    assert torch.autograd.gradcheck(
        lambda x: torch.addcmul(x * cos, x.roll(3, dims=-1), sin), (numbers(1, 2, 4, 6),)
    )
    assert torch.autograd.gradcheck(partial(activate, activation="swiglu"), (numbers(3, 8),))
    assert torch.autograd.gradcheck(
        written_out, (numbers(1, 4, 3, 2), numbers(1, 2, 3, 2, seed=1), numbers(1, 2, 3, 2, seed=2))
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_in_chunks(smoothing: float) -> None:
    targets = torch.tensor([1, IGNORED, 0, 3, 2])

    # torch's own, in float64: `cross_entropy` narrows to float32, which no finite difference resolves
    def loss(logits: Tensor, some: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(
            logits, some, ignore_index=IGNORED, reduction="none", label_smoothing=smoothing
        )

    def chunked(features: Tensor, weight: Tensor) -> Tensor:
        return Deferred(features=features, weight=weight, tokens=2).losses(loss, targets)

    features, weight = numbers(5, 3), numbers(4, 3, seed=1)
    assert torch.autograd.gradcheck(chunked, (features, weight))
    whole = cross_entropy(features @ weight.T, targets, smoothing=smoothing)
    assert torch.allclose(whole.double(), chunked(features, weight), atol=1e-6)


def test_a_truncated_recurrence_is_the_whole_one_within_a_piece() -> None:
    """Gradients are cut between pieces and nowhere else: those inside one piece are finite differences."""
    family = families.get("lstm", truncate=3, depth=1, width=4)
    module = family.build(family.shape(1, vocab=5, context=6), seed=0).double().train()
    module.embedding = torch.nn.Identity()
    head = torch.nn.Linear(4, 5, bias=False, dtype=torch.float64)
    module.head = head
    x = numbers(2, 6, 4)
    first = x.detach()[:, :3]
    assert torch.autograd.gradcheck(lambda last: module(torch.cat((first, last), 1))[:, 3:], (x[:, 3:],))
    (grad,) = torch.autograd.grad(module(x)[:, 3:].sum(), x)
    assert torch.count_nonzero(grad[:, :3]) == 0
    assert torch.count_nonzero(grad[:, 3:]) > 0
