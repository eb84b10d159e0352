"""Read the user's own text: files, folders and `.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scaling.config import CorpusConfig
from scaling.config.kinds import TEXT, UNSET, Setting, choice
from scaling.config.lists import PATHS
from scaling.corpora.sources import Source
from scaling.errors import CorpusError

SUFFIXES = (".jsonl", ".md", ".rst", ".text", ".txt")
KEYS = {
    "path": Setting(PATHS, UNSET, "A file, a folder (searched recursively), or a list of them."),
    "document": Setting(
        choice("file", "line", "paragraph"), "file", "Unit of a document; paragraphs end at blank lines."
    ),
    "field": Setting(TEXT, "text", "Key of the text in the lines of a .jsonl."),
}


def source(config: CorpusConfig, root: Path) -> Source:
    """Return the source of local text.

    Raises CorpusError for a missing path, a folder without text, text that is not UTF-8 (with file and byte
    offset), and a `.jsonl` line without the field.
    """
    del root
    cut, field = config.options["document"], config.options["field"]
    paths = config.options["path"]
    files = [
        file
        for path in (paths if isinstance(paths, list | tuple) else [paths])
        for file in _text_files(Path(path))
    ]

    def documents() -> Iterator[bytes]:
        for path, _ in files:
            yield from (_lines_of_json(path, field) if path.suffix == ".jsonl" else _cut(path, cut))

    def rows() -> Iterator[Mapping[str, Any]]:
        for path, _ in files:
            if path.suffix != ".jsonl":
                raise CorpusError(
                    f"{path} has no fields for answers; give a .jsonl with one JSON object a line"
                )
            yield from (row for _, row in _rows_of_json(path))

    return Source(
        origin=f"local text, {len(files):,} files: {paths}",
        licence="unknown: the owner's own text",
        fingerprint={"files": [[name, path.stat().st_size, path.stat().st_mtime_ns] for path, name in files]},
        documents=documents,
        rows=rows,
    )


def _text_files(path: Path) -> list[tuple[Path, str]]:
    """Return the text files under one path, each with its name relative to that path."""
    path = path.expanduser()
    if path.is_file():
        return [(path, path.name)]
    if not path.is_dir():
        raise CorpusError(f"there is no text at {path}; set corpus.path to a file or a folder that exists")
    files = sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES and file.is_file())
    if not files:
        raise CorpusError(
            f"the folder {path} holds no text: no file ends in {', '.join(SUFFIXES)}; "
            f"set corpus.path to another folder, or to the file itself"
        )
    return [(file, file.relative_to(path).as_posix()) for file in files]


def _cut(path: Path, cut: str) -> Iterator[bytes]:
    """Yield the documents of one plain text file. Raises CorpusError unless the text is UTF-8."""
    if cut == "file":
        text = path.read_bytes()
        _check(text, path, 0)
        yield text.removeprefix(b"\xef\xbb\xbf")
        return
    paragraph: list[bytes] = []
    for offset, line in _lines(path):
        _check(line, path, offset)
        if cut == "line":
            yield line.rstrip(b"\r\n")
        elif line.strip():
            paragraph.append(line)
        elif paragraph:
            yield b"".join(paragraph)
            paragraph = []
    if paragraph:
        yield b"".join(paragraph)


def _lines_of_json(path: Path, field: str) -> Iterator[bytes]:
    """Yield the texts of one `.jsonl` file."""
    for number, row in _rows_of_json(path):
        if field not in row:
            has = ", ".join(map(repr, row))
            raise CorpusError(
                f"{path} line {number} has no field {field!r}; it has {has}; set corpus.field to one of them"
            )
        if not isinstance(row[field], str):
            raise CorpusError(
                f"{path} line {number}: field {field!r} holds {type(row[field]).__name__}, not text; "
                f"set corpus.field to a field of text"
            )
        yield row[field].encode("utf-8", errors="replace")


def _rows_of_json(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) for each line of one `.jsonl` file."""
    for number, (offset, line) in enumerate(_lines(path), start=1):
        _check(line, path, offset)
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise CorpusError(
                f"{path} line {number} is not JSON ({error}); give one JSON object a line"
            ) from None
        if not isinstance(row, dict):
            raise CorpusError(f"{path} line {number} is a {type(row).__name__}; give one JSON object a line")
        yield number, row


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (byte offset, line) for each line of a file."""
    offset = 0
    with path.open("rb") as file:
        for line in file:
            yield offset, line
            offset += len(line)


def _check(text: bytes, path: Path, offset: int) -> None:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{path} is not UTF-8: byte 0x{text[error.start]:02x} at offset {offset + error.start:,} cannot "
            f"be read; "
            f"convert it, as with: iconv -f latin1 -t utf-8 {path.name}"
        ) from None
