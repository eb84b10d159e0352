"""Random tables in random files: the numbers that were written, or a TableError; never anything else."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scaling.errors import TableError
from scaling.tables.columns import numbers
from scaling.tables.files import load
from scaling.tables.read import read as read_rows

often = settings(
    deadline=None, max_examples=25, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
COUNTS = st.integers(1, 10**18)
LOSSES = st.floats(1e-6, 1e6, allow_subnormal=False)
NOTES = st.text(
    st.sampled_from("ab ,;|\t\"'#\n\u2028\x85é中.0=-") | st.characters(exclude_categories=["Cs", "Cc"]),
    max_size=12,
)
RUN = st.tuples(COUNTS, COUNTS, LOSSES, st.none() | NOTES.map("x{}".format))
RUNS = st.lists(RUN, min_size=2, max_size=5)
NAMES = ("params", "tokens", "loss", "note")
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda content: bytes(pa.compress(content, codec="zstd", asbytes=True)),
}
CODES = ("utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be")


def table(path: Path, content: bytes) -> pd.DataFrame | str:
    """Return a table, or the sentence that refuses it."""
    try:
        return load(path, content)[0]
    except TableError as error:
        return str(error)


def same(frame: pd.DataFrame, runs: list[tuple[Any, ...]]) -> None:
    """Compare a table that was read with the values that were written."""
    assert len(frame) == len(runs)
    for name, values in zip(NAMES[:3], zip(*(run[:3] for run in runs), strict=True), strict=True):
        assert numbers(name, name, frame).tolist() == [float(value) for value in values]
    for found, (*_, note) in zip(frame["note"], runs, strict=True):
        assert note is None if pd.isna(found) else found.strip() == note.strip()


def written(runs: list[tuple[Any, ...]], mark: str, decimal: str, draw: random.Random) -> list[str]:
    """Return the lines of a table, by the csv module."""
    quoting = draw.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
    lines = []
    for cells in (NAMES, *runs):
        line = io.StringIO()
        texts = [repr(c).replace(".", decimal) if isinstance(c, float) else c for c in cells]
        csv.writer(line, delimiter=mark, quoting=quoting, lineterminator="\n").writerow(texts)
        lines.append(line.getvalue())
    return lines


@often
@given(
    runs=RUNS,
    mark=st.sampled_from(",;\t|"),
    decimal=st.sampled_from(".,"),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    code=st.sampled_from(CODES),
    packed=st.sampled_from(list(PACKED)),
    draw=st.randoms(use_true_random=False),
)
def test_what_spreadsheets_and_people_write_is_read_back(
    runs: list[tuple[Any, ...]],
    mark: str,
    decimal: str,
    ending: str,
    code: str,
    packed: str,
    draw: random.Random,
) -> None:
    lines = written(runs, mark, decimal, draw)
    for extra in draw.choices(["# a comment, 'of' \"words\"\n", "\n", "#\n"], k=draw.randint(0, 3)):
        lines.insert(draw.randint(0, len(lines)), extra)
    if draw.random() < 0.3:
        lines.insert(0, f"sep={mark}\n")
    text = "".join(lines)
    if ending != "\n":
        text = text.replace("\n", ending)
    path = Path(draw.choice(["a.csv", "a.tsv", "a.txt"]) + packed)
    content = PACKED[packed](text.encode(code))
    frame = table(path, content)
    if isinstance(frame, str):  # UTF-16 without a mark is recognised by letters of Latin script alone
        if code in ("utf-16-le", "utf-16-be"):
            return
        assert "decimal" in frame
        frame, _ = load(path, content, decimal)
    same(frame, runs)


@often
@given(runs=RUNS, mark=st.sampled_from(",;\t|"), draw=st.randoms(use_true_random=False))
def test_a_row_that_is_too_long_or_too_short_is_refused_by_its_number(
    runs: list[tuple[Any, ...]], mark: str, draw: random.Random
) -> None:
    lines = written([(*run[:3], "x") for run in runs], mark, ".", draw)
    row = draw.randint(1, len(runs))
    line = lines[row].rstrip("\n")
    lines[row] = draw.choice([line + mark + "7", mark + line, line.rpartition(mark)[0]]) + "\n"
    with pytest.raises(TableError, match=f"row {row} of a.csv has [35] values, but there are 4 names"):
        load(Path("a.csv"), "".join(lines).encode())


def typed(kind: str, values: list[Any]) -> Any:
    if kind == "decimal":
        return [Decimal(repr(value)) for value in values]
    if kind == "text":
        return list(map(repr, values))
    series = pd.Series(values)
    return (
        series if kind == "plain" else series.convert_dtypes() if kind == "nullable" else series.astype(kind)
    )


WRITERS: dict[str, Callable[[pd.DataFrame], bytes]] = {
    "a.parquet": lambda frame: frame.to_parquet(),
    "a.json": lambda frame: frame.to_json(orient="records", double_precision=15).encode(),
    "a.jsonl": lambda frame: frame.to_json(orient="records", lines=True, double_precision=15).encode(),
}
KINDS = ("plain", "nullable", "decimal", "text", "category", "float64")


@often
@given(
    runs=RUNS,
    kinds=st.tuples(*[st.sampled_from(KINDS)] * 3),
    indexed=st.booleans(),
)
def test_what_libraries_write_as_parquet_and_objects_is_read_back(
    runs: list[tuple[Any, ...]], kinds: tuple[str, ...], indexed: bool
) -> None:
    columns = dict(zip(NAMES, map(list, zip(*runs, strict=True)), strict=True))
    columns |= {name: typed(kind, columns[name]) for name, kind in zip(NAMES, kinds, strict=False)}
    frame = pd.DataFrame(columns)
    frame = frame.set_index("tokens") if indexed else frame
    same(load(Path("a.parquet"), WRITERS["a.parquet"](frame))[0], runs)
    same(read_rows(frame).frame, runs)


@often
@given(runs=RUNS, form=st.sampled_from(["records", "lines", "columns", "split", "index", "table"]))
def test_every_form_of_json_is_read_back(runs: list[tuple[Any, ...]], form: str) -> None:
    # ujson of pandas keeps 15 digits, so the values are rounded to what it writes
    runs = [(int(n), int(d), float(f"{y:.6f}") or 1.0, note) for n, d, y, note in runs]
    frame = pd.DataFrame(runs, columns=list(NAMES))
    if form == "index":
        frame.index = pd.Index([f"run {i}" for i in range(len(frame))])
    options: dict[str, Any] = {"orient": "records", "lines": True} if form == "lines" else {"orient": form}
    if form == "table":
        options["index"] = False
    text = frame.to_json(double_precision=15, **options)
    for name in ("a.json", "a.jsonl"):
        same(load(Path(name), text.encode())[0], runs)


def valid() -> dict[str, bytes]:
    """Return a valid file of every format and compression."""
    frame = pd.DataFrame(
        {"params": [10**6, 10**9], "tokens": [2.5e7, 1e10], "loss": [3.5, 2.25], "note": ['a "b", c', "d"]}
    )
    text = frame.to_csv(index=False)
    files = {f"a.csv{ending}": pack(text.encode()) for ending, pack in PACKED.items()}
    files |= {name: write(frame) for name, write in WRITERS.items()}
    return files | {"a.tsv": text.replace(",", "\t").encode("utf-16")}


FILES = valid()


@settings(deadline=None, max_examples=60, derandomize=True)
@given(draw=st.randoms(use_true_random=False))
@pytest.mark.parametrize("name", FILES)
def test_damage_is_an_error_of_the_table(name: str, draw: random.Random) -> None:
    content = bytearray(FILES[name])
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(content))
        harm = draw.choice(["flip", "cut", "insert", "repeat"])
        if harm == "flip":
            content[at] ^= 1 << draw.randrange(8)
        elif harm == "cut":
            del content[at : at + draw.choice([1, 5, len(content)])]
        else:
            content[at:at] = draw.randbytes(3) if harm == "insert" else content[at : at + 20]
        content = content or bytearray(b"\n")
    found = table(Path(name), bytes(content))
    assert isinstance(found, pd.DataFrame) or "\n" not in found


@settings(deadline=None, max_examples=100, derandomize=True)
@given(content=st.binary(max_size=60), name=st.sampled_from(list(FILES)))
def test_bytes_of_anything_are_an_error_or_a_table(content: bytes, name: str) -> None:
    found = table(Path(name), content)
    assert isinstance(found, pd.DataFrame) or "\n" not in found
