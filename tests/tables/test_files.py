"""Files as programs and people leave them: the same numbers from each, or one sentence."""

from __future__ import annotations

import bz2
import gzip
import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from scaling.errors import TableError
from scaling.fitting.table import read

N = [10190969, 814488697, 9809114576]
D = [1432398651, 51830988569, 966695096587]
L = [3.8561, 2.2406, 1.9255]
PLAIN = "params,tokens,loss\n" + "".join(f"{n},{d},{y}\n" for n, d, y in zip(N, D, L, strict=True))

ROWS = [{"params": n, "tokens": d, "loss": y} for n, d, y in zip(N, D, L, strict=True)]
FRAME = pd.DataFrame(ROWS)


def noted(cell: str) -> str:
    """The plain table with a further column, which holds one cell in all rows."""
    head, *rows = PLAIN.splitlines()
    return "\n".join([f"{head},note", *(f"{row},{cell}" for row in rows)])


def swapped(text: str, mark: str) -> str:
    return text.replace(",", mark)


CASES: dict[str, tuple[str, str | bytes]] = {
    "semicolons in a csv": ("a.csv", swapped(PLAIN, ";")),
    "tabs in a csv": ("a.csv", swapped(PLAIN, "\t")),
    "bars in a txt": ("a.txt", swapped(PLAIN, "|")),
    "commas in a tsv": ("a.tsv", PLAIN),
    "decimal commas": ("a.csv", swapped(PLAIN, ";").replace(".", ",")),
    "decimal commas and tabs": ("a.tsv", swapped(PLAIN, "\t").replace(".", ",")),
    "thousands": (
        "a.csv",
        "params;tokens;loss\n" + "".join(f"{n:,};{d:,};{y}\n" for n, d, y in zip(N, D, L, strict=True)),
    ),
    "a line sep=": ("a.csv", "sep=,\n" + PLAIN),
    "a line sep=;": ("a.csv", '"sep=;"\r\n' + swapped(PLAIN, ";").replace("\n", "\r\n")),
    "comments": ("a.csv", "# on the cluster, 2024\n\n#second\n" + PLAIN),
    "names in a comment": ("a.csv", "# " + PLAIN),
    "a byte order mark": ("a.csv", PLAIN.encode("utf-8-sig")),
    "UTF-16": ("a.csv", PLAIN.encode("utf-16")),
    "packed": ("a.csv.gz", gzip.compress(PLAIN.encode())),
    "packed otherwise": ("a.csv.bz2", bz2.compress(PLAIN.encode())),
    "joined files": ("a.csv", PLAIN[:46] + PLAIN[:19] + PLAIN[46:]),
    "packed by Zstandard": ("a.csv.zst", pa.compress(PLAIN.encode(), codec="zstd", asbytes=True)),
    "packed in secret": ("a.csv", gzip.compress(PLAIN.encode())),
    "UTF-16 without a mark": ("a.csv", PLAIN.encode("utf-16-le")),
    "UTF-16 of the other order": ("a.csv", PLAIN.encode("utf-16-be")),
    "UTF-32": ("a.csv", PLAIN.encode("utf-32")),
    "comments among the rows": ("a.csv", PLAIN.replace("\n8", '\n# "so, far\n8') + "#1,2,3\n"),
    "a newline within quotes": ("a.csv", noted('"one\ntwo, ""three"""')),
    "a hash within quotes": ("a.csv", noted('"one\n# two\nthree"')),
    "a separator of lines that is none": ("a.csv", noted("thin\u2028break\x85")),
    "a huge value": ("a.csv", noted("x" * 200_000)),
    "a huge name": ("a.csv", noted("1").replace("note", "x" * 200_000)),
    "a mark at every end": ("a.csv", "params,tokens,loss\n" + PLAIN.split("\n", 1)[1].replace("\n", ",\n")),
    "spaces": ("a.csv", PLAIN.replace(",", " , ")),
    "a list in JSON": (
        "a.json",
        json.dumps(ROWS),
    ),
    "columns by row in JSON": ("a.json", FRAME.to_json()),
    "rows by name in JSON": ("a.json", FRAME.set_axis(["a", "b", "c"]).to_json(orient="index")),
    "names and rows in JSON": ("a.json", FRAME.to_json(orient="split")),
    "a table schema in JSON": ("a.json", FRAME.to_json(orient="table", index=False)),
    "rows under a name in JSON": ("a.json", json.dumps({"project": "x", "runs": ROWS})),
    "lines in JSON": ("a.json", "\n".join(map(json.dumps, ROWS))),
    "a list in JSON lines": ("a.jsonl", json.dumps(ROWS)),
    "a break within JSON lines": (
        "a.jsonl",
        "\n".join(json.dumps(row | {"note": "a\u2028b"}, ensure_ascii=False) for row in ROWS),
    ),
    "columns in JSON": ("a.json", json.dumps({"params": N, "tokens": D, "loss": L})),
}


