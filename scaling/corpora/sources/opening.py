"""Open text files, plain or compressed. What cannot be read ends in an error that names the file."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from scaling.errors import CorpusError

_BOM = b"\xef\xbb\xbf"
_BINARY = {
    b"%PDF": "a PDF",
    b"BZh": "compressed by bzip2",
    b"PAR1": "a Parquet table",
    b"PK\3\4": "a zip archive, a Word or a spreadsheet file",
    b"\x1f\x8b": "compressed by gzip",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"\xfd7zXZ": "compressed by xz",
}
"""First bytes of files that people take for text → their kind."""
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def _zstandard(path: Path, mode: str) -> IO[bytes]:
    import pyarrow

    del mode
    return io.BufferedReader(pyarrow.CompressedInputStream(pyarrow.OSFile(str(path)), "zstd"))


COMPRESSED: dict[str, Callable[[Path, str], Any]] = {
    ".bz2": bz2.open,
    ".gz": gzip.open,
    ".xz": lzma.open,
    ".zst": _zstandard,
}
"""End of a name → function that opens such a file for reading."""


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Yield the decompressed content of a file. Raises CorpusError when it cannot be read."""
    opener: Callable[[Path, str], Any] = COMPRESSED.get(path.suffix.lower(), open)
    try:
        with opener(path, "rb") as file:
            yield file
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise CorpusError(
            f"{path} is damaged, or not compressed as its name says ({error}); {_AGAIN}"
        ) from None
    except OSError as error:
        raise CorpusError(f"{path} cannot be read ({error.strerror or error}); {_AGAIN}") from None


_AGAIN = "mend that file, or leave it out of corpus.path"


def whole(path: Path) -> bytes:
    """Return the text of a file. Raises CorpusError unless it is UTF-8 text."""
    with opened(path) as file:
        text = file.read()
    check(text, path, 0)
    return text.removeprefix(_BOM)


def lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file with their ends. Raises CorpusError unless it is UTF-8 text."""
    offset = 0
    with opened(path) as file:
        for line in file:
            check(line, path, offset)
            yield line if offset else line.removeprefix(_BOM)
            offset += len(line)


def check(text: bytes, path: Path, offset: int) -> None:
    """Raise CorpusError for bytes that are not UTF-8 text; `offset` is where they begin in the file."""
    for begin, kind in _BINARY.items() if not offset else ():
        if text.startswith(begin):
            raise CorpusError(
                f"{path} is {kind}, not text; give its text, in a file with the right end of name"
            )
    if not offset and text.startswith(_UTF16):
        raise CorpusError(
            f"{path} is UTF-16, not UTF-8; convert it, as with: iconv -f utf-16 -t utf-8 {path.name}"
        )
    if (at := text.find(b"\0")) >= 0:
        raise CorpusError(f"{path} holds a zero byte at offset {offset + at:,}, so it is no text; {_AGAIN}")
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{path} is not UTF-8: byte 0x{text[error.start]:02x} at offset {offset + error.start:,} cannot "
            f"be read; "
            f"convert it, as with: iconv -f latin1 -t utf-8 {path.name}"
        ) from None
