"""Text from a trained run: temperature, top-k, top-p, seed."""

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
from scaling.training import record
from scaling.training.cell import Cell
from scaling.training.config.text import open_data
from scaling.training.network import build, fold
from scaling.training.paths import RunPaths

SMALL = 10_000_000
"""Parameters below which one thread writes text."""


def load(
    paths: RunPaths, *, at: str = "last", corpus_root: Path | None = None
) -> tuple[Cell, Any, nn.Module]:
    """The cell, the corpus and the trained module of a finished run.

    Args:
        paths: the run's folder.
        at: which of the weights that were kept: last, best, or the step of a milestone.
        corpus_root: where corpora lie; None = beside the runs, `results/corpora`.

    Raises StorageError when there is no finished run or these weights were not kept, ConfigError when `at` is
    none of the three.
    """
    file = {"last": paths.weights, "best": paths.best}.get(at)
    if file is None:
        if not at.isdecimal():
            raise ConfigError(f"at is {at!r}; it must be last, best, or the step of a milestone, such as 500")
        file = paths.milestone(int(at))
    try:
        known = record.read(paths)
        content = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        missing = Path(error.filename).name if error.filename else file.name
        kept = sorted(path.name for path in paths.folder.glob("weights*.pt"))
        raise StorageError(
            f"{paths.folder} has no {missing}; "
            + (f"it kept {', '.join(kept)}" if kept else "give a finished run whose weights were kept")
            + " (checkpoint.weights, checkpoint.best and checkpoint.milestones say what is kept)"
        ) from None
    results = paths.folder.parent.parent
    config = parse(Config, json.loads(known["config"]) | {"results": str(results)}, stored=True)
    corpus = open_data(config.corpus, corpus_root or results / "corpora")
    cell = Cell.from_config(config, corpus)
    module = fold(build(cell, trained=False))
    module.load_state_dict(content["module"])
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
    """Tokens after a prompt, one at a time.

    Args:
        module: tokens (1, T) → logits (1, T, vocab).
        prompt: int64 (any number ≥ 1,); the model sees the last `context` tokens.
        tokens: how many.
        context: the longest input of the module.
        temperature: logits are divided by it; 0 takes the likeliest token.
        top_k: only so many of the likeliest tokens may come.
        top_p: only the likeliest tokens that together have this probability may come (arXiv:1904.09751).
        seed: the same seed, the same text.

    Raises ConfigError for a value that cannot be.
    """
    if temperature < 0:
        raise ConfigError(f"temperature is {temperature:g}; it must be 0 (the likeliest token) or more")
    if top_k is not None and top_k < 1:
        raise ConfigError(f"top_k is {top_k}; it must be 1 or more, or left away")
    if top_p is not None and not 0 < top_p <= 1:
        raise ConfigError(f"top_p is {top_p:g}; it must lie above 0 and at most at 1, or be left away")
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
    """One thread for a small network: a step of one token is too little to share, and on a busy machine
    threads wait for one another longer than they work."""
    before = torch.get_num_threads()
    if sum(p.numel() for p in module.parameters()) < SMALL:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def restrict(logits: Tensor, *, top_k: int | None, top_p: float | None) -> Tensor:
    """(vocab,) logits with all but the allowed tokens at −∞; ties with the k-th stay."""
    if top_k is not None and top_k < len(logits):
        logits = logits.masked_fill(logits < logits.topk(top_k).values[-1], -torch.inf)
    if top_p is not None and top_p < 1:
        ordered, index = logits.sort(descending=True)
        probability = ordered.softmax(-1)
        # a token stays while the ones before it do not yet reach top_p, so that the likeliest always stays
        drop = probability.cumsum(-1) - probability >= top_p
        logits = logits.masked_fill(torch.zeros_like(drop).scatter(0, index, drop), -torch.inf)
    return logits


def text(
    module: nn.Module, corpus: Any, prompt: str, *, tokens: int, context: int, seed: int = 0, **settings: Any
) -> str:
    """The prompt with what the model writes after it. An empty prompt begins a new document.

    Raises ConfigError for a value that cannot be.
    """
    tokenizer = corpus.tokenizer
    ids = tokenizer.encode([prompt.encode()])[0].astype(np.int64) if prompt else np.zeros(0, dtype=np.int64)
    if tokenizer.separator is not None:
        ids = np.concatenate([[tokenizer.separator], ids])
    with _threads(module):
        written = list(sample(module, ids, tokens=tokens, context=context, seed=seed, **settings))
    return prompt + str(tokenizer.decode(np.array(written)))
