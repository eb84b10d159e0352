"""Expressions compute what pandas computes, and nothing runs through them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scaling.errors import TableError
from scaling.tables.expression import evaluate


def runs(n: int = 6) -> pd.DataFrame:
    size = np.geomspace(1e6, 1e9, n)
    return pd.DataFrame(
        {"params": size, "tokens": 20 * size[::-1], "loss": np.linspace(4, 2, n), "family": list("aabbcc")}
    )


def test_expressions_agree_with_pandas() -> None:
    frame = runs().rename(columns={"params": "Model Size"})
    for text in (
        "tokens / (6 * `Model Size`)",
        "-loss ** 2 + 3 % 2",
        "loss // 2",
        "loss > 2.5 & tokens > 1e8",
        "family in ['a', 'c']",
        "log(loss) - exp(-loss) * sqrt(loss) + abs(2 - loss) + log10(tokens)",
    ):
        assert np.array_equal(evaluate(text, frame), frame.eval(text)), text
    assert (evaluate("not (loss > 3)", frame) == ~(frame["loss"] > 3)).all()


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("__import__('os')", "calls a function that is not allowed; use log, log2"),
        ("loss.sum()", "calls a function"),
        ("max(loss, 2)", "calls a function"),
        ("log(loss, 2)", "log in .* takes one value"),
        ("log(loss - 3)", "log of -0.2 in row 4 is not a finite number"),
        ("sqrt(loss - 3) > 1", "sqrt of -0.2 in row 4"),
        ("log10(0 * loss)", "log10 of 0 in row 1"),
        ("exp(tokens)", "exp of 2e.10 in row 1"),
        ("isna(3)", "takes a column"),
        ("loss.values", "an attribute"),
        ("loss[0]", "a subscript"),
        ("@loss", "not an expression"),
        ("loss if 1 else 2", "something other"),
        ("(lambda: 1)", "a lambda"),
        ("9**9**9**9", "cannot be computed"),
        ("loss +", "not an expression"),
        ("lost", "did you mean 'loss'"),
        ("family * 2", "cannot be computed"),
    ],
)
def test_nothing_runs_through_an_expression(text: str, part: str) -> None:
    with pytest.raises(TableError, match=part):
        evaluate(text, runs())
