"""Load a file of runs as a DataFrame: CSV, TSV, JSON, JSON Lines or Parquet, compressed or not."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Collection
from pathlib import Path

import pandas as pd

from scaling.errors import TableError, one_of
from scaling.tables import ledger, objects, separated
from scaling.tables.plain import plain
from scaling.tables.written import spelled

_SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}
"""Separator by file ending, used if the header line contains several separators or none."""
_LINES, _ARRAYS, _PARQUETS = (".jsonl", ".ndjson"), (".json",), (".parquet", ".pq")


def _zstd(content: bytes) -> bytes:
    import pyarrow as pa

    return bytes(pa.CompressedInputStream(io.BytesIO(content), "zstd").read())


_PACKED: dict[str, tuple[bytes, Callable[[bytes], bytes]]] = {
    ".gz": (b"\x1f\x8b", gzip.decompress),
    ".bz2": (b"BZh", bz2.decompress),
    ".xz": (b"\xfd7zXZ\x00", lzma.decompress),
    ".zst": (b"\x28\xb5\x2f\xfd", _zstd),
}
"""First bytes and unpacker of each compression, by file ending."""
ENDINGS = (*_SEPARATORS, *_ARRAYS, *_LINES, *_PARQUETS)
"""Endings of files that can be read, each also followed by .gz, .bz2, .xz or .zst."""
_CODES = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Encoding of each byte-order mark; the longer marks come first, because one begins with a shorter one."""


def load(
    path: Path, content: bytes, decimal: str | None = None, text: Collection[str] = ()
) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows of a file as a DataFrame, and notes on how they were read.

    `decimal` is the decimal mark, "." or ",". If it is None, commas are read as numbers only in columns whose
    values allow one reading. Columns of `text` stay text. Raises TableError.
    """
    kind = path.suffix.lower()
    packed = kind if kind in _PACKED else _packing(content)
    kind = Path(path.stem).suffix.lower() if kind in _PACKED else kind
    if kind not in ENDINGS:
        raise TableError(one_of(f"the ending of {path.name}", kind, ENDINGS))
    notes: list[str] = []
    try:
        content = _PACKED[packed][1](content) if packed else content
        written = "" if kind in _PARQUETS else _decoded(path, content)
        if kind in _PARQUETS:
            frame, notes = plain(ledger.frame(path, content), str(path))
            raw = frame
        elif not written.strip():
            raise TableError(f"{path} is empty; give a table with a header line and at least one run")
        elif kind in _SEPARATORS:
            frame, raw, notes = separated.read(str(path), written, _SEPARATORS[kind], decimal, text)
        else:
            frame, notes = plain(pd.DataFrame(objects.rows(str(path), written)), str(path))
            raw = frame
    except RecursionError:
        raise TableError(
            f"{path} is nested too deep to be a table; write a list of objects, one per run"
        ) from None
    except (ValueError, OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TableError(f"{path} cannot be read as {kind[1:]} ({first}); save it again as a table") from None
    if frame.empty:
        raise TableError(f"{path} has no rows; give a table with at least one run")
    frame, commas = spelled(frame, raw, decimal, str(path), text)
    return frame, notes + commas


def _packing(content: bytes) -> str | None:
    """Return the ending of the compression that the content has, whatever the file is called."""
    return next((ending for ending, (first, _) in _PACKED.items() if content.startswith(first)), None)


def _decoded(path: Path, content: bytes) -> str:
    """Return the content as text: in the encoding of its byte-order mark, as UTF-16 if nearly every
    second byte of its beginning is zero, else as UTF-8."""
    code = next((code for mark, code in _CODES.items() if content.startswith(mark)), "utf-8-sig")
    zeros = [content[start:1000:2].count(0) for start in (0, 1)]
    if code == "utf-8-sig" and max(zeros) > 0.8 * len(content[1:1000:2]):
        code = "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    try:
        text = content.decode(code)
    except UnicodeDecodeError as error:
        name = code[:6].upper() if code != "utf-8-sig" else "UTF-8"
        raise TableError(
            f"{path} is not {name} text (byte {content[error.start]:#04x} cannot be read); save it as UTF-8"
        ) from None
    if "\0" in text:
        raise TableError(f"{path} contains zero bytes and is not text; save it as UTF-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")
