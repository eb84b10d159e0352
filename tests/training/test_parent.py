"""Starting from a trained run: the first step is the parent's, only what should learns, nothing else
moves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from scaling.corpora import Corpus
from scaling.errors import ConfigError, StorageError
from scaling.families.adapting.modules import LowRankLinear, fold
from scaling.training import Cell, RunPaths, record
from scaling.training.lifecycle.run import run
from scaling.training.network import build
from scaling.training.sample import load
from tests.training.conftest import stated

LORA = {"adaptation": "lora", "rank": 2}
KINDS = [
    {},
    {"adaptation": "head"},
    {"adaptation": "blocks", "blocks": 1},
    LORA,
    {"adaptation": "lora", "rank": 3, "alpha": 6.0, "targets": ["qkv", "down"]},
    {"adaptation": "adapters", "bottleneck": 3},
]


@pytest.fixture
def parent(cell: Callable[..., Cell], corpus: Corpus, paths: Callable[[Cell], RunPaths]) -> RunPaths:
    """A run that has learnt."""
    return trained(cell(family={"name": "llama", "size": 1}), corpus, paths)


def trained(it: Cell, corpus: Corpus, paths: Callable[[Cell], RunPaths], **changes: Any) -> RunPaths:
    where = paths(it)
    settings = stated(it, **{"corpus": {"tokenizer": "bytes"}, **changes})
    got = run(it, corpus=corpus, paths=where, config=settings)
    assert got["status"] == "done", got["reason"]
    return where


def child(cell: Callable[..., Cell], parent: RunPaths, start: dict[str, Any], **changes: Any) -> Cell:
    return cell(
        **{
            "family": {"name": "llama", "size": 1},
            "seed": 3,
            "results": str(parent.folder.parent.parent),
            "start": {"run": parent.run_id, **start},
            **changes,
        }
    )


def logits(module: torch.nn.Module) -> torch.Tensor:
    tokens = torch.arange(32).view(2, 16)
    with torch.inference_mode():
        return module.eval()(tokens)


@pytest.mark.parametrize("start", KINDS, ids=str)
def test_the_first_step_is_the_parents(
    start: dict[str, Any], cell: Callable[..., Cell], parent: RunPaths
) -> None:
    it = child(cell, parent, start)
    begun = build(it)
    plain = it.architecture.build(it.shape, seed=9)
    plain.load_state_dict(torch.load(parent.weights, weights_only=True)["module"])
    torch.testing.assert_close(logits(begun), logits(plain), rtol=0, atol=0)
    learning = sum(p.numel() for p in begun.parameters() if p.requires_grad)
    assert it.columns()["params_trainable"] == learning


@pytest.mark.parametrize("start", KINDS[1:], ids=str)
def test_only_what_should_learns(
    start: dict[str, Any],
    cell: Callable[..., Cell],
    corpus: Corpus,
    parent: RunPaths,
    paths: Callable[[Cell], RunPaths],
) -> None:
    it = child(cell, parent, start)
    got = run(it, corpus=corpus, paths=paths(it), config=stated(it))
    assert (got["status"], got["parent"]) == ("done", parent.run_id), got["reason"]
    assert got["tokens_before"] == it.tokens
    before = torch.load(parent.weights, weights_only=True)["module"]
    after = torch.load(paths(it).weights, weights_only=True)["module"]
    kind, last = start["adaptation"], it.shape.depth - 1
    for name, old in before.items():
        now = after.get(name, after.get(name.replace("attention.", "attention.inner.")))
        now = after[name.replace("mlp.", "mlp.inner.")] if now is None else now
        may = {
            "head": name == "head.weight",
            "blocks": name.startswith(f"blocks.{last}.") or name.split(".")[0] in ("norm", "head"),
            "lora": any(
                f".{target}.weight" in name for target in start.get("targets", ("qkv", "out", "up", "down"))
            ),
            "adapters": False,
        }[kind]
        assert torch.equal(now, old) != may, name


def test_early_stopping_keeps_what_the_parent_spent(
    cell: Callable[..., Cell], corpus: Corpus, parent: RunPaths, paths: Callable[[Cell], RunPaths]
) -> None:
    recipe = {"name": "fixed", "peak": 0.3, "batch_sequences": 4, "patience": 1, "schedule": "constant"}
    it = cell(
        family={"name": "llama", "size": 1},
        recipe=recipe,
        budget={"tokens": 400 * 64},
        evaluation={"sequences": 32, "points": 40},
        start={"run": parent.run_id},
        results=str(parent.folder.parent.parent),
    )
    got = run(it, corpus=corpus, paths=paths(it))
    assert got["reason"].startswith("stopped early")
    before = record.read(parent)
    assert (got["tokens_before"], got["flops_before"]) == (before["tokens"], before["flops"])


def test_a_low_rank_map_merges_into_the_plain_one(
    cell: Callable[..., Cell], corpus: Corpus, parent: RunPaths, paths: Callable[[Cell], RunPaths]
) -> None:
    linear = torch.nn.Linear(7, 5)
    low = LowRankLinear(linear, rank=2, alpha=3.0, generator=torch.Generator().manual_seed(0))
    torch.nn.init.normal_(low.lora_b)
    x = torch.randn(4, 7)
    said = torch.nn.functional.linear(x, linear.weight + 3.0 / 2 * low.lora_b @ low.lora_a, linear.bias)
    torch.testing.assert_close(low(x), said)
    holder = fold(torch.nn.Sequential(low))
    assert type(holder[0]) is torch.nn.Linear
    torch.testing.assert_close(holder(x), said)
    # a run's weights are those of the plain network, which can be a parent again
    it = child(cell, parent, LORA)
    run(
        it,
        corpus=corpus,
        paths=paths(it),
        config=stated(it),
    )
    again = child(cell, paths(it), {})
    assert again.columns()["tokens_before"] == 2 * it.tokens
    plain = it.architecture.build(it.shape, seed=0)
    plain.load_state_dict(torch.load(paths(it).weights, weights_only=True)["module"])
    torch.testing.assert_close(logits(build(again)), logits(plain), rtol=0, atol=0)


def test_what_it_costs(cell: Callable[..., Cell], parent: RunPaths) -> None:
    full, head, lora = (child(cell, parent, start) for start in ({}, KINDS[1], LORA))
    forward = full.counts.flops_per_token / 3
    assert full.flops_per_token == full.counts.flops_per_token
    assert head.flops_per_token == pytest.approx(forward + full.counts.flops["head"])
    assert 2 * forward < lora.flops_per_token < 3 * forward
    whole = child(cell, parent, {"adaptation": "blocks", "blocks": full.shape.depth})
    assert whole.flops_per_token == pytest.approx(full.flops_per_token)


def test_the_parent_is_in_the_identity(cell: Callable[..., Cell], parent: RunPaths) -> None:
    scratch = cell(family={"name": "llama", "size": 1}, seed=3)
    same = cell(family={"name": "llama", "size": 1}, seed=3, start={"run": None}, compression={"bits": None})
    by_id = child(cell, parent, {})
    by_folder = child(cell, parent, {"run": str(parent.folder)})
    assert scratch.run_id == same.run_id != by_id.run_id == by_folder.run_id
    assert len({child(cell, parent, start).run_id for start in KINDS}) == len(KINDS)


def test_a_start_is_killed_and_continued_to_the_same_bit(
    cell: Callable[..., Cell], corpus: Corpus, parent: RunPaths, tmp_path: Path
) -> None:
    from scaling.training.checkpoints import checkpoint
    from scaling.training.lifecycle.run import assemble
    from scaling.training.loop import train

    it = child(cell, parent, LORA)
    where = RunPaths(folder=tmp_path / it.run_id)
    where.make()
    cpu = torch.device("cpu")
    whole = assemble(it, corpus, device=cpu, micro_batch=4)
    train(whole, pause=lambda: None)
    left = assemble(it, corpus, device=cpu, micro_batch=4)

    def stop() -> None:
        if left.state.step == 17:
            checkpoint.save(left, where)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(left, pause=stop)
    continued = assemble(it, corpus, device=cpu, micro_batch=4)
    checkpoint.load(continued, where, checkpoint.sources(it, where)[0])
    train(continued, pause=lambda: None)
    for one, other in zip(whole.module.parameters(), continued.module.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_finished_start_is_loaded_again(
    cell: Callable[..., Cell],
    corpus: Corpus,
    parent: RunPaths,
    paths: Callable[[Cell], RunPaths],
    monkeypatch: Any,
) -> None:
    it = child(cell, parent, KINDS[5])
    run(it, corpus=corpus, paths=paths(it), config=stated(it))
    monkeypatch.setattr("scaling.training.sample.open_data", lambda *_: corpus)
    monkeypatch.setattr(Cell, "from_config", classmethod(lambda *_: it))
    _, _, module = load(paths(it))
    assert any("adapter" in name for name, _ in module.named_parameters())


BAD = [
    ({"start": {"run": "0123456789abcdef"}}, "there is no finished run"),
    ({"start": {"rank": 2}}, "start.rank needs a trained run"),
    ({"start": {"adaptation": "lora"}}, "needs a trained run"),
    ({"start": {"sweep": "none"}}, "scaling run none"),
    ({"start": {"run": "PARENT", "sweep": "x"}}, "give one of them"),
    ({"start": {"run": "PARENT", "adaptation": "lora"}}, "start.rank is None"),
    ({"start": {"run": "PARENT", "adaptation": "loar"}}, "did you mean 'lora'|must be one of"),
    ({"start": {"run": "PARENT", "blocks": 1}}, "belongs to start.adaptation=blocks"),
    ({"start": {"run": "PARENT", "adaptation": "blocks", "blocks": 9}}, "set it between 1 and 1"),
    ({"start": {"run": "PARENT", **LORA, "targets": ["q"]}}, "start.targets"),
    ({"start": {"run": "PARENT"}, "family": {"name": "llama", "size": 2}}, "set family.size=1"),
    ({"start": {"run": "PARENT"}, "family": {"name": "llama", "size": 1, "qk_norm": True}}, "family.qk_norm"),
    ({"start": {"run": "PARENT"}, "family": {"name": "lstm", "size": 1}}, "with the same blocks"),
    ({"start": {"run": "PARENT", **LORA}, "compression": {"bits": 4}}, "set one of them"),
    ({"compression": {"bits": 1}}, "between 2 and 16"),
    ({"compression": {"sparsity": 1, "begin": 0, "end": 1}}, "must be a number from 0, below 1"),
    ({"compression": {"sparsity": 0.5, "begin": 0.9, "end": 0.1}}, "swap them"),
    ({"compression": {"sparsity": 0.5, "begin": 0, "end": 1, "scope": "row"}}, "compression.scope"),
]


@pytest.mark.parametrize(("changes", "words"), BAD, ids=[str(i) for i in range(len(BAD))])
def test_bad_input_is_one_sentence(
    changes: dict[str, Any], words: str, cell: Callable[..., Cell], parent: RunPaths
) -> None:
    start = {k: parent.run_id if v == "PARENT" else v for k, v in changes.get("start", {}).items()}
    results = str(parent.folder.parent.parent)
    with pytest.raises(ConfigError, match=words) as error:
        cell(**{"family": {"name": "llama", "size": 1}, "results": results, **changes, "start": start})
    assert "\n" not in str(error.value)


def test_weights_that_were_not_kept(cell: Callable[..., Cell], parent: RunPaths) -> None:
    it = child(cell, parent, {})
    parent.weights.unlink()
    with pytest.raises(StorageError, match="were not kept"):
        build(it)


def test_the_best_of_a_sweep(cell: Callable[..., Cell], parent: RunPaths) -> None:
    from scaling.sweeping import ledger

    results = parent.folder.parent.parent
    ledger.collect(results, "before", [parent.run_id])
    it = child(cell, parent, {"run": None, "sweep": "before"})
    assert it.start is not None
    assert it.start.run_id == parent.run_id
    with pytest.raises(ConfigError, match="its sizes are 1"):
        child(cell, parent, {"run": None, "sweep": "before"}, family={"name": "llama", "size": 2})
    assert json.loads(parent.record.read_text())["params_trainable"] == it.counts.params_total
