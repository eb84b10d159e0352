"""Numbers as people write them: the one reading that they have, or a sentence that asks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scaling.errors import TableError
from scaling.fitting.table import read
from scaling.tables.written import floats


def runs(**columns: list[object]) -> pd.DataFrame:
    plain = {"params": [1e7, 1e8, 1e9], "tokens": [2e9, 3e9, 4e9], "loss": [4.0, 3.0, 2.0]}
    return pd.DataFrame(plain | columns)


def test_suffixes_are_multiplied_out() -> None:
    written = ["22.8M", "1.3B", "2T", "5k", "1.3 B", "7b", "3G", "1e3", "1.5e2K", "-2m", ".5M", "12"]
    truth = [22.8e6, 1.3e9, 2e12, 5e3, 1.3e9, 7e9, 3e9, 1e3, 1.5e5, -2e6, 5e5, 12]
    assert np.allclose(floats(pd.Series(written)), truth, rtol=1e-15)
    assert floats(pd.Series(["7Q", "B", "1.2.3", "M7", "", None])).isna().all()


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        (["1,234,567", "814,488", "1,000,000.5"], [1234567, 814488, 1000000.5]),
        (["2,2406", "2,912", "3,3739"], [2.2406, 2.912, 3.3739]),
        (["0,512", "0,498", "0,601"], [0.512, 0.498, 0.601]),
        (["51.830.988.569", "9.238.642.741", "1.234,5"], [51830988569, 9238642741, 1234.5]),
        (["1,3B", "22,85M", "2T"], [1.3e9, 22.85e6, 2e12]),
    ],
)
def test_a_column_with_one_reading_is_read_so_and_that_is_said(
    written: list[str], numbers: list[float]
) -> None:
    made = read(runs(params=written))
    assert np.allclose(made.values["N"], numbers, rtol=1e-15)
    assert "the commas in 'params' are read as" in made.warnings[0] or "," not in "".join(written)


def test_a_comma_that_could_be_either_is_asked_about() -> None:
    frame = runs(params=["814,488", "123,456", "999,001"])
    with pytest.raises(TableError, match="may be a decimal mark or a thousands separator; choose --decimal"):
        read(frame)
    assert np.array_equal(read(frame, decimal=".").values["N"], [814488, 123456, 999001])
    assert np.array_equal(read(frame, decimal=",").values["N"], [814.488, 123.456, 999.001])
    assert read(frame, columns={"N": "tokens * 2"}).n == 3
    with pytest.raises(TableError, match="--decimal must be one of"):
        read(frame, decimal=";")


def test_a_column_of_both_kinds_is_no_column_of_numbers() -> None:
    with pytest.raises(TableError, match="holds the text '2,2406' in row 1"):
        read(runs(loss=["2,2406", "1,234,567", "3,1"]))


def test_names_with_digits_and_commas_stay_text() -> None:
    frame = runs(tags=["1,a", "2,b", "3,c"], size=["7B", "13B", "70B"])
    assert list(read(frame).frame["size"]) == ["7B", "13B", "70B"]
    assert list(read(frame).frame["tags"]) == ["1,a", "2,b", "3,c"]
