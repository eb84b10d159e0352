"""Encoder and encoder–decoder: counts, who sees whom, padding, shift, corruption, equality with transformers,
decoding."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from scaling import families
from scaling.errors import ConfigError
from scaling.families.encoders import masked_module, seq2seq_module
from scaling.families.encoders.corruption import corrupt
from scaling.families.encoders.decoding import beam, greedy
from scaling.families.export import to_transformers

VOCAB, CONTEXT = 37, 12
MASKED = [{}, {"norm_position": "pre", "position": "rope", "norm": "rmsnorm", "bias": False, "mlp": "swiglu"}]
SEQ2SEQ = [
    ("seq2seq2017", {}),
    ("t5", {}),
    ("t5", {"tied": False, "mlp": "swiglu"}),
    ("seq2seq2017", {"norm_position": "pre", "position": "learned"}),
]


def make(name: str, size: float = 3, seed: int = 0, vocab: int = VOCAB, **switches):
    family = families.get(name, **switches)
    shape = family.shape(size, vocab=vocab, context=CONTEXT)
    return family, shape, family.build(shape, seed=seed).eval()


def perturb(module: torch.nn.Module) -> torch.nn.Module:
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.05)
    return module


def tokens(seed: int = 1, length: int = CONTEXT, vocab: int = VOCAB) -> torch.Tensor:
    return torch.randint(vocab, (3, length), generator=torch.Generator().manual_seed(seed))


def check_counts(family, shape, module, component_of, inputs: int, **more) -> None:
    counts, params = family.counts(shape), Counter()
    for name, parameter in module.named_parameters():
        params[component_of(name)] += parameter.numel()
    assert {k: v for k, v in counts.params.items() if v} == dict(params)
    meta = module.to("meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        meta(*[torch.zeros(2, CONTEXT, dtype=torch.long, device="meta")] * inputs, **more)
    by_module, flops = counter.get_flop_counts(), Counter()
    for name, part in meta.named_modules():
        if isinstance(part, torch.nn.Linear):
            flops[component_of(f"{name}.weight")] += sum(by_module[f"{type(meta).__name__}.{name}"].values())
    scores = {op: n for op, n in by_module["Global"].items() if "dot_product" in str(op) or "bmm" in str(op)}
    flops["attention_scores_full"] = sum(scores.values())
    # the tables that a tied head reads are no module of their own
    flops["head"] += counter.get_total_flops() - sum(flops.values())
    assert set(flops) == {"attention_projection", "attention_scores_full", "mlp", "head"}
    for name, counted in flops.items():
        assert counts.flops[name] * 2 * CONTEXT == pytest.approx(counted, rel=1e-12), name
    assert counts.flops_per_token * 2 * CONTEXT == pytest.approx(3 * counter.get_total_flops(), rel=1e-12)


@pytest.mark.parametrize("switches", MASKED, ids=str)
@pytest.mark.parametrize("size", [0.5, 2, 3.4])
def test_counts_of_the_encoder(switches, size) -> None:
    check_counts(*make("bert", size, **switches), masked_module.component_of, inputs=1)


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("size", [0.5, 3.4])
def test_counts_of_the_classifier(classes, size) -> None:
    lengths = torch.full((2,), CONTEXT, device="meta")
    made = make("bert_classifier", size, classes=classes)
    check_counts(*made, masked_module.component_of, inputs=1, lengths=lengths)


@pytest.mark.parametrize(("name", "switches"), SEQ2SEQ, ids=str)
@pytest.mark.parametrize("size", [0.5, 2, 5])
def test_counts_of_the_encoder_decoder(name, switches, size) -> None:
    check_counts(*make(name, size, **switches), seq2seq_module.component_of, inputs=2)


def test_same_grid_as_the_decoder() -> None:
    for size in (2, 3.5, 8):
        n = [
            family.counts(family.shape(size, vocab=256, context=64)).params_total
            for family in map(families.get, ("llama", "bert", "t5", "seq2seq2017"))
        ]
        assert max(n) < 1.6 * min(n), n


@pytest.mark.parametrize("switches", MASKED, ids=str)
@torch.no_grad()
def test_encoder_sees_both_sides_but_no_padding(switches) -> None:
    _, _, module = make("bert", **switches)
    x = tokens()
    before = module(x)
    changed = x.clone()
    changed[:, 6] = (x[:, 6] + 1) % VOCAB
    assert ((module(changed) - before).abs().amax(dim=(0, 2)) > 0).all()
    swapped = x.clone()
    swapped[:, [2, 3]] = x[:, [3, 2]]
    assert not torch.allclose(module(swapped)[:, 9], before[:, 9], atol=1e-6)
    padding = torch.zeros(3, CONTEXT, dtype=torch.bool)
    padding[:, 8:] = True
    junk = torch.where(padding, (x + 5) % VOCAB, x)
    assert torch.allclose(module(x, padding)[:, :8], module(junk, padding)[:, :8], atol=1e-6)
    assert torch.allclose(module(x, padding)[:, :8], module(x[:, :8]), atol=1e-5)


@pytest.mark.parametrize(("name", "switches"), SEQ2SEQ, ids=str)
@torch.no_grad()
def test_encoder_decoder_sees_source_whole_and_target_so_far(name, switches) -> None:
    _, _, module = make(name, **switches)
    source, target = tokens(1), tokens(2)
    inputs = module.shift(target)
    assert (inputs[:, 0] == module.start_token).all()
    assert torch.equal(inputs[:, 1:], target[:, :-1])
    before = module(source, inputs)
    for t in range(CONTEXT):
        changed = target.clone()
        changed[:, t] = (changed[:, t] + 3) % VOCAB
        after = module(source, module.shift(changed))
        # the token to be predicted is not seen, nor any after it
        assert torch.equal(after[:, : t + 1], before[:, : t + 1])
        if t + 1 < CONTEXT:
            assert not torch.allclose(after[:, t + 1], before[:, t + 1], atol=1e-6)
    changed = source.clone()
    changed[:, 11] = (source[:, 11] + 1) % VOCAB
    assert ((module(changed, inputs) - before).abs().amax(dim=(0, 2)) > 0).all()
    swapped = source.clone()
    swapped[:, [2, 3]] = source[:, [3, 2]]
    assert not torch.allclose(module(swapped, inputs), before, atol=1e-6)
    padding = torch.zeros(3, CONTEXT, dtype=torch.bool)
    padding[:, 7:] = True
    junk = torch.where(padding, (source + 5) % VOCAB, source)
    assert torch.allclose(module(source, inputs, padding), module(junk, inputs, padding), atol=1e-6)
    assert torch.allclose(module(source, inputs, padding), module(source[:, :7], inputs), atol=1e-5)


@pytest.mark.parametrize(("name", "switches"), [("bert", MASKED[0]), ("bert", MASKED[1]), *SEQ2SEQ], ids=str)
@torch.no_grad()
def test_attention_is_the_formula_with_padding_and_without(name, switches, monkeypatch) -> None:
    _, _, module = make(name, **switches)
    padding = torch.zeros(3, CONTEXT, dtype=torch.bool)
    padding[:, 8:] = True
    given = [(tokens(1),)] if name == "bert" else [(tokens(1), module.shift(tokens(2)))]
    given = [(*inputs, mask) for inputs in given for mask in (None, padding)]
    fast = [module(*inputs) for inputs in given]

    def formula(q, k, v, attn_mask=None, is_causal=False, scale=None, **_):
        scores = (q @ k.mT) * (q.shape[-1] ** -0.5 if scale is None else scale)
        future = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(future, -torch.inf) if is_causal else scores
        return (scores if attn_mask is None else scores + attn_mask).softmax(-1) @ v

    monkeypatch.setattr(F, "scaled_dot_product_attention", formula)
    for inputs, before in zip(given, fast, strict=True):
        assert torch.allclose(module(*inputs), before, atol=1e-5)


@torch.no_grad()
def test_queries_come_from_the_target() -> None:
    """Cross-attention asks with the target and answers with the source: as long as the target, blind to
    source order."""
    _, _, module = make("seq2seq2017")
    cross = module.decoder[0].cross
    x, memory = torch.randn(2, 5, module.shape.width), torch.randn(2, 9, module.shape.width)
    out = cross(x, memory, None)
    assert out.shape == x.shape
    assert torch.allclose(cross(x, memory.flip(1), None), out, atol=1e-6)
    assert torch.allclose(cross(x.flip(1), memory, None), out.flip(1), atol=1e-6)
    assert not torch.allclose(cross(x, memory + 1, None), out, atol=1e-3)


@torch.no_grad()
def test_bert_equals_transformers(tmp_path) -> None:
    _, _, module = make("bert")
    model = to_transformers(perturb(module))
    x = tokens()
    x[:, 3] = module.mask_token
    padding = torch.zeros(3, CONTEXT, dtype=torch.bool)
    padding[1, 9:] = True
    for mask in (None, padding):
        theirs = model(x, attention_mask=None if mask is None else (~mask).long()).logits[..., :VOCAB]
        ours = module(x, mask)
        seen = torch.ones_like(padding) if mask is None else ~mask
        assert torch.allclose(theirs[seen], ours[seen], atol=2e-5)
    from transformers import AutoModelForMaskedLM

    model.save_pretrained(tmp_path)
    again = AutoModelForMaskedLM.from_pretrained(tmp_path).eval()
    assert torch.allclose(again(x).logits[..., :VOCAB], module(x), atol=2e-5)


@torch.no_grad()
def test_t5_equals_transformers(tmp_path) -> None:
    _, _, module = make("t5")
    model = to_transformers(perturb(module))
    source, inputs = tokens(1), module.shift(tokens(2))
    padding = torch.zeros(3, CONTEXT, dtype=torch.bool)
    padding[1, 9:] = True
    theirs = model(input_ids=source, attention_mask=(~padding).long(), decoder_input_ids=inputs).logits
    assert torch.allclose(theirs[..., :VOCAB], module(source, inputs, padding), atol=3e-5)
    from transformers import AutoModelForSeq2SeqLM

    model.save_pretrained(tmp_path)
    again = AutoModelForSeq2SeqLM.from_pretrained(tmp_path).eval()
    assert torch.allclose(
        again(input_ids=source, decoder_input_ids=inputs).logits,
        model(input_ids=source, decoder_input_ids=inputs).logits,
    )
    written = again.generate(
        input_ids=source, max_new_tokens=6, do_sample=False, suppress_tokens=[module.start_token]
    )
    assert torch.equal(written[:, 1:], greedy(module, source, length=6))


@torch.no_grad()
def test_a_wide_beam_finds_the_best_target() -> None:
    family = families.get("t5")
    module = perturb(family.build(family.shape(1, vocab=4, context=6), seed=3)).eval()
    source = tokens(vocab=4, length=5)
    every = torch.tensor(list(itertools.product(range(4), repeat=3)))
    for row in range(3):
        inputs = module.shift(every)
        logits = module(source[row].expand(len(every), -1), inputs).log_softmax(-1)
        likelihood = logits.gather(2, every[..., None]).sum((1, 2))
        found = beam(module, source[row : row + 1], width=16, length=3)
        assert torch.equal(found[0], every[likelihood.argmax()])
    assert torch.equal(beam(module, source, width=1, length=4), greedy(module, source, length=4))
    ended = greedy(module, source, length=6, end=int(greedy(module, source, length=1)[0, 0]))
    assert (ended[0] == ended[0, 0]).all()
    with pytest.raises(ConfigError, match="a beam needs a width from 1"):
        beam(module, source, width=0, length=3)


def test_corruption_is_eighty_ten_ten() -> None:
    clean = np.random.default_rng(0).integers(200, size=(400, 128))
    inputs, labels = corrupt(clean, seed=1, step=2, vocab=200, mask_token=200)
    chosen = labels != -100
    assert chosen.mean() == pytest.approx(0.15, abs=0.004)
    assert (labels[chosen] == clean[chosen]).all()
    assert (inputs[~chosen] == clean[~chosen]).all()
    masked, kept = inputs[chosen] == 200, inputs[chosen] == clean[chosen]
    assert masked.mean() == pytest.approx(0.8, abs=0.01)
    assert kept.mean() == pytest.approx(0.1 + 0.1 / 200, abs=0.01)
    again = corrupt(clean, seed=1, step=2, vocab=200, mask_token=200)
    assert (again[0] == inputs).all()
    assert (corrupt(clean, seed=1, step=3, vocab=200, mask_token=200)[1] != labels).any()
    padding = np.zeros_like(clean, dtype=bool)
    padding[:, 100:] = True
    assert (
        corrupt(clean, seed=1, step=2, vocab=200, mask_token=200, padding=padding)[1][padding] == -100
    ).all()
    with pytest.raises(ConfigError, match=r"above 0 and below 1; not 1\.5"):
        corrupt(clean, seed=1, step=2, vocab=200, mask_token=200, fraction=1.5)


def test_the_masked_loss_is_over_masked_positions() -> None:
    _, _, module = make("bert")
    clean = tokens().numpy()
    inputs, labels = (
        torch.from_numpy(a) for a in corrupt(clean, seed=0, step=0, vocab=VOCAB, mask_token=VOCAB)
    )
    logits = module(inputs).detach().requires_grad_()
    F.cross_entropy(logits.flatten(0, 1), labels.flatten()).backward()
    touched = logits.grad.abs().sum(-1) > 0
    assert torch.equal(touched, labels != -100)


@pytest.mark.parametrize("name", ["bert", "t5", "seq2seq2017"])
def test_one_batch_overfits(name: str) -> None:
    _, _, module = make(name)
    optimizer = torch.optim.AdamW(module.parameters(), lr=5e-3)
    source, target = tokens(1), tokens(2)
    for _ in range(150):
        logits = module(source) if name == "bert" else module(source, module.shift(target))
        loss = F.cross_entropy(logits.flatten(0, 1), target.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.2
    if name != "bert":
        assert (greedy(module, source, length=CONTEXT) == target).float().mean() > 0.9


def test_bad_switches() -> None:
    with pytest.raises(ConfigError, match=r"a switch of bert cannot be 'window'; did you mean"):
        families.get("bert", window=3)
    with pytest.raises(ConfigError, match="is for causal attention only"):
        families.get("bert", position="alibi")
    with pytest.raises(ConfigError, match=r"family.position of t5 must be"):
        families.get("t5", position="rope")
    with pytest.raises(ConfigError, match="no equivalent of the encoder–decoder of 2017"):
        to_transformers(make("seq2seq2017")[2])
