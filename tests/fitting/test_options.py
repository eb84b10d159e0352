"""Options that contradict each other, or have no effect, get one sentence, and so do values that a parameter
cannot take."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scaling.errors import ConfigError
from scaling.fitting import laws
from scaling.fitting.fit import make_problem, read_for
from scaling.fitting.options import Options

LAW = laws.get("chinchilla")


def runs() -> pd.DataFrame:
    n, d = (v.ravel() for v in np.meshgrid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e9, 1e11, 5)))
    return pd.DataFrame({"params": n, "tokens": d, "loss": 1.7 + 400 / n**0.34 + 410 / d**0.28})


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"cluster": "run"}, "the bootstrap pairs does not group rows"),
        ({"cluster": "run", "bootstrap": "none"}, "the bootstrap none does not group rows"),
        ({"objective": "squares", "delta": 0.1}, "squares, which has no delta"),
        ({"objective": "lad", "delta": 0.1}, "lad, which has no delta"),
        ({"tau": 0.1}, "huber, which has no tau"),
        ({"bounds": {"E": (0, 1)}, "fixed": {"E": 0.5}}, "E has bounds and is also fixed"),
        (
            {"bounds": {"beta": (0, 1)}, "tied": {"beta": "alpha"}},
            "beta has bounds and is also tied to alpha",
        ),
    ],
)
def test_an_option_that_another_leaves_idle_is_refused(asked: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Options(**asked)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"resamples": 10**9}, "resamples is 1000000000; give a whole number from 0 to 100,000"),
        ({"resamples": 1.5}, "resamples is 1.5; give a whole number"),
        ({"starts": 10**9}, "starts is 1000000000; give a whole number from 1 to 10,000"),
        ({"starts": "3"}, "starts is '3'; give a whole number"),
        ({"level": 2}, "level is 2; give a number from 0.001 to 0.9999"),
        ({"level": float("nan")}, "level is nan; give a number"),
        ({"level": "0.95"}, "level is '0.95'; give a number"),
        ({"seed": -1}, "seed is -1; give a whole number from 0 to 4,294,967,295"),
        ({"seed": float("nan")}, "seed is nan; give a whole number"),
        ({"seed": None}, "seed is None; give a whole number"),
        ({"delta": None}, "delta is None; give a number above zero, or auto"),
        ({"tau": "x"}, "tau is 'x'; give a number between 0 and 1"),
        ({"fixed": ["E"]}, r"fixed is \['E'\]; give each name a number"),
        ({"fixed": {"E": "1"}}, "fixed is {'E': '1'}; give each name a number"),
        ({"tied": ["a"]}, "give each name another name"),
        ({"bounds": {"E": 1}}, "bounds is {'E': 1}; give each name two numbers"),
        ({"bounds": {"E": (0.5, None)}}, "give each name two numbers"),
    ],
)
def test_a_value_of_no_use_is_refused(asked: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Options(**asked)


@pytest.mark.parametrize(
    "asked",
    [
        {"cluster": "run", "bootstrap": "wild"},
        {"objective": "asymmetric", "tau": 0.1, "delta": 0.1},
        {"bounds": {"alpha": (0, 1)}, "tied": {"beta": "alpha"}},
    ],
)
def test_options_that_go_together_are_taken(asked: dict[str, object]) -> None:
    assert Options(**asked)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"fixed": {"E": 5.0}}, r"E is fixed at 5, and the smallest L of the table is 2.38941 in row 25"),
        ({"bounds": {"E": (5.0, 6.0)}}, "E is bounded by 5 and 6, and the smallest L"),
        ({"fixed": {"E": float("nan")}}, "not a finite number"),
        ({"fixed": {"alpha": float("inf")}}, "not a finite number"),
        ({"fixed": {"A": -3.0}}, "A is fixed at -3.* at or above zero"),
        ({"fixed": {"alpha": 50.0}}, "its power of N leaves the range of floating point"),
        ({"bounds": {"A": (-3.0, -1.0)}}, "A is bounded by -3 and -1.* at or above zero"),
        ({"bounds": {"alpha": (float("nan"), 1.0)}}, "not a finite number"),
        ({"bounds": {"alpha": (0.5, 0.1)}}, "give the lower bound first"),
    ],
)
def test_values_outside_a_domain_are_refused(asked: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make_problem(LAW, read_for(LAW, runs()), Options(**asked))


def test_a_floor_below_the_data_and_a_term_of_zero_are_taken() -> None:
    table = read_for(LAW, runs())
    for fixed in ({"E": 2.3}, {"E": 0.0}, {"A": 0.0}, {"alpha": -0.3}):
        assert len(make_problem(LAW, table, Options(fixed=fixed)).coordinates.names) == 4
