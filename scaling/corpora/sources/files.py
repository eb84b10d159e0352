"""Read the user's own text: files, folders and rows of JSON, plain or compressed."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scaling.config import CorpusConfig
from scaling.config.kinds import TEXT, UNSET, Setting, choice
from scaling.config.lists import PATHS
from scaling.corpora.sources import Source
from scaling.corpora.sources.finding import JSON, find
from scaling.corpora.sources.opening import lines, whole
from scaling.errors import CorpusError

KEYS = {
    "path": Setting(PATHS, UNSET, "A file, a folder (searched recursively), or a list of them."),
    "document": Setting(
        choice("file", "line", "paragraph"), "file", "Unit of a document; paragraphs end at blank lines."
    ),
    "field": Setting(TEXT, "text", "Key of the text in the rows of a .jsonl, .ndjson or .json."),
}
_LOG = logging.getLogger("scaling.corpora")


def source(config: CorpusConfig, root: Path) -> Source:
    """Return the source of local text.

    Rows whose text is null are left out, counted in the manifest and reported. Raises CorpusError for a
    missing path, a folder without text, text that is not UTF-8 (with file and byte offset), and a row of JSON
    without the field.
    """
    del root
    cut, field = config.options["document"], config.options["field"]
    paths = config.options["path"]
    files = find(paths if isinstance(paths, list | tuple) else [paths])
    null: dict[Path, int] = {}  # filled by `documents`

    def documents() -> Iterator[bytes]:
        for file in files:
            if file.suffix in JSON:
                yield from _texts_of_json(file.path, field, null)
            else:
                yield from _cut(file.path, cut)

    def rows() -> Iterator[Mapping[str, Any]]:
        for file in files:
            if file.suffix not in JSON:
                raise CorpusError(
                    f"{file.path} has no fields for answers; give a .jsonl with one JSON object a line"
                )
            yield from (row for _, row in _rows_of_json(file.path))

    return Source(
        origin=f"local text, {len(files):,} files: {paths}",
        licence="unknown: the owner's own text",
        fingerprint={"files": [file.stamp for file in files]},
        documents=documents,
        rows=rows,
        facts=lambda: {"rows_without_text": sum(null.values())} if sum(null.values()) else {},
    )


def _cut(path: Path, cut: str) -> Iterator[bytes]:
    """Yield the documents of one plain text file."""
    if cut == "file":
        yield whole(path)
        return
    paragraph: list[bytes] = []
    for line in lines(path):
        if cut == "line":
            yield line.rstrip(b"\r\n")
        elif line.strip():
            paragraph.append(line)
        elif paragraph:
            yield b"".join(paragraph)
            paragraph = []
    if paragraph:
        yield b"".join(paragraph)


def _texts_of_json(path: Path, field: str, null: dict[Path, int]) -> Iterator[bytes]:
    """Yield the texts of one file of rows, and count its rows without text in `null`."""
    without, count = 0, 0
    for where, row in _rows_of_json(path):
        count += 1
        if field not in row:
            has = ", ".join(map(repr, row))
            raise CorpusError(
                f"{path} {where} has no field {field!r}; it has {has}; set corpus.field to one of them"
            )
        if row[field] is None:
            without += 1
            continue
        if not isinstance(row[field], str):
            raise CorpusError(
                f"{path} {where}: field {field!r} holds {type(row[field]).__name__}, not text; "
                f"set corpus.field to a field of text"
            )
        # half a surrogate pair becomes ?; a zero would read as the end of a document
        yield row[field].replace("\0", "?").encode("utf-8", errors="replace")
    if without:
        _LOG.warning("%s: %d of %d rows have null in %r and are left out", path, without, count, field)
    null[path] = without


def _rows_of_json(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, object) for each line of a file of JSON lines, or for each item of a JSON array."""
    filled = ((number, line) for number, line in enumerate(lines(path), start=1) if line.strip())
    first = next(filled, None)
    if first is None:
        return
    if first[1].lstrip().startswith(b"["):
        for number, item in enumerate(_array(path), start=1):
            yield f"item {number}", _object(item, path, f"item {number}")
        return
    for number, line in itertools.chain([first], filled):
        where = f"line {number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise CorpusError(f"{path} {where} is not JSON ({error}); give one JSON object a line") from None
        yield where, _object(row, path, where)


def _array(path: Path) -> list[Any]:
    try:
        items = json.loads(whole(path))
    except (ValueError, RecursionError) as error:
        raise CorpusError(
            f"{path} line 1 is a list and the file is not a JSON array ({error}); give one JSON object a line"
        ) from None
    return list(items)


def _object(row: Any, path: Path, where: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise CorpusError(f"{path} {where} is a {type(row).__name__}; give one JSON object a line")
    return row