@pytest.mark.parametrize("name", CASES)
def test_the_same_numbers_from_every_file(tmp_path: Path, name: str) -> None:
    file, content = CASES[name]
    (tmp_path / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    made = read(tmp_path / file)
    assert made.values["N"].tolist() == N
    assert made.values["D"].tolist() == D
    assert made.values["L"].tolist() == L


def test_whole_numbers_beyond_64_bits_and_decimals_are_numbers(tmp_path: Path) -> None:
    flops = [6 * n * d for n, d in zip(N, D, strict=True)]
    assert max(flops) > 2**64
    rows = [{"params": n, "flops": c, "loss": y} for n, c, y in zip(N, flops, L, strict=True)]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    assert np.allclose(read(tmp_path / "a.jsonl").values["D"], D, rtol=1e-14)
    exact = pd.DataFrame({"params": N, "flops": [Decimal(c) for c in flops], "loss": L})
    exact.to_parquet(tmp_path / "a.parquet")
    assert np.allclose(read(tmp_path / "a.parquet").values["D"], D, rtol=1e-14)


def test_asked_marks_hold_for_every_column(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("params;tokens;loss\n814.488;51.830;2,241\n123.456;20.000;3,105\n")
    with pytest.raises(TableError, match="may be a decimal mark or a thousands separator"):
        read(path)
    made = read(path, decimal=",")
    assert made.values["N"].tolist() == [814488, 123456]
    assert made.values["L"].tolist() == [2.241, 3.105]
    path.write_text("params;tokens;loss\n814.488;51830;2,2406\n123.456;20000;3,1052\n")
    with pytest.raises(TableError, match="'loss' with decimal commas and 'params' with points"):
        read(path)


REFUSED: dict[str, tuple[str, str | bytes, str]] = {
    "more values than names": (
        "a.csv",
        "params,tokens\n1,2,3\n4,5,6\n",
        "row 1 of .* has 3 values, but there are 2 names; give every column a name and every row all its",
    ),
    "a wide table": ("a.csv", "params,tokens\n1,2,3,4\n4,5,6,7\n", "row 1 of .* has 4 values"),
    "labels without a name": ("a.csv", "params,tokens\n0,2,3\n1,5,6\n", "row 1 of .* has 3 values"),
    "some longer rows": ("a.csv", "params,tokens\n1,2\n4,5,6\n", "row 2 of .* has 3 values"),
    "one column": ("a.csv", "params tokens\n1 2\n", "has only the column 'params tokens'; separate"),
    "another code": ("a.csv", "params,größe\n1,2\n".encode("latin-1"), "is not UTF-8 text .byte 0xf6"),
    "zeros": ("a.csv", b"a,b\n1,\0\n", "contains zero bytes"),
    "nothing": ("a.csv", "", "is empty"),
    "a shorter row": ("a.csv", "params,tokens\n1,2\n4\n", "row 2 of .* has 1 values"),
    "an open quote": ("a.csv", 'params,tokens\n1,2\n3,"4\n5,6\n', "after row 1 .*close every quote"),
    "another table below": (
        "a.csv",
        "params,tokens,loss\n1,2,3\ntokens,params,loss\n2,1,3\n",
        "row 2 of .* holds the names loss, params, tokens again",
    ),
    "a name twice in JSON": ("a.json", '[{"a": 1, "a": 2}]', "an object has the name 'a' twice"),
    "a broken line": ("a.jsonl", '{"a": 1}\n{"a": 2}\n{"a"', "line 3: "),
    "a nest in JSON": ("a.json", "[" * 100_000, "is nested too deep"),
    "a short pack": ("a.csv.gz", gzip.compress(PLAIN.encode())[:-12], "cannot be read as csv"),
    "no JSON": ("a.json", "[{", "cannot be read as json"),
    "other JSON": ("a.json", "[1, 2]", "is JSON but not a table"),
    "a broken pack": ("a.csv.gz", b"no", "cannot be read as csv"),
    "an unknown kind": ("a.xlsx.gz", b"no", "must be one of"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_said_in_a_sentence(tmp_path: Path, name: str) -> None:
    file, content, part = REFUSED[name]
    (tmp_path / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(TableError, match=part):
        read(tmp_path / file)


def test_a_name_over_two_columns_is_one_column_if_they_are_equal(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("params,tokens,loss,loss\n1e7,2e8,3,3\n2e7,3e8,2,2\n")
    assert "'loss' is the name of 2 columns; the first is taken" in read(tmp_path / "a.csv").warnings
    frame = pd.DataFrame([[1e7, 2e8, 3, 9], [2e7, 3e8, 2, 9]], columns=["params", "tokens", "loss", "loss"])
    frame.to_csv(tmp_path / "a.csv", index=False)
    for source in (frame, tmp_path / "a.csv"):
        with pytest.raises(TableError, match="has 2 columns of the name 'loss' with different values"):
            read(source)
