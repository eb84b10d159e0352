"""Return batches as a pure function of (seed, step): windows without overlap, in a new order every epoch."""

from __future__ import annotations

import dataclasses
from functools import lru_cache

import numpy as np

from scaling.errors import CorpusError

_CACHED_WINDOWS = 1 << 22
_MIX = (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53)


def windows(tokens: int, *, context: int, unique_tokens: int | None = None) -> int:
    """Return the number of non-overlapping windows in a stream of `tokens`.

    Window i reads tokens i·context … i·context + context. Its last target is the first input of window i + 1,
    so every token is predicted at most once. With `unique_tokens`, only the windows within the first
    `unique_tokens` tokens count.

    Raises CorpusError when no window fits.
    """
    if context < 1:
        raise CorpusError(f"context is {context}; a window needs at least 1 token; set context to 1 or more")
    available = (tokens - 1) // context
    if available < 1:
        raise CorpusError(
            f"the stream holds {tokens:,} tokens, too few for one window of {context:,} + 1; "
            f"take a larger corpus or a context of at most {max(tokens - 1, 0):,}"
        )
    if unique_tokens is None:
        return available
    unique = unique_tokens // context
    if unique < 1:
        raise CorpusError(
            f"unique_tokens is {unique_tokens:,}, less than one window of {context:,}; ask for {context:,} "
            f"or more"
        )
    return min(available, unique)


def batch(
    tokens: np.ndarray,
    *,
    seed: int,
    step: int,
    sequences: int,
    context: int,
    unique_tokens: int | None = None,
) -> np.ndarray:
    """Return the batch of one training step: int64 (sequences, context + 1).

    Inputs are `[:, :-1]`, targets `[:, 1:]`. The batch depends only on (seed, step), so a resumed run sees
    the same text. No window is drawn twice within an epoch, so epochs = tokens seen / unique tokens exactly.
    Each epoch has its own order.
    """
    numbers = window_numbers(
        len(tokens),
        seed=seed,
        step=step,
        sequences=sequences,
        context=context,
        unique_tokens=unique_tokens,
    )
    return _gather(tokens, numbers, context)


def window_numbers(
    tokens: int,
    *,
    seed: int,
    step: int,
    sequences: int,
    context: int,
    unique_tokens: int | None = None,
) -> np.ndarray:
    """Return the numbers of the windows of one training step, int64 (sequences,).

    Arguments are those of `batch`, with the length of the stream in `tokens`.
    """
    count = windows(tokens, context=context, unique_tokens=unique_tokens)
    position = np.arange(step * sequences, (step + 1) * sequences)
    first, last = int(position[0]) // count, int(position[-1]) // count
    if first == last:
        return order(position - first * count, count, seed, first)
    epoch, index = np.divmod(position, count)
    return np.concatenate([order(index[epoch == e], count, seed, e) for e in range(first, last + 1)])


def heldout(tokens: np.ndarray, *, sequences: int, context: int) -> np.ndarray:
    """Return the evaluation set, int64 (sequences, context + 1): evenly spaced windows, equal for all runs.

    Raises CorpusError when the stream holds fewer than `sequences` windows.
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
    """The tokens that a corpus holds and the tokens that a run needs."""

    available: int
    """Training tokens on disk, in whole windows."""
    unique: int
    """Distinct tokens that the run may see, in whole windows: `available`, or fewer with `unique_tokens`."""
    needed: int
    """Tokens that the run will see in total."""
    epochs: float
    """needed / unique; at 1 or below, every token is seen at most once."""

    @property
    def repeats(self) -> bool:
        """Whether some token is seen more than once."""
        return self.epochs > 1

    def sentence(self) -> str:
        """Return the supply as a sentence, for a plan or a log."""
        return (
            f"{self.needed:,} tokens needed, {self.unique:,} distinct of {self.available:,} available: "
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
    """Return the supply of a run of `tokens_needed` on a training stream of `tokens`.

    Raises CorpusError when `unique_tokens` exceeds the tokens of the stream, or the run needs more than
    `max_epochs` epochs.
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
    """Return windows by their numbers, int64 (len(chosen), context + 1), in one indexed read."""
    return tokens[chosen[:, None] * context + np.arange(context + 1)].astype(np.int64)


def order(index: np.ndarray, count: int, seed: int, epoch: int) -> np.ndarray:
    """Return the window at position `index` of the epoch. The order of a small epoch is cached."""
    if count <= _CACHED_WINDOWS:
        window: np.ndarray = _table(count, seed, epoch)[index]
        return window
    return permute(index, count, seed, epoch)


@lru_cache(maxsize=4)
def _table(count: int, seed: int, epoch: int) -> np.ndarray:
    table = permute(np.arange(count), count, seed, epoch)
    table.setflags(write=False)
    return table


def permute(index: np.ndarray, count: int, seed: int, epoch: int) -> np.ndarray:
    """Return a pseudo-random permutation of 0 … count − 1 at `index`, without storing the permutation.

    The method is a six-round unbalanced Feistel network on the next power of two, applied again until the
    value is below `count` (cycle walking; Black and Rogaway, "Ciphers with arbitrary finite domains", 2002).
    It uses integers only, so it is the same on every machine and with every version of numpy.
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
