"""One file, the same numbers or the same sentence: through fit, import, compare and trends fit."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from scaling.errors import TableError
from scaling.fitting import laws, table
from scaling.fitting.fit import read_for
from scaling.sweeping import import_runs
from scaling.tables import read as tables
from scaling.trends.answers import own

N, D, L = [10190969, 814488697, 9809114576], [1432398651, 51830988569, 966695096587], [3.8561, 2.2406, 1.9255]
DATES = ["2020-01", "2021-02", "2022-03"]
ROWS = [{"date": a, "params": n, "tokens": d, "loss": y} for a, n, d, y in zip(DATES, N, D, L, strict=True)]
FRAME = pd.DataFrame(ROWS)
PLAIN = FRAME.to_csv(index=False)


def fit(path: Path, loss: str, **options: Any) -> list[float]:
    return table.read(path, columns={"L": loss}, **options).values["L"].tolist()


def compare(path: Path, loss: str, **options: Any) -> list[float]:
    return read_for(laws.get("chinchilla"), path, columns={"L": loss}, **options).values["L"].tolist()


def imported(path: Path, loss: str, **options: Any) -> list[float]:
    rows, _ = import_runs.read([path], kind=None, names={"loss": loss}, values={"family": "x"}, **options)
    return [row["loss"] for row in rows]


def trends(path: Path, loss: str, **options: Any) -> list[float]:
    return own.read(path, date="date", value=loss, **options).value.tolist()


DOORS: dict[str, Callable[..., list[float]]] = {
    "fit": fit,
    "compare": compare,
    "import": imported,
    "trends fit": trends,
}


def parquet() -> bytes:
    out = io.BytesIO()
    FRAME.to_parquet(out)
    return out.getvalue()


def twice() -> str:
    return FRAME.assign(other=FRAME["loss"]).to_csv(index=False).replace("other", "loss")


FILES: dict[str, tuple[str, str | bytes]] = {
    "plain": ("a.csv", PLAIN),
    "semicolons and decimal commas": ("a.csv", FRAME.to_csv(index=False, sep=";", decimal=",")),
    "tabs in a txt": ("a.txt", FRAME.to_csv(index=False, sep="\t")),
    "thousands": (
        "a.csv",
        "date;params;tokens;loss\n"
        + "".join(f"{a};{n:,};{d:,};{y}\n" for a, n, d, y in zip(DATES, N, D, L, strict=True)),
    ),
    "a byte order mark": ("a.csv", PLAIN.encode("utf-8-sig")),
    "UTF-16": ("a.tsv", FRAME.to_csv(index=False, sep="\t").encode("utf-16")),
    "packed": ("a.csv.gz", gzip.compress(PLAIN.encode())),
    "JSON lines": ("a.jsonl", "\n".join(map(json.dumps, ROWS))),
    "JSON": ("a.json", json.dumps(ROWS)),
    "Parquet": ("a.parquet", parquet()),
    "comments first": ("a.csv", "# made on the cluster\n\n# in spring\n" + PLAIN),
    "a name over two columns": ("a.csv", twice()),
    "blank rows": ("a.csv", PLAIN.replace("2021", ",,,\n\n2021") + ",,,\n"),
    "names again among the rows": ("a.csv", PLAIN + PLAIN.splitlines()[0] + "\n"),
}


def written(folder: Path, name: str, content: str | bytes) -> Path:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / name


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", FILES)
def test_every_door_reads_the_same_numbers(tmp_path: Path, name: str, door: str) -> None:
    assert DOORS[door](written(tmp_path, *FILES[name]), "loss") == L


@pytest.mark.parametrize("door", DOORS)
def test_every_door_takes_expressions_and_where(tmp_path: Path, door: str) -> None:
    path = written(tmp_path, "a.csv", PLAIN)
    where = "loss < 3 and params in [814488697, 9809114576]"
    assert DOORS[door](path, "2 * loss", where=where) == [4.4812, 3.851]


REFUSED: dict[str, tuple[str, str | bytes, str, str | None, str]] = {
    "a word": (
        "a.csv",
        PLAIN.replace("2.2406", "good"),
        "loss",
        None,
        "holds the text 'good' in row 2; ",
    ),
    "a comma of two readings": (
        "a.csv",
        "date;params;tokens;loss\n2020;10;20;3,856\n2021;30;40;2,241\n",
        "loss",
        None,
        "choose --decimal",
    ),
    "no such column": ("a.csv", PLAIN, "lost", None, "has no column 'lost'; .* did you mean 'loss'"),
    "no such column in where": ("a.csv", PLAIN, "loss", "los < 3", "has no column 'los'; .* mean 'loss'"),
    "an attribute": (
        "a.csv",
        PLAIN,
        "loss",
        "loss.values > 3",
        "contains an attribute, which",
    ),
    "a method": ("a.csv", PLAIN, "loss", "loss.sum() > 3", "calls a function that is not allowed; use log"),
    "an import": ("a.csv", PLAIN, "loss", "__import__('os').getpid() > 3", "calls a function"),
    "a local name": ("a.csv", PLAIN, "loss", "loss > @pd", "is not an expression"),
    "no condition": ("a.csv", PLAIN, "loss", "loss", "is not true or false for each row"),
    "nothing left": ("a.csv", PLAIN, "loss", "loss > 9", "keeps none of 3 rows"),
    "more values than names": ("a.csv", "date,loss\n1,2,3\n", "loss", None, "row 1 of .* has 3 values"),
    "fewer values than names": ("a.csv", PLAIN + "2023,1,2\n", "loss", None, "row 4 of .* has 3 values"),
    "a name over two columns": (
        "a.csv",
        twice().replace("3.8561\n", "3\n"),
        "loss",
        None,
        "2 columns of the name 'loss' with different values",
    ),
    "two metrics": (
        "a.csv",
        FRAME.assign(metric=["loss", "loss", "perplexity"]).to_csv(index=False),
        "loss",
        None,
        "the column 'metric' of .* holds 'loss', 'perplexity', .* --where \"metric == 'loss'\"",
    ),
    "a row of totals": ("a.csv", PLAIN + "Total,1e10,1e12,2.67\n", "loss", None, "row 4 of .* to sum up"),
    "no run that is done": (
        "a.csv",
        FRAME.assign(State="crashed").to_csv(index=False),
        "loss",
        None,
        "has no finished runs",
    ),
    "one run twice": (
        "a.csv",
        FRAME.assign(run_id="x", params=5e6, tokens=1e8).to_csv(index=False),
        "loss",
        None,
        "3 rows of the run 'x' that differ in date, loss; keep the right one",
    ),
    "another code": ("a.csv", "date,größe\n1,2\n".encode("latin-1"), "loss", None, "is not UTF-8 text"),
    "nothing": ("a.csv", "", "loss", None, "is empty"),
    "other JSON": ("a.json", "[1]", "loss", None, "is JSON but not a table"),
    "broken Parquet": ("a.parquet", "PAR1", "loss", None, "cannot be read as Parquet"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_every_door_says_the_same_sentence(tmp_path: Path, name: str) -> None:
    file, content, loss, where, part = REFUSED[name]
    path = written(tmp_path, file, content)
    sentences = set()
    for read in DOORS.values():
        with pytest.raises(TableError, match=part) as caught:
            read(path, loss, where=where)
        sentences.add(re.sub(r"\((L|value)\)", "(loss)", str(caught.value)))
    assert len(sentences) == 1


def test_objects_are_tables_too() -> None:
    columns = {name: list(FRAME[name]) for name in FRAME.columns}
    for source in (FRAME, pa.Table.from_pandas(FRAME), ROWS, columns):
        assert table.read(source).values["L"].tolist() == L
        assert own.read(source, date="date", value="loss").value.tolist() == L
    assert len({tables.read(source).sha256 for source in (FRAME, ROWS, columns)}) == 1
    with pytest.raises(TableError, match="a set is not a table; give a path, a sweep, a DataFrame"):
        tables.read({1, 2})
    with pytest.raises(TableError, match=r"is not a table .*give columns of equal length"):
        tables.read({"a": [1], "b": [1, 2]})


def test_text_stays_as_it_is_written(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "run_id,params,tokens,loss\n0012,10,20,3\n12e4,30,40,2\n")
    rows, _ = import_runs.read([path], kind=None, names={}, values={"family": "007"})
    assert [(row["run_id"], row["family"]) for row in rows] == [("0012", "007"), ("12e4", "007")]


def test_rows_that_a_trend_leaves_out_are_said(tmp_path: Path) -> None:
    states = FRAME.assign(State=["finished", "running", "finished"])
    path = written(
        tmp_path, "a.csv", pd.concat([states, states.tail(1).assign(loss=None)]).to_csv(index=False)
    )
    found = own.read(path, date="date", value="loss")
    assert found.value.tolist() == [L[0], L[2]]
    assert found.notes == (
        "1 of 4 runs are not done and are left out",
        "1 of 3 rows have no 'date' or no 'loss' and are left out",
    )


def test_copies_of_a_run_count_once_and_points_on_the_way_stay(tmp_path: Path) -> None:
    runs = FRAME.assign(run_id=["x", "y", "z"])
    made = table.read(pd.concat([runs, runs.head(1)]))
    assert made.values["L"].tolist() == L
    assert "1 rows repeat the row of the same run in every column and are left out" in made.warnings
    assert table.read(FRAME.assign(run_id="x", params=5e6)).n == 3
    with pytest.raises(TableError, match="2 rows of the run 'x' that differ in loss"):
        table.read(pd.concat([runs, runs.head(1).assign(loss=3.0)]))


def test_parts_that_are_compared_may_be_of_several_kinds() -> None:
    mixed = FRAME.assign(objective=["causal", "causal", "masked"])
    with pytest.raises(TableError, match="--where \"objective == 'causal'\""):
        table.read(mixed)
    assert table.read(mixed, by="objective").n == 3
    assert table.read(mixed, where="objective == 'causal'").n == 2


def test_one_run_rounded_in_several_ways_is_several_rows() -> None:
    rows = [{**ROWS[0], "run_id": "a", "weight_bits": bits, "loss": 3.0 + bits} for bits in (2.0, 3.0, 4.0)]
    assert len(table.read(rows).values["L"]) == 3
    with pytest.raises(TableError, match="3 rows of the run 'a' that differ in loss"):
        table.read([{**row, "weight_bits": 2.0} for row in rows])
