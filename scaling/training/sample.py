"""Generate text with a trained run: temperature, top-k, top-p, seed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from scaling.config import Config, parse
from scaling.errors import ConfigError, StorageError
from scaling.training import record, tensors
from scaling.training.cell import Cell
from scaling.training.config.text import open_data
from scaling.training.network import build, fold
from scaling.training.paths import RunPaths

SMALL = 10_000_000
"""Number of parameters below which one thread generates text."""


def load(
    paths: RunPaths, *, at: str = "last", corpus_root: Path | None = None
) -> tuple[Cell, Any, nn.Module]:
    """Return the cell, the corpus and the trained module of a finished run.

    Args:
        paths: the run's folder.
        at: weights to load: last, best, or the step of a milestone.
        corpus_root: folder of corpora; None = `results/corpora`, next to the runs.

    Raises:
        StorageError: when the run is not finished, or did not keep these weights, or they are damaged.
        ConfigError: for another value of `at`.
    """
    file = {"last": paths.weights, "best": paths.best}.get(at)
    if file is None:
        if not at.isdecimal():
            raise ConfigError(f"at is {at!r}; it must be last, best, or the step of a milestone, such as 500")
        file = paths.milestone(int(at))
    try:
        known = record.read(paths)
        weights = tensors.weights(file, known["run_id"])
    except (FileNotFoundError, NotADirectoryError) as error:
        missing = Path(error.filename).name if error.filename else file.name
        kept = sorted(path.name for path in paths.folder.glob("weights*.pt"))
        aside = " (it was damaged and renamed)" if file.with_name(f"{missing}.damaged").exists() else ""
        raise StorageError(
            f"{paths.folder} has no {missing}{aside}; "
            + (f"the run kept {', '.join(kept)}" if kept else "choose a finished run whose weights were kept")
            + " (checkpoint.weights, checkpoint.best and checkpoint.milestones set which weights are kept)"
        ) from None
    results = paths.folder.parent.parent
    config = parse(Config, json.loads(known["config"]) | {"results": str(results)}, stored=True)
    corpus = open_data(config.corpus, corpus_root or results / "corpora")
    cell = Cell.from_config(config, corpus)
    if cell.run_id != paths.run_id:
        raise StorageError(
            f"the config in {paths.record} is that of run {cell.run_id}; choose another run, or remove the "
            "folder and run its sweep again"
        )
    module = fold(build(cell, trained=False))
    try:
        module.load_state_dict(weights)
    except (RuntimeError, KeyError) as error:
        raise tensors.refused(tensors.Damaged(file, tensors.reason_of(error))) from None
    return cell, corpus, module.eval()


def sample(
    module: nn.Module,
    prompt: np.ndarray,
    *,
    tokens: int,
    context: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int = 0,
) -> Iterator[int]:
    """Yield the tokens that follow a prompt, one at a time.

    Args:
        module: tokens (1, T) → logits (1, T, vocab).
        prompt: int64 (n,), n ≥ 1; the model sees the last `context` tokens.
        tokens: number of tokens to generate.
        context: longest input of the module, in tokens.
        temperature: divisor of the logits; 0 = take the likeliest token.
        top_k: sample only from the k likeliest tokens.
        top_p: sample only from the likeliest tokens with this total probability (arXiv:1904.09751).
        seed: random seed; the same seed gives the same text.

    Raises:
        ConfigError: for a setting out of range or an empty prompt.
    """
    if temperature < 0:
        raise ConfigError(f"temperature is {temperature:g}; it must be 0 (the likeliest token) or more")
    if top_k is not None and top_k < 1:
        raise ConfigError(f"top_k is {top_k}; it must be 1 or more, or left out")
    if top_p is not None and not 0 < top_p <= 1:
        raise ConfigError(f"top_p is {top_p:g}; it must be above 0 and at most 1, or left out")
    if len(prompt) < 1:
        raise ConfigError("the prompt is empty; give at least one character")
    generator = torch.Generator().manual_seed(seed)
    seen = torch.as_tensor(np.asarray(prompt, dtype=np.int64))
    for _ in range(tokens):
        with torch.inference_mode():
            logits = module(seen[None, -context:])[0, -1].float()
        if temperature == 0:
            chosen = int(logits.argmax())
        else:
            kept = restrict(logits / temperature, top_k=top_k, top_p=top_p)
            chosen = int(torch.multinomial(kept.softmax(-1), 1, generator=generator))
        yield chosen
        seen = torch.cat([seen, torch.tensor([chosen])])[-context:]


@contextmanager
def _threads(module: nn.Module) -> Iterator[None]:
    """Use one thread for a small network: a step of one token is too little work for several threads."""
    before = torch.get_num_threads()
    if sum(p.numel() for p in module.parameters()) < SMALL:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def restrict(logits: Tensor, *, top_k: int | None, top_p: float | None) -> Tensor:
    """Return the logits (vocab,) with −∞ for tokens outside top-k or top-p; ties with the k-th stay."""
    if top_k is not None and top_k < len(logits):
        logits = logits.masked_fill(logits < logits.topk(top_k).values[-1], -torch.inf)
    if top_p is not None and top_p < 1:
        ordered, index = logits.sort(descending=True)
        probability = ordered.softmax(-1)
        # a token stays if the likelier ones together do not reach top_p, so the likeliest always stays
        drop = probability.cumsum(-1) - probability >= top_p
        logits = logits.masked_fill(torch.zeros_like(drop).scatter(0, index, drop), -torch.inf)
    return logits


def text(
    module: nn.Module, corpus: Any, prompt: str, *, tokens: int, context: int, seed: int = 0, **settings: Any
) -> str:
    """Return the prompt and the text generated after it. An empty prompt begins a new document.

    Raises ConfigError for a setting out of range.
    """
    tokenizer = corpus.tokenizer
    ids = tokenizer.encode([prompt.encode()])[0].astype(np.int64) if prompt else np.zeros(0, dtype=np.int64)
    if tokenizer.separator is not None:
        ids = np.concatenate([[tokenizer.separator], ids])
    with _threads(module):
        written = list(sample(module, ids, tokens=tokens, context=context, seed=seed, **settings))
    return prompt + str(tokenizer.decode(np.array(written)))
