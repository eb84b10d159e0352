"""A batch depends on nothing but (seed, step); an epoch shows every window once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling import corpora
from scaling.corpora import batches
from scaling.errors import CorpusError

STREAM = np.arange(10_001, dtype=np.uint16)


def test_same_seed_and_step_same_batch_whatever_came_before() -> None:
    take = {"sequences": 8, "context": 16}
    once = [corpora.batch(STREAM, seed=3, step=step, **take) for step in range(200)]
    batches._table.cache_clear()
    for step in (150, 7, 199, 0):
        assert np.array_equal(corpora.batch(STREAM, seed=3, step=step, **take), once[step])
    assert once[0].shape == (8, 17)
    assert once[0].dtype == np.int64
    assert not np.array_equal(corpora.batch(STREAM, seed=4, step=0, **take), once[0])


@settings(deadline=None, max_examples=30)
@given(
    tokens=st.integers(40, 3000),
    context=st.integers(1, 30),
    sequences=st.integers(1, 9),
    unique=st.none() | st.integers(30, 3000),
    seed=st.integers(0, 2**31),
)
def test_an_epoch_shows_every_target_once_and_epochs_are_exact(
    tokens: int, context: int, sequences: int, unique: int | None, seed: int
) -> None:
    stream = np.arange(tokens, dtype=np.uint16)
    count = corpora.windows(tokens, context=context, unique_tokens=unique)
    epochs = 3
    steps = -(-count * epochs // sequences)
    seen = np.concatenate(
        [
            corpora.batch(
                stream, seed=seed, step=step, sequences=sequences, context=context, unique_tokens=unique
            )
            for step in range(steps)
        ]
    )[: count * epochs]
    assert np.all(np.diff(seen, axis=1) == 1)
    targets, times = np.unique(seen[:, 1:], return_counts=True)
    assert targets.tolist() == list(range(1, count * context + 1))
    assert set(times) == {epochs}
    if unique is not None:
        assert targets.size <= unique


def test_each_epoch_has_its_own_order() -> None:
    count = corpora.windows(len(STREAM), context=10)
    first = corpora.batch(STREAM, seed=0, step=0, sequences=count, context=10)
    second = corpora.batch(STREAM, seed=0, step=1, sequences=count, context=10)
    assert not np.array_equal(first, second)
    assert np.array_equal(np.sort(first[:, 0]), np.sort(second[:, 0]))


@pytest.mark.parametrize("count", [1, 2, 3, 5, 64, 65, 1000, 65_537])
def test_the_permutation_is_one_and_the_table_is_the_formula(count: int) -> None:
    order = batches.permute(np.arange(count), count, 11, 2)
    assert np.array_equal(np.sort(order), np.arange(count))
    some = np.arange(0, count, max(count // 7, 1))
    assert np.array_equal(batches.permute(some, count, 11, 2), order[some])
    assert np.array_equal(batches.order(some, count, 11, 2), order[some])


def test_the_permutation_looks_random() -> None:
    """Positions and neighbours of 4096 windows over 200 seeds: means and correlation as for a uniform
    permutation."""
    count = 4096
    orders = np.stack([batches.permute(np.arange(count), count, seed, 0) for seed in range(200)])
    # the mean of 200 uniform positions has standard deviation count / sqrt(12 · 200); 5 of them bound 4096
    # looks
    assert np.abs(orders.mean(axis=0) - (count - 1) / 2).max() < 5 * count / np.sqrt(12 * 200)
    neighbours = np.corrcoef(orders[:, :-1].ravel(), orders[:, 1:].ravel())[0, 1]
    assert abs(neighbours) < 5 / np.sqrt(orders.size)


def test_a_long_stream_needs_no_table() -> None:
    class Long:
        def __len__(self) -> int:
            return 10**12

        def __getitem__(self, index: np.ndarray) -> np.ndarray:
            return index % 251

    out = corpora.batch(Long(), seed=1, step=123_456, sequences=4, context=8)  # type: ignore[arg-type]
    assert out.shape == (4, 9)
    assert batches._table.cache_info().currsize <= 4


def test_heldout_is_fixed_and_spread() -> None:
    out = corpora.heldout(STREAM, sequences=10, context=100)
    assert out[:, 0].tolist() == [number * 1000 for number in range(10)]
    assert np.array_equal(out, corpora.heldout(STREAM, sequences=10, context=100))


def test_refusals() -> None:
    with pytest.raises(CorpusError, match=r"holds 17 tokens, too few for one window of 17 \+ 1.*at most 16"):
        corpora.batch(STREAM[:17], seed=0, step=0, sequences=1, context=17)
    with pytest.raises(CorpusError, match=r"unique_tokens is 5, less than one window of 16"):
        corpora.windows(1000, context=16, unique_tokens=5)
    with pytest.raises(
        CorpusError, match=r"asks for 101 sequences of 100 tokens and the held-out text holds 100"
    ):
        corpora.heldout(STREAM, sequences=101, context=100)
    with pytest.raises(CorpusError, match="context is 0"):
        corpora.windows(1000, context=0)


def test_check_says_available_asked_and_epochs() -> None:
    supply = corpora.check(10_001, tokens_needed=25_000, context=100)
    assert (supply.available, supply.unique, supply.epochs, supply.repeats) == (10_000, 10_000, 2.5, True)
    assert supply.sentence() == "25,000 tokens needed, 10,000 distinct of 10,000 available: 2.50 epochs"
    assert corpora.check(10_001, tokens_needed=25_000, context=100, unique_tokens=1050).epochs == 25
    with pytest.raises(
        CorpusError, match=r"too small for the plan.*2\.50 epochs.*max_epochs allows 2;.*20,000 tokens"
    ):
        corpora.check(10_001, tokens_needed=25_000, context=100, max_epochs=2)
    with pytest.raises(
        CorpusError, match=r"unique_tokens asks for 20,000 distinct tokens and the corpus holds 10,000"
    ):
        corpora.check(10_001, tokens_needed=1, context=100, unique_tokens=20_000)
