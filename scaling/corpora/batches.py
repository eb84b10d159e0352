"""Batches as a pure function of (seed, step): windows without overlap, in an order drawn anew for every
epoch."""

from __future__ import annotations

import dataclasses
from functools import lru_cache

import numpy as np

from scaling.errors import CorpusError

_CACHED_WINDOWS = 1 << 22
_MIX = (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53)


def windows(tokens: int, *, context: int, unique_tokens: int | None = None) -> int:
    """How many non-overlapping windows of `context` predicted tokens a stream of `tokens` holds.

    Window i reads tokens i·context … i·context + context: its last target is the first input of window i + 1,
    so that every token is predicted at most once. With `unique_tokens` only the first so many count, in whole
    windows.

    Raises CorpusError when not one window fits.
    """
    if context < 1:
        raise CorpusError(f"context is {context}; a window needs at least 1 token; set context to 1 or more")
    held = (tokens - 1) // context
    if held < 1:
        raise CorpusError(
            f"the stream holds {tokens:,} tokens, too few for one window of {context:,} + 1; "
            f"take a larger corpus or a context of at most {max(tokens - 1, 0):,}"
        )
    if unique_tokens is None:
        return held
    asked = unique_tokens // context
    if asked < 1:
        raise CorpusError(
            f"unique_tokens is {unique_tokens:,}, less than one window of {context:,}; ask for {context:,} "
            f"or more"
        )
    return min(held, asked)


def batch(
    tokens: np.ndarray,
    *,
    seed: int,
    step: int,
    sequences: int,
    context: int,
    unique_tokens: int | None = None,
) -> np.ndarray:
    """The batch of one training step: int64 (sequences, context + 1), inputs `[:, :-1]`, targets `[:, 1:]`.

    A pure function of (seed, step): no state, so that a resumed run sees the same text. Inside an epoch
    nothing is drawn twice, hence epochs = tokens seen / unique tokens exactly; each epoch has its own order.
    """
    numbers = chosen(
        len(tokens),
        seed=seed,
        step=step,
        sequences=sequences,
        context=context,
        unique_tokens=unique_tokens,
    )
    return _gather(tokens, numbers, context)


def chosen(
    tokens: int,
    *,
    seed: int,
    step: int,
    sequences: int,
    context: int,
    unique_tokens: int | None = None,
) -> np.ndarray:
    """The windows of one training step of a stream of so many tokens, by number: int64 (sequences,)."""
    count = windows(tokens, context=context, unique_tokens=unique_tokens)
    position = np.arange(step * sequences, (step + 1) * sequences)
    first, last = int(position[0]) // count, int(position[-1]) // count
    if first == last:
        return order(position - first * count, count, seed, first)
    epoch, index = np.divmod(position, count)
    return np.concatenate([order(index[epoch == e], count, seed, e) for e in range(first, last + 1)])


def heldout(tokens: np.ndarray, *, sequences: int, context: int) -> np.ndarray:
    """The evaluation set, the same for every run: int64 (sequences, context + 1), windows spread evenly.

    Raises CorpusError when the stream holds fewer windows than were asked for.
    """
    count = windows(len(tokens), context=context)
    if not 1 <= sequences <= count:
        raise CorpusError(
            f"evaluation asks for {sequences:,} sequences of {context:,} tokens and the held-out text holds "
            f"{count:,}; "
            f"set evaluation.sequences between 1 and {count:,}, or raise corpus.heldout_fraction"
        )
    return _gather(tokens, np.arange(sequences) * count // sequences, context)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Supply:
    """What a corpus can give against what a plan asks for."""

    available: int
    """Training tokens on disk, in whole windows."""
    unique: int
    """Distinct tokens that the run may see, in whole windows: `available`, or fewer under `unique_tokens`."""
    needed: int
    """Tokens that the run will see in all."""
    epochs: float
    """needed / unique: 1 means that every token is seen at most once."""

    @property
    def repeats(self) -> bool:
        """True when some token is seen more than once."""
        return self.epochs > 1

    def sentence(self) -> str:
        """The supply in words, for a plan or a log."""
        return (
            f"{self.needed:,} tokens asked, {self.unique:,} distinct of {self.available:,} available: "
            f"{self.epochs:.2f} epochs"
        )


def check(
    tokens: int,
    *,
    tokens_needed: int,
    context: int,
    unique_tokens: int | None = None,
    max_epochs: float | None = None,
) -> Supply:
    """Whether a training stream of `tokens` feeds a run of `tokens_needed`.

    Raises CorpusError when more distinct tokens are asked for than there are, or more than `max_epochs` are
    needed.
    """
    available = windows(tokens, context=context) * context
    if unique_tokens is not None and unique_tokens > available:
        raise CorpusError(
            f"unique_tokens asks for {unique_tokens:,} distinct tokens and the corpus holds {available:,}; "
            f"ask for at most {available:,} or take a larger corpus"
        )
    unique = windows(tokens, context=context, unique_tokens=unique_tokens) * context
    supply = Supply(available=available, unique=unique, needed=tokens_needed, epochs=tokens_needed / unique)
    if max_epochs is not None and supply.epochs > max_epochs:
        raise CorpusError(
            f"the corpus is too small for the plan: {supply.sentence()}, where corpus.max_epochs allows "
            f"{max_epochs:g}; "
            f"take a larger corpus, at most {int(unique * max_epochs):,} tokens, or raise corpus.max_epochs"
        )
    return supply


def _gather(tokens: np.ndarray, chosen: np.ndarray, context: int) -> np.ndarray:
    """Windows by number → int64 (len(chosen), context + 1), in one indexed read."""
    return tokens[chosen[:, None] * context + np.arange(context + 1)].astype(np.int64)


def order(index: np.ndarray, count: int, seed: int, epoch: int) -> np.ndarray:
    """Which window stands at position `index` of the epoch. The order of a small epoch is tabulated once."""
    if count <= _CACHED_WINDOWS:
        found: np.ndarray = _table(count, seed, epoch)[index]
        return found
    return permute(index, count, seed, epoch)


@lru_cache(maxsize=4)
def _table(count: int, seed: int, epoch: int) -> np.ndarray:
    table = permute(np.arange(count), count, seed, epoch)
    table.setflags(write=False)
    return table


def permute(index: np.ndarray, count: int, seed: int, epoch: int) -> np.ndarray:
    """A pseudo-random permutation of 0 … count − 1 evaluated at `index`, without writing it down.

    A six-round unbalanced Feistel network on the next power of two, walked until it falls inside (Black and
    Rogaway, "Ciphers with arbitrary finite domains", 2002). Integers only: the same on every machine and
    numpy.
    """
    bits = max(int(count - 1).bit_length(), 2)
    low, high = np.uint64(bits // 2), np.uint64(bits - bits // 2)
    keys = np.random.SeedSequence([seed, epoch]).generate_state(6, np.uint64)
    value = np.asarray(index, dtype=np.uint64)
    out = np.empty_like(value)
    pending = np.arange(value.size)
    while pending.size:
        left_bits, right_bits = high, low
        for key in keys:
            right = value & ((np.uint64(1) << right_bits) - np.uint64(1))
            left = value >> right_bits
            mixed = (right + key) * np.uint64(_MIX[0])
            mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(_MIX[1])
            left ^= (mixed >> np.uint64(32)) & ((np.uint64(1) << left_bits) - np.uint64(1))
            value = (right << left_bits) | left
            left_bits, right_bits = right_bits, left_bits
        inside = value < np.uint64(count)
        out[pending[inside]] = value[inside]
        value, pending = value[~inside], pending[~inside]
    return out.astype(np.int64)
