"""Optimisers against torch's own and the papers' update rules; parametrizations against their promise."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
import torch

from scaling.corpora import Corpus
from scaling.errors import ConfigError
from scaling.training import Cell
from scaling.training.lifecycle.run import assemble
from scaling.training.optimization import optimizers
from scaling.training.optimization.lion import Lion
from scaling.training.optimization.muon import Muon, orthogonal
from scaling.training.optimization.parametrization import factors, kind_of, rescale
from scaling.training.recipes.recipe import OPTIMIZERS, Hyperparameters


def trainer(cell: Cell, corpus: Corpus) -> Any:
    return assemble(
        cell, corpus, device=torch.device("cpu"), micro_batch=cell.hyperparameters.batch_sequences
    )


def h(**changes: Any) -> Hyperparameters:
    return Hyperparameters(**({"learning_rate": 0.01, "batch_sequences": 4} | changes))


def test_adamw_is_torchs_with_decay_on_matrices_alone(cell: Callable[..., Cell], corpus: Corpus) -> None:
    it = cell()
    ours, theirs = trainer(it, corpus), trainer(it, corpus)
    p = it.hyperparameters
    spared = [q for n, q in theirs.module.named_parameters() if q.ndim < 2 or "embedding" in n]
    decayed = [q for n, q in theirs.module.named_parameters() if q.ndim >= 2 and "embedding" not in n]
    reference = torch.optim.AdamW(
        [{"params": spared, "weight_decay": 0.0}, {"params": decayed, "weight_decay": p.weight_decay}],
        lr=0.01,
        betas=(p.beta1, p.beta2),
        eps=p.epsilon,
        foreach=False,
    )
    for step in range(5):
        ours.gradients(step)
        theirs.gradients(step)
        ours.optimizers.set_learning_rate(0.01)
        ours.update()
        torch.nn.utils.clip_grad_norm_(theirs.module.parameters(), p.clip)
        reference.step()
        reference.zero_grad()
    for a, b in zip(ours.module.parameters(), theirs.module.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_muon_is_torchs() -> None:
    if not hasattr(torch.optim, "Muon"):
        pytest.skip("this torch has no Muon to compare with")
    torch.manual_seed(0)
    start = torch.randn(24, 40)
    ours, theirs = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    a = Muon([{"params": [ours], "weight_decay": 0.1}], lr=0.02, momentum=0.95)
    b = torch.optim.Muon([theirs], lr=0.02, weight_decay=0.1, momentum=0.95, adjust_lr_fn="match_rms_adamw")
    for _ in range(5):
        gradient = torch.randn(24, 40)
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        a.step()
        b.step()
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


def test_soap_is_adam_in_the_basis_of_its_preconditioner() -> None:
    """arXiv:2409.11321, algorithm 3, written out for one matrix and a basis that does not turn yet."""
    pytest.importorskip("pytorch_optimizer")
    torch.manual_seed(0)
    layer = torch.nn.Linear(4, 4, bias=False).double()
    p = h(optimizer="soap", beta1=0.9, beta2=0.95, weight_decay=0.0)
    made = optimizers.make(torch.nn.ModuleDict({"blocks": layer}), p)
    gradients = [torch.randn(4, 4, dtype=torch.float64) for _ in range(4)]
    w = layer.weight.detach().clone()
    left, right = (torch.linalg.eigh(g @ g.T)[1] for g in (gradients[0], gradients[0].T))
    mean, square = torch.zeros_like(w), torch.zeros_like(w)
    for step, gradient in enumerate(gradients):
        layer.weight.grad = gradient.clone()
        made.set_learning_rate(p.learning_rate)
        made.step()
        if step == 0:  # it only begins the preconditioner
            continue
        mean = p.beta1 * mean + (1 - p.beta1) * gradient
        square = p.beta2 * square + (1 - p.beta2) * (left.T @ gradient @ right).square()
        corrected = (left.T @ mean @ right) / (1 - p.beta1**step)
        update = corrected / ((square / (1 - p.beta2**step)).sqrt() + p.epsilon)
        w = w - p.learning_rate * left @ update @ right.T
    torch.testing.assert_close(layer.weight.detach(), w, rtol=1e-5, atol=1e-6)


def test_soap_without_its_package_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytorch_optimizer.optimizer.soap", None)
    with pytest.raises(ConfigError, match=r"needs the package pytorch-optimizer.*set recipe.optimizer=adamw"):
        optimizers.make(torch.nn.Linear(3, 3), h(optimizer="soap"))


def test_an_orthogonal_update_has_singular_values_near_one() -> None:
    torch.manual_seed(0)
    for shape in ((16, 64), (64, 16), (32, 32)):
        values = torch.linalg.svdvals(orthogonal(torch.randn(shape)).float())
        assert values.min() > 0.4
        assert values.max() < 1.3


def test_lion_by_hand() -> None:
    p = torch.nn.Parameter(torch.tensor([1.0, -2.0, 3.0]))
    lion = Lion([{"params": [p], "weight_decay": 0.1}], lr=0.5, betas=(0.9, 0.99))
    w, m = np.array([1.0, -2.0, 3.0]), np.zeros(3)
    for g in (np.array([1.0, -1.0, 0.5]), np.array([-3.0, 0.1, -0.01])):
        p.grad = torch.tensor(g, dtype=torch.float32)
        lion.step()
        w = w - 0.5 * (np.sign(0.9 * m + 0.1 * g) + 0.1 * w)
        m = 0.99 * m + 0.01 * g
    np.testing.assert_allclose(p.detach().numpy(), w, rtol=1e-6)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_learns(cell: Callable[..., Cell], corpus: Corpus, name: str) -> None:
    if name == "soap":
        pytest.importorskip("pytorch_optimizer")
    peak = {"sgd": 0.5, "lion": 0.002}.get(name, 0.01)
    it = trainer(
        cell(recipe={"name": "fixed", "peak": peak, "batch_sequences": 4, "optimizer": name}), corpus
    )
    losses = []
    for step in range(60):
        it.optimizers.set_learning_rate(peak)
        losses.append(float(it.gradients(step)))
        it.update()
    assert np.mean(losses[-10:]) < np.mean(losses[:3]) - 1.0


def test_every_parameter_is_in_one_group(cell: Callable[..., Cell], corpus: Corpus) -> None:
    for name in OPTIMIZERS:
        if name == "soap" and find_spec("pytorch_optimizer") is None:
            continue
        it = trainer(cell(family={"name": "gpt2", "size": 1}), corpus)
        made = optimizers.make(it.module, h(optimizer=name))
        ids = [id(p) for p in made.parameters]
        assert sorted(ids) == sorted(id(p) for p in it.module.parameters())


def test_kinds_of_parameters(cell: Callable[..., Cell], corpus: Corpus) -> None:
    module = trainer(cell(family={"name": "llama", "size": 1}), corpus).module
    embeddings = {id(module.embedding.weight)}
    kinds = {name: kind_of(name, p, embeddings) for name, p in module.named_parameters()}
    assert kinds["embedding.weight"] == "embedding"
    assert kinds["head.weight"] == "head"
    assert kinds["norm.weight" if "norm.weight" in kinds else "norm.gain"] == "vector"
    assert {k for name, k in kinds.items() if name.endswith(("out.weight", "down.weight"))} == {"hidden"}


def test_the_base_shape_is_untouched(cell: Callable[..., Cell], corpus: Corpus) -> None:
    """At base width and depth every parametrization is the standard one."""
    for name in ("mup", "completep"):
        it = trainer(cell(family={"name": "llama", "size": 2, "width": 64, "depth": 2}), corpus)
        settings = h(parametrization=name, base_width=64, base_depth=2)
        assert {(f.learning_rate, f.init, f.epsilon) for _, f in factors(it.module, settings)} == {
            (1.0, 1.0, 1.0)
        }


def test_completep_absorbs_the_branch_multiplier(cell: Callable[..., Cell], corpus: Corpus) -> None:
    """Initial weights and learning rate × 1/l of a branch's last matrix are a multiplier 1/l on the
    branch."""
    it = cell(family={"name": "llama", "size": 2, "width": 32, "depth": 4})
    explicit, absorbed = trainer(it, corpus), trainer(it, corpus)
    settings = h(parametrization="completep", base_width=32, base_depth=1, epsilon=1e-12, weight_decay=0.3)
    rescale(absorbed.module, settings)
    absorbed.optimizers = optimizers.make(absorbed.module, settings)
    explicit.optimizers = optimizers.make(explicit.module, h(epsilon=1e-12, weight_decay=0.3))
    for block in explicit.module.blocks:
        block.scale = 1 / 4
    for step in range(4):
        for one in (explicit, absorbed):
            loss = one.gradients(step)
            one.optimizers.set_learning_rate(0.01)
            one.optimizers.step()
            one.optimizers.zero()
            one.last = float(loss)
        assert explicit.last == pytest.approx(absorbed.last, abs=2e-4)


@pytest.mark.parametrize(("name", "flat"), [("standard", False), ("mup", True)])
def test_coordinate_check(cell: Callable[..., Cell], corpus: Corpus, name: str, flat: bool) -> None:
    """After a few steps the change of activations does not depend on width under muP, and grows with it
    without.

    arXiv:2203.03466 appendix D.1: the slope of log change against log width is near 0 in a correct
    implementation.
    """
    widths = (32, 64, 128, 256)
    changes = []
    for width in widths:
        found = []
        for seed in (0, 1):
            shape = {"name": "llama", "size": 2, "width": width, "depth": 2, "heads": width // 16}
            it = trainer(cell(family=shape, seed=seed, evaluation={"sequences": 8, "points": 0}), corpus)
            settings = h(parametrization=name, base_width=32, weight_decay=0.0)
            rescale(it.module, settings)
            it.optimizers = optimizers.make(it.module, settings)
            seen: list[torch.Tensor] = []
            hook = it.module.blocks[-1].register_forward_hook(
                lambda m, a, out, seen=seen: seen.append(out.detach())
            )
            probe = it.heldout["tokens"]
            for step in range(5):
                it.module(probe)
                it.gradients(step)
                it.optimizers.set_learning_rate(0.01)
                it.optimizers.step()
                it.optimizers.zero()
            it.module(probe)
            hook.remove()
            outs = [o for o in seen if o.shape[0] == len(probe)]
            found.append(float((outs[-1] - outs[0]).square().mean().sqrt()))
        changes.append(np.mean(found))
    slope = np.polyfit(np.log(widths), np.log(changes), 1)[0]
    assert abs(slope) < 0.15 if flat else slope > 0.3, f"slope {slope:.2f}, changes {changes}"


def test_depth_coordinate_check(cell: Callable[..., Cell], corpus: Corpus) -> None:
    """Under CompleteP the change of the last activations does not grow with depth; without it, it does."""
    slopes = {}
    depths = (2, 4, 8, 16)
    for name in ("mup", "completep"):
        changes = []
        for depth in depths:
            shape = {"name": "llama", "size": 2, "width": 32, "depth": depth, "heads": 2}
            it = trainer(cell(family=shape, evaluation={"sequences": 8, "points": 0}), corpus)
            settings = h(parametrization=name, base_width=32, base_depth=2, weight_decay=0.0)
            rescale(it.module, settings)
            it.optimizers = optimizers.make(it.module, settings)
            probe = it.heldout["tokens"]
            seen: list[torch.Tensor] = []
            hook = it.module.blocks[-1].register_forward_hook(
                lambda m, a, out, seen=seen: seen.append(out.detach())
            )
            it.module(probe)
            for step in range(4):
                it.gradients(step)
                it.optimizers.set_learning_rate(0.01)
                it.optimizers.step()
                it.optimizers.zero()
            it.module(probe)
            hook.remove()
            changes.append(float((seen[-1] - seen[0]).square().mean().sqrt()))
        slopes[name] = np.polyfit(np.log(depths), np.log(changes), 1)[0]
    assert slopes["completep"] < 0.2, slopes
    assert slopes["mup"] > slopes["completep"] + 0.2, slopes


def test_mup_needs_its_own_head(cell: Callable[..., Cell], corpus: Corpus) -> None:
    with pytest.raises(ConfigError, match=r"set family\.tied=false"):
        trainer(cell(family={"name": "llama", "size": 1, "tied": True}, recipe={"name": "mup"}), corpus)


def test_head_starts_as_the_table_says(cell: Callable[..., Cell], corpus: Corpus) -> None:
    """mup: the head's deviation falls as 1/width, one power of √width faster than fan-in."""
    found = []
    for width in (32, 512):
        it = trainer(
            cell(
                family={"name": "llama", "size": 2, "width": width, "depth": 1},
                recipe={"name": "mup"},
                budget={"tokens": 64 * 8 * 16},
            ),
            corpus,
        )
        found.append(float(it.module.head.weight.detach().std()) * width)
    assert math.log(found[1] / found[0]) == pytest.approx(0, abs=0.05)
