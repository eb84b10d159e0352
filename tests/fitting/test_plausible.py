"""What a column holds is doubted where its numbers or its name say otherwise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scaling.fitting import laws
from scaling.fitting.approaches.budgets import compute
from scaling.fitting.fit import fit
from scaling.fitting.table import read
from scaling.fitting.validation.backtest import backtest


def runs(**columns: object) -> pd.DataFrame:
    size = np.geomspace(1e6, 1e9, 6)
    return pd.DataFrame(
        {"params": size, "tokens": 20 * size[::-1] ** 1.1, "loss": np.linspace(4, 2, 6)} | columns
    )


SIX = 6 * runs()["params"] * runs()["tokens"]


@pytest.mark.parametrize(
    ("flops", "part"),
    [
        (SIX * 1e7, "its median is 1e.07 times 6 N D"),
        (SIX / 1e18, "its median is 1e-18 times 6 N D"),
        (6 * runs()["params"], "its median is"),
        (SIX * [1, 1, 1, 1, 1, 1e7], "1 of 6 rows are over 10 times off the median, 1 times 6 N D"),
    ],
)
def test_a_column_called_flops_must_be_compute(flops: pd.Series, part: str) -> None:
    frame = runs(flops=flops)
    made = read(frame)
    assert "C" not in made.values
    assert np.array_equal(compute(made), SIX)
    (said,) = (w for w in made.warnings if "is not taken as the compute C" in w)
    assert "with --c flops" in said
    assert pd.Series([said]).str.contains(part).all()
    assert np.array_equal(read(frame, columns={"C": "flops"}).values["C"], flops)


def test_compute_that_counts_otherwise_is_compute() -> None:
    for factor in (1 / 3, 1.3, 4.0, np.geomspace(0.5, 3.4, 6)):
        made = read(runs(flops=SIX * factor))
        assert np.array_equal(made.values["C"], SIX * factor)
        assert made.warnings == ()


def test_a_named_compute_in_other_units_is_kept_with_a_warning() -> None:
    made = read(runs(flops=SIX * 1e-6), columns={"C": "flops"})
    assert any("C is about 1e-6 times 6 N D" in warning for warning in made.warnings)


def test_billions_and_trillions_are_seen_whatever_the_compute() -> None:
    frame = runs()
    frame = frame.assign(params=frame["params"] / 1e9, tokens=frame["tokens"] / 1e12)
    frame["flops"] = 6 * frame["params"] * frame["tokens"]
    said = " ".join(read(frame).warnings)
    assert 'in --n "params * 1e9" for billions' in said
    assert "the median D is" in said


@pytest.mark.parametrize(
    ("column", "factor", "part"),
    [
        ("bits_per_byte", 1.0, '--loss "bits_per_byte * 0.693147" makes it nats per byte'),
        ("bpb", 1.0, '--loss "bpb * 0.693147"'),
        ("val/bpb", 1.0, '--loss "`val/bpb` * 0.693147"'),
        ("ppl", 1.0, '--loss "log(ppl)" makes it nats per token'),
        ("Test Perplexity", 1.0, '--loss "log(`Test Perplexity`)"'),
        ("loss", 20.0, "it looks like a perplexity"),
    ],
)
def test_losses_in_other_units_come_with_the_expression_to_write(
    column: str, factor: float, part: str
) -> None:
    frame = runs().rename(columns={"loss": column})
    frame[column] *= factor
    (said,) = read(frame, columns={"L": column}).warnings
    assert part in said
    written = said.partition('--loss "')[2].partition('"')[0]
    if "log" in written:
        frame[column] = np.exp(np.linspace(4, 2, 6))
        assert np.allclose(read(frame, columns={"L": written}).values["L"], np.linspace(4, 2, 6))
    else:
        assert np.allclose(
            read(frame, columns={"L": written}).values["L"], frame[column] * np.log(2), rtol=1e-6
        )
    assert read(frame, columns={"L": written}).warnings == ()


def test_plain_losses_are_not_doubted() -> None:
    for column in ("loss", "validation_loss", "orbits", "nats_per_byte"):
        assert read(runs().rename(columns={"loss": column}), columns={"L": column}).warnings == ()


def test_budgets_and_answers_do_not_bend_to_a_foreign_column() -> None:
    rng = np.random.default_rng(0)
    n = 10 ** rng.uniform(7, 9, 40)
    d = 10 ** rng.uniform(9, 11, 40)
    truth = {"E": 1.7, "A": 400.0, "B": 900.0, "alpha": 0.34, "beta": 0.3}
    law = laws.get("chinchilla")
    frame = pd.DataFrame({"params": n, "tokens": d, "loss": law.predict(truth, {"N": n, "D": d})})
    plain = fit(frame, law, bootstrap="none", starts=8)
    odd = fit(frame.assign(flops=6e7 * n * d), law, bootstrap="none", starts=8)
    assert odd.approaches is not None
    assert odd.approaches.to_json() == plain.approaches.to_json()
    few = {"cuts": 3, "resamples": 20}
    assert backtest(odd, **few).to_json() == backtest(plain, **few).to_json()


def test_a_few_rows_in_other_units_are_seen() -> None:
    frame = runs()
    frame.loc[:2, "params"] /= 1e5
    said = [w for w in read(frame).warnings if "other units than the rest" in w]
    assert len(said) == 1
    assert f"in 3 of {len(frame)} rows, first in row 1" in said[0]


@pytest.mark.parametrize(
    ("column", "factor", "unit"),
    [("tokens", 1e6, "millions"), ("tokens", 1e9, "billions"), ("params", 1e6, "millions")],
)
def test_units_of_one_column_are_seen_in_tokens_per_parameter(column: str, factor: float, unit: str) -> None:
    size = np.geomspace(1e10, 1e13, 7)  # Medians of N and D stay plausible, even where some rows are not.
    frame = pd.DataFrame({"params": size, "tokens": 20 * size, "loss": np.linspace(4, 2, 7)})
    assert read(frame).warnings == ()
    frame[column] /= factor
    (said,) = read(frame).warnings
    assert (
        f"the median of tokens per parameter is {20 / factor if column == 'tokens' else 20 * factor:.2g}"
        in said
    )
    assert f'is in {unit}, write --{"d" if column == "tokens" else "n"} "{column} * 1e' in said
    written = said.partition(f'"{column} * ')[2].partition('"')[0]
    assert float(written) == factor
