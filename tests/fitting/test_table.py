"""Reading: every format, expressions that compute and none that runs, and a sentence for every way a table
can be bad."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scaling.errors import TableError
from scaling.fitting.table import read
from scaling.tables.expression import evaluate


def runs(n: int = 6) -> pd.DataFrame:
    size = np.geomspace(1e6, 1e9, n)
    return pd.DataFrame(
        {"params": size, "tokens": 20 * size[::-1], "loss": np.linspace(4, 2, n), "family": list("aabbcc")}
    )


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet", "jsonl"])
def test_every_format_gives_the_same_numbers(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"runs.{kind}"
    frame = runs()
    if kind == "parquet":
        frame.to_parquet(path)
    elif kind == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, sep="," if kind == "csv" else "\t", index=False)
    made = read(path)
    assert np.allclose(made.values["N"], frame["params"])
    assert made.rows == made.n == 6
    assert len(made.sha256) == 64


def test_a_ledger_is_found_by_folder_and_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALING_RESULTS", str(tmp_path))
    folder = tmp_path / "tiny"
    folder.mkdir()
    frame = runs().assign(run_id=list("uvwxyz"), status=["done"] * 5 + ["diverged"])
    frame.loc[5, "loss"] = np.nan
    frame.to_parquet(folder / "ledger.parquet")
    for source in (folder, "tiny"):
        made = read(source)
        assert made.n == 5
        assert "1 of 6 runs are not done" in made.warnings[0]
        assert made.folder == folder
    with pytest.raises(TableError, match="or a sweep with results: tiny"):
        read("tinny")


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"loss": [1, 2, np.nan, 3, 4, 5]}, "no value in 1 of 6 rows, first in row 3"),
        ({"loss": [1, 2, np.inf, 3, 4, 5]}, "infinite value"),
        ({"params": [1e6, 0, 1, 1, 1, 1]}, "is 0 in row 2; it must be above zero"),
        ({"tokens": [-1e6, 1, 1, 1, 1, 1]}, "is -1e.06 in row 1"),
        ({"loss": list("abcdef")}, "holds the text 'a' in row 1"),
        ({"loss": [3.0] * 6}, "is 3 in all 6 rows"),
    ],
)
def test_bad_values_are_named_with_their_row(change: dict[str, list[object]], part: str) -> None:
    with pytest.raises(TableError, match=part):
        read(runs().assign(**change))


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"params": [1e8] * 6}, "same N"),
        ({"params": np.geomspace(1, 900, 6)}, 'write the units as in --n "params * 1e9" for billions'),
        ({"tokens": np.geomspace(0.01, 2, 6)}, "median D is 0.1"),
        ({"loss": np.linspace(90, 60, 6)}, "perplexity"),
    ],
)
def test_odd_values_are_warned_of(change: dict[str, object], part: str) -> None:
    assert any(part in warning for warning in read(runs().assign(**change)).warnings)


def test_functions_and_missing_values_in_expressions() -> None:
    frame = runs().assign(lr=[1e-3, np.nan, 3e-4, 1e-3, np.nan, 1e-3], ppl=lambda t: np.exp(t["loss"]))
    assert np.allclose(read(frame, columns={"L": "log(ppl)"}).values["L"], frame["loss"])
    assert np.allclose(evaluate("log2(ppl) * 0.6931471805599453", frame), frame["loss"])
    assert read(frame, where="notna(lr)").n == 4
    assert read(frame, where="isna(lr) and loss < 3").n == 1


def test_text_that_is_a_number_counts_as_one_in_expressions() -> None:
    frame = runs().assign(size=["1M", "5M", "22.8M", "0.1B", "500M", "1 B"])
    assert np.array_equal(read(frame, columns={"N": "size"}).values["N"], [1e6, 5e6, 22.8e6, 1e8, 5e8, 1e9])
    assert np.array_equal(evaluate("size / 1e6", frame), [1, 5, 22.8, 100, 500, 1000])
    assert read(frame, where="size > 1e7").n == 4
    assert read(frame, where="size == '5M'").n == 1
    assert evaluate("family + '/' + size", frame)[0] == "a/1M"


def test_letters_that_mean_nothing_are_refused_with_those_that_do() -> None:
    with pytest.raises(TableError, match="must be one of 'C', 'D', 'L', 'N', 'S', 'U'; not 'Q'"):
        read(runs(), columns={"Q": "loss"})
    with pytest.raises(TableError, match="did you mean 'N_v'"):
        read(runs(), need=("N_v", "D"), columns={"Nv": "params"})
    assert "U" in read(runs(), columns={"U": "tokens"} | {"D": "tokens + 0"}).values


def test_one_column_is_not_two_letters() -> None:
    for columns in ({"N": "params", "D": "params"}, {"N": "tokens"}, {"D": "`params`"}):
        with pytest.raises(TableError, match="is named for both N and D; name another"):
            read(runs(), columns=columns)
    made = read(runs().assign(flops=np.geomspace(1e6, 1e9, 6)), columns={"N": "flops"})
    assert "C" not in made.values


def test_states_of_other_programs_do_not_empty_a_table() -> None:
    frame = runs().assign(run_id=list("uvwxyz"), status=["completed"] * 5 + ["crashed"])
    made = read(frame)
    assert made.n == 5
    assert "1 of 6 runs are not done" in made.warnings[0]
    made = read(frame.replace({"status": {"crashed": "odd", "completed": "fine"}}))
    assert made.n == 6
    assert "status == 'fine'" in made.warnings[0]
    assert read(frame, where="status == 'completed'").n == 5
    assert read(frame.assign(status="completed")).warnings == ()


def test_a_filter_judges_only_the_states_that_it_names() -> None:
    frame = runs().assign(state=["finished"] * 5 + ["crashed"], statement=1, unit="nats")
    assert read(frame, where="statement == 1").n == 5
    assert read(frame, where="`state` == 'crashed' or statement == 1").n == 6
    assert read(frame, where="unit != 'state'").n == 5
    mixed = runs().assign(unit=["nats"] * 5 + ["bits"], units=1)
    with pytest.raises(TableError, match="several kinds are not fitted together"):
        read(mixed, where="units == 1")


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("done", [1, 1, 1, 1, 1, 0]),
        ("done", ["yes", "yes", "yes", "yes", "yes", None]),
        ("failed", [None, False, False, False, False, True]),
        ("diverged", ["no", "no", "no", "no", "no", "Yes"]),
        ("exit_code", [0, 0, 0, 0, 0, 137]),
    ],
)
def test_flags_and_exit_codes_leave_out_runs_that_did_not_end_well(column: str, values: list[object]) -> None:
    made = read(runs().assign(**{column: values}))
    assert made.n == 5
    assert "1 of 6 runs are not done" in made.warnings[0]


def test_a_number_that_is_no_flag_leaves_no_run_out() -> None:
    assert read(runs().assign(error=[0.0, 1.0, 0.5, 0.2, 0.1, 0.0])).n == 6


def test_copies_are_counted() -> None:
    assert "2 rows repeat" in read(pd.concat([runs(), runs().head(2)])).warnings[0]


def test_missing_files_columns_and_filters(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no table at"):
        read(tmp_path / "absent.csv")
    (tmp_path / "empty.csv").write_text("a,b\n")
    with pytest.raises(TableError, match="no rows"):
        read(tmp_path / "empty.csv")
    (tmp_path / "x.xlsx").write_text("a")
    with pytest.raises(TableError, match="must be one of"):
        read(tmp_path / "x.xlsx")
    (tmp_path / "broken.parquet").write_text("a")
    with pytest.raises(TableError, match="cannot be read as Parquet"):
        read(tmp_path / "broken.parquet")
    with pytest.raises(TableError, match="say which column is N with --n"):
        read(runs().drop(columns="params"))
    with pytest.raises(TableError, match="keeps none of 6 rows"):
        read(runs(), where="loss > 9")
    with pytest.raises(TableError, match="not true or false"):
        read(runs(), where="loss")


def test_tokens_follow_from_compute_and_size_and_that_is_said() -> None:
    frame = runs()
    frame["flops"] = 6 * frame["params"] * frame["tokens"]
    made = read(frame.drop(columns="tokens"))
    assert np.allclose(made.values["D"], frame["tokens"])
    again = read(
        frame.drop(columns="tokens").rename(columns={"params": "Model Size"}), columns={"N": "Model Size"}
    )
    assert np.array_equal(evaluate(again.columns["D"], again.frame), again.values["D"])
    assert "taken as C / (6 N)" in made.warnings[0]
