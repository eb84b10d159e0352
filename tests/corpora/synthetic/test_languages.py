"""Each entropy against an estimate that does not use the formula: likelihoods of long samples, and tiny cases
by hand."""

from __future__ import annotations

import itertools
from math import log

import numpy as np
import pytest

from scaling.corpora import synthetic
from scaling.errors import ConfigError

CASES: dict[str, dict[str, float]] = {
    "markov": {"symbols": 8, "order": 2, "exponent": 1.2},
    "hmm": {"states": 5, "symbols": 4, "concentration": 0.5},
    "hierarchy": {"symbols": 6, "depth": 3, "branching": 2, "rules": 3},
    "facts": {"alpha": 0.8, "base": 8, "digits": 2, "values": 8},
    "parity": {"alpha": 0.5, "tasks": 8, "bits": 6, "subset": 3},
}


def draw(language: synthetic.Language, tokens: int, seed: int = 0) -> np.ndarray:
    """A sample in one array."""
    return np.concatenate(list(language.sample(np.random.default_rng(seed), tokens)))


def plug_in(counts: np.ndarray) -> float:
    """Entropy of observed counts in nats."""
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log(share)).sum())


def block_entropy(tokens: np.ndarray, length: int, step: int = 1) -> float:
    """Plug-in entropy of blocks of `length`, starting every `step` tokens."""
    blocks = np.lib.stride_tricks.sliding_window_view(tokens, length)[::step]
    return plug_in(np.unique(blocks, axis=0, return_counts=True)[1])


@pytest.mark.parametrize("name", synthetic.names())
def test_same_seed_same_language_and_symbols_in_range(name: str) -> None:
    one, two = (synthetic.language(name, seed=3, **CASES[name]) for _ in range(2))
    sample = draw(one, 5000)
    assert np.array_equal(sample, draw(two, 5000))
    assert sample.max() < one.vocab
    assert sample.size >= 5000
    assert sample.size % one.period == 0
    other = synthetic.language(name, seed=4, **CASES[name])
    assert not np.array_equal(sample, draw(other, 5000))
    bounds = one.entropy()
    assert 0 < bounds.lower <= bounds.rate <= bounds.upper < log(one.vocab)


def test_markov_entropy_is_what_a_long_sample_shows() -> None:
    language = synthetic.language("markov", seed=0, **CASES["markov"])
    tokens = draw(language, 400_000)
    # block entropies of 8³ blocks are biased by (blocks − 1) / 2n < 0.001 (Miller 1955)
    assert block_entropy(tokens, 3) - block_entropy(tokens, 2) == pytest.approx(
        language.entropy().rate, abs=0.005
    )
    first_two = block_entropy(tokens, 2) - block_entropy(tokens, 1)
    assert first_two > language.entropy().rate + 0.05
    floor = (first_two + 15 * language.entropy().rate) / 16
    assert language.floor(16) == pytest.approx(floor, abs=0.002)
    assert language.floor(1) == pytest.approx(first_two, abs=0.005)


def test_markov_order_one_by_hand() -> None:
    language = synthetic.language("markov", seed=1, symbols=2, order=1, exponent=1.0)
    assert language.entropy().rate == pytest.approx(-(2 / 3 * log(2 / 3) + 1 / 3 * log(1 / 3)))
    assert language.floor(50) == pytest.approx(language.entropy().rate)
    flat = synthetic.language("markov", seed=1, symbols=7, order=2, exponent=0.0)
    assert flat.entropy().rate == pytest.approx(log(7))


def forward_loss(language: object, tokens: np.ndarray) -> tuple[float, float]:
    """Mean and standard error of −ln p(next | past) by the forward algorithm, written out with loops of its
    own."""
    move, emit = language.transitions, language.emissions  # type: ignore[attr-defined]
    belief = language.stationary.copy()  # type: ignore[attr-defined]
    losses = []
    for token in tokens.tolist():
        joint = (belief @ move) * emit[:, token]
        losses.append(-log(joint.sum()))
        belief = joint / joint.sum()
    blocks = np.array(losses[: len(losses) // 100 * 100]).reshape(100, -1).mean(axis=1)
    return float(np.mean(losses)), float(blocks.std(ddof=1) / 10)


def test_hmm_bounds_close_and_cover_the_forward_likelihood() -> None:
    language = synthetic.language("hmm", seed=0, **CASES["hmm"])
    entropy = language.entropy()
    assert entropy.upper - entropy.lower < 1e-4
    mean, error = forward_loss(language, draw(language, 200_000))
    assert error < 0.005
    assert abs(mean - entropy.rate) < 4 * error
    lower, upper = language.bounds
    assert np.all(np.diff(upper) <= 1e-12)
    assert np.all(np.diff(lower) >= -1e-12)


def test_hmm_with_one_state_or_an_open_state_has_a_closed_form() -> None:
    coin = synthetic.language("hmm", seed=2, states=1, symbols=3, concentration=1.0)
    row = coin.emissions[0]
    assert coin.entropy().rate == pytest.approx(-sum(p * log(p) for p in row if p))
    assert coin.entropy().lower == pytest.approx(coin.entropy().upper, abs=1e-12)


def test_hmm_floor_by_brute_force() -> None:
    """Two symbols, windows of three inputs: H(X_2 | X_1), H(X_3 | X_1 X_2), H(X_4 | …) from all sixteen
    strings."""
    language = synthetic.language("hmm", seed=5, states=3, symbols=2, concentration=0.5)
    blocks = [0.0]
    for length in range(1, 5):
        total = 0.0
        for string in itertools.product(range(2), repeat=length):
            state = language.stationary
            for symbol in string:
                state = (state @ language.transitions) * language.emissions[:, symbol]
            total -= state.sum() * log(state.sum())
        blocks.append(total)
    assert language.floor(3) == pytest.approx((blocks[4] - blocks[1]) / 3, abs=1e-12)


def test_hierarchy_entropy_by_listing_every_sentence() -> None:
    language = synthetic.language("hierarchy", seed=0, symbols=3, depth=2, branching=2, rules=2)
    sentences: dict[tuple[int, ...], float] = {}
    top, low = language.grammar
    for root, first in itertools.product(range(3), range(2)):
        left, right = top[root, first]
        for one, two in itertools.product(range(2), repeat=2):
            text = (*low[left, one].tolist(), *low[right, two].tolist())
            sentences[text] = sentences.get(text, 0) + 1 / (3 * 2 * 4)
    assert len(sentences) == 24
    listed = -sum(p * log(p) for p in sentences.values()) / 4
    assert language.entropy().rate == pytest.approx(listed, abs=1e-12)
    assert block_entropy(draw(language, 200_000), 4, step=4) / 4 == pytest.approx(listed, abs=0.002)
    assert language.floor(8) == pytest.approx(listed)
    assert language.floor(6) is None


def test_hierarchy_grammar_is_unambiguous() -> None:
    language = synthetic.language("hierarchy", seed=0, **CASES["hierarchy"])
    for level in language.grammar:
        assert len({tuple(row) for row in level.reshape(-1, 2).tolist()}) == 6 * 3


@pytest.mark.parametrize("name", ["facts", "parity"])
def test_skill_entropy_is_what_a_long_sample_shows(name: str) -> None:
    language = synthetic.language(name, seed=0, **CASES[name])
    tokens = draw(language, 400_000)
    shown = block_entropy(tokens, language.period, step=language.period) / language.period
    # at most 8 · 2⁶ different samples: bias below 512 / 2n
    assert shown == pytest.approx(language.entropy().rate, abs=0.01)
    assert language.floor(language.period * 2) == language.entropy().rate
    assert language.floor(language.period * 2 + 1) is None


def test_parity_answers_are_parities() -> None:
    language = synthetic.language("parity", seed=0, **CASES["parity"])
    rows = draw(language, 8000).reshape(-1, 8).astype(int)
    for row in rows[:200]:
        assert row[-1] == sum(row[1:-1][language.subsets[row[0] - 2]]) % 2
    assert set(language.subsets.sum(axis=1)) == {3}


def test_a_fact_has_one_value_and_a_name_of_its_own() -> None:
    language = synthetic.language("facts", seed=0, **CASES["facts"])
    assert len({tuple(row) for row in language.rows[:, :-1].tolist()}) == 64
    rows = draw(language, 30_000).reshape(-1, 3)
    assert len({tuple(row) for row in rows.tolist()}) <= 64
    assert rows[:, -1].min() >= 8


def test_a_memory_learns_facts_with_the_exponent_that_is_stated() -> None:
    """A learner that only remembers: its measured curve follows the formula, the formula has slope
    −α/(1+α)."""
    language = synthetic.language("facts", seed=0, alpha=1.0, base=64, digits=3, values=16)
    slopes = [
        log(language.memory_loss(4 * n) / language.memory_loss(n)) / log(4) for n in (100, 1000, 10_000)
    ]
    assert language.data_exponent_tokens > 4 * 40_000
    assert synthetic.truth(language)["data_exponent_tokens"] == language.data_exponent_tokens
    assert slopes == pytest.approx([-language.data_exponent] * 3, abs=0.01)
    missed = []
    for seed in range(20):
        drawn = draw(language, 4 * 2000, seed).reshape(-1, 4)
        names = drawn[:, :3] @ np.array([64 * 64, 64, 1])
        seen: set[int] = set()
        for count, fact in enumerate(names.tolist()):
            if count >= 1900:
                missed.append(fact not in seen)
            seen.add(fact)
    measured = np.mean(missed) * log(16) / 4
    spread = np.std(missed) / np.sqrt(len(missed)) * log(16) / 4
    assert abs(measured - language.memory_loss(1950)) < 4 * spread


@pytest.mark.parametrize(
    ("name", "changes", "sentence"),
    [
        ("hmn", {}, "corpus.language cannot be 'hmn'; did you mean 'hmm'"),
        ("hmm", {"states": 0}, "hmm: states is 0; give an integer from 1 to 64"),
        ("hmm", {"statez": 3}, "a parameter of the language 'hmm' cannot be 'statez'; did you mean 'states'"),
        ("markov", {"order": 2.5}, "order is 2.5; give an integer"),
        ("hierarchy", {"rules": 7}, "hierarchy: rules is 7; give an integer from 1 to 6"),
        ("facts", {"alpha": -1}, "facts: alpha is -1; give a number from 0.05"),
        ("parity", {"subset": 7}, "parity: subset is 7; give an integer from 1 to 6"),
    ],
)
def test_languages_that_cannot_be(name: str, changes: dict[str, float], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        synthetic.language(name, seed=0, **(CASES.get(name, {}) | changes))


@pytest.mark.parametrize("name", synthetic.names())
def test_the_ideal_loss_of_many_windows_is_the_floor(name: str) -> None:
    language = synthetic.language(name, seed=0, **CASES[name])
    context = 3 * max(language.period, 4)
    tokens = draw(language, 6000 * context + 1 + language.period).astype(np.int64)
    windows = np.stack([tokens[at * context : at * context + context + 1] for at in range(6000)])
    losses = language.ideal_loss(windows)
    assert losses.shape == (6000,)
    slack = 4.5 * losses.std() / np.sqrt(6000) + 1e-4
    assert abs(losses.mean() - language.floor(context)) < slack


def test_the_ideal_loss_of_a_window_is_the_forward_likelihood() -> None:
    language = synthetic.language("hmm", seed=0, **CASES["hmm"])
    window = draw(language, 40).astype(np.int64)
    first = language.stationary @ language.transitions @ language.emissions[:, window[0]]
    belief, total = language.stationary, 0.0
    for symbol in window:
        joint = (belief @ language.transitions) * language.emissions[:, symbol]
        total -= log(joint.sum())
        belief = joint / joint.sum()
    assert language.ideal_loss(window[None])[0] == pytest.approx((total + log(first)) / 39)


def test_the_ideal_loss_of_cut_samples_is_refused() -> None:
    language = synthetic.language("parity", seed=0, **CASES["parity"])
    with pytest.raises(
        ConfigError, match="context 20 cuts samples of 8 tokens; take a multiple of 8, such as 16"
    ):
        language.ideal_loss(np.full((2, 21), 2))


def test_a_parameter_that_is_not_given() -> None:
    with pytest.raises(ConfigError, match=r"needs 'symbols'; give corpus\.parameters\.symbols=VALUE"):
        synthetic.language("hmm", seed=0, states=2, concentration=1.0)
