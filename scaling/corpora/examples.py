"""Prepare and batch texts with an answer: a label for classification, or a second text for translation."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from scaling.config import CorpusConfig
from scaling.corpora.batches import order
from scaling.corpora.corpus import Corpus
from scaling.corpora.manifest import STREAMS
from scaling.corpora.preparing.building import checked, folder, write_manifest
from scaling.corpora.preparing.order import KEY_BYTES, Ordered
from scaling.corpora.preparing.publishing import publish
from scaling.corpora.preparing.writing import Stream
from scaling.corpora.sources import Source, open_source
from scaling.corpora.tokenizers import make
from scaling.errors import ConfigError, CorpusError
from scaling.files import sha256

SIDES = tuple(STREAMS)
_LOG = logging.getLogger("scaling.corpora")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Examples:
    """A corpus in which every document has an answer."""

    texts: Corpus
    """The documents without their answers, as an ordinary corpus, for example for pre-training."""

    @property
    def labels(self) -> list[str]:
        """Names of the classes, in the order of their numbers; empty for pairs of texts."""
        return list(self.texts.manifest["labels"])

    @property
    def paired(self) -> bool:
        """Whether the answer is a text."""
        return not self.labels

    def count(self, side: str) -> int:
        """Return the number of examples in `train` or `heldout`."""
        return int(self.texts.manifest[f"documents_{side}"])

    @cached_property
    def longest(self) -> int:
        """Tokens of the longest text or answer of the training side, including its end."""
        columns = ["train.ends", *(["train.answer_ends"] if self.paired else [])]
        return max(int(np.diff(self._columns[name].astype(np.int64), prepend=0).max()) for name in columns)

    @cached_property
    def _columns(self) -> dict[str, np.ndarray]:
        """Memory-mapped ends of documents, answers and ends of answers, for both sides."""
        columns: dict[str, np.ndarray] = {}
        kinds = {"ends": "<u8", "answers": "<u4"} if self.labels else {"ends": "<u8", "answer_ends": "<u8"}
        for side in SIDES:
            for what, kind in kinds.items():
                columns[f"{side}.{what}"] = np.memmap(
                    self.texts.folder / f"{side}.{what}.bin", dtype=kind, mode="r"
                )
            if self.paired:
                path = self.texts.folder / f"{side}.answers.bin"
                columns[f"{side}.answers"] = np.memmap(path, dtype=self.texts.manifest["dtype"], mode="r")
        return columns

    def batch(
        self, side: str, *, seed: int, step: int, examples: int, context: int, limit: int | None = None
    ) -> dict[str, np.ndarray]:
        """Return the examples of one step, a pure function of (seed, step).

        Every epoch shows each example once. With `limit`, an epoch holds only the first `limit` examples;
        examples are stored in the order of their hashes, which is a fixed shuffle.

        Returns:
            `tokens` int64 (examples, context): the document with its end, cut to `context` or padded with the
            separator; `lengths` int64 (examples,). For classes: `labels` int64 (examples,). For pairs:
            `answers` int64 (examples, context + 1), which begin and end with the separator, and
            `answer_lengths` int64 (examples,). Positions at or beyond a length are padding.
        """
        count = self.count(side) if limit is None else min(limit, self.count(side))
        position = np.arange(step * examples, (step + 1) * examples)
        epoch, index = np.divmod(position, count)
        chosen = np.concatenate([order(index[epoch == e], count, seed, int(e)) for e in np.unique(epoch)])
        return self._take(side, chosen, context)

    def all(self, side: str, *, examples: int, context: int) -> Iterator[dict[str, np.ndarray]]:
        """Yield every example of a side once, in order, in batches of `examples`, for evaluation."""
        for start in range(0, self.count(side), examples):
            yield self._take(side, np.arange(start, min(start + examples, self.count(side))), context)

    def _take(self, side: str, chosen: np.ndarray, context: int) -> dict[str, np.ndarray]:
        columns, pad = self._columns, int(self.texts.manifest["separator"])
        stream = self.texts.train if side == "train" else self.texts.heldout
        tokens, lengths = _padded(stream, columns[f"{side}.ends"], chosen, context, pad)
        batch = {"tokens": tokens, "lengths": lengths}
        if self.labels:
            return batch | {"labels": columns[f"{side}.answers"][chosen].astype(np.int64)}
        after, answer_lengths = _padded(
            columns[f"{side}.answers"], columns[f"{side}.answer_ends"], chosen, context, pad
        )
        begin = np.full((len(chosen), 1), pad, dtype=np.int64)
        return batch | {"answers": np.hstack([begin, after]), "answer_lengths": answer_lengths + 1}


def prepare_examples(config: CorpusConfig, root: Path) -> Examples:
    """Prepare a corpus of rows with a text and an answer, as `prepare` does for plain text.

    The config has these keys in addition: `field`, the field of the text; `label` or `target`, the field of
    the answer; and `group`, a field whose equal values stay on one side of the split, such as the speech of a
    paragraph (null: equal texts stay together). Raises ConfigError unless exactly one of label and target is
    set, CorpusError for rows without the fields.
    """
    config = checked(config)
    if ("label" in config.options) == ("target" in config.options):
        raise ConfigError(
            "examples need either corpus.label or corpus.target, the field that holds the answer"
        )
    source = open_source(config, root)
    if source.rows is None:
        raise ConfigError(
            f"corpus.source {config.source!r} has no answers; take sotu, files with .jsonl, or hub"
        )
    return Examples(texts=publish(folder(config, source, root), lambda to: _build(config, source, to)))


def _build(config: CorpusConfig, source: Source, to: Path) -> None:
    answer = str(config.options.get("label", config.options.get("target")))
    with tempfile.TemporaryDirectory(prefix="sorting-", dir=to) as sorting:
        ordered = Ordered(_packed(config, source, answer), Path(sorting), key=_key)
        if not ordered.distinct:
            raise CorpusError(
                f"{config.name!r} holds fewer than two different examples, so nothing can be held out"
            )
        limit = ordered.threshold(config.heldout_fraction)
        seen = Counter(json.loads(row)[1] for key, row in ordered if int.from_bytes(key, "big") >= limit)
        names = sorted(seen) if "label" in config.options else []
        if "label" in config.options and len(names) < 2:
            raise CorpusError(
                f"{config.name!r}: the field {answer!r} has one value only in training, {names}; give another"
            )
        texts = (
            part.encode()
            for key, row in ordered
            if int.from_bytes(key, "big") >= limit
            for part in json.loads(row)[: 1 if names else 2]
        )
        tokenizer = make(config.tokenizer, texts)
        streams = {side: Stream(to / file, tokenizer, keep_lengths=True) for side, file in STREAMS.items()}
        answers = (
            {side: Stream(to / f"{side}.answers.bin", tokenizer, keep_lengths=True) for side in SIDES}
            if not names
            else {}
        )
        numbers: dict[str, list[int]] = {side: [] for side in SIDES}
        unknown = 0
        for key, row in ordered:
            side = "heldout" if int.from_bytes(key, "big") < limit else "train"
            text, reply, _ = json.loads(row)
            if names and reply not in seen:
                unknown += 1
                continue
            streams[side].add(text.encode())
            if names:
                numbers[side].append(names.index(reply))
            else:
                answers[side].add(reply.encode())
    files: dict[str, dict[str, Any]] = {}
    for side, stream in (*streams.items(), *answers.items()):
        stream.close()
        files[STREAMS[side] if stream is streams[side] else f"{side}.answers.bin"] = stream.note()
    for side in SIDES:
        written = {"ends": np.cumsum(streams[side].lengths, dtype="<u8")}
        if names:
            written["answers"] = np.array(numbers[side], dtype="<u4")
        else:
            written["answer_ends"] = np.cumsum(answers[side].lengths, dtype="<u8")
        for what, column in written.items():
            path = to / f"{side}.{what}.bin"
            column.tofile(path)
            files[path.name] = {"bytes": path.stat().st_size, "sha256": sha256(path)}
    counted = {
        "labels": names,
        "label_counts": {side: dict(Counter(names[n] for n in numbers[side])) for side in SIDES}
        if names
        else {},
        "labels_unknown_in_training": unknown,
        "documents_empty": ordered.empty,
    }
    write_manifest(config, source, to, tokenizer, streams, files, counted)


def _packed(config: CorpusConfig, source: Source, answer: str) -> Iterator[bytes]:
    """Yield each row as JSON [text, answer, group]."""
    assert source.rows is not None
    field, group = str(config.options.get("field", "text")), config.options.get("group")
    without = 0
    for number, row in enumerate(source.rows(), start=1):
        for name in (field, answer, *([group] if group else [])):
            if name not in row:
                raise CorpusError(
                    f"{config.name} row {number} has no field {name!r}; it has "
                    f"{', '.join(map(repr, row))}; "
                    f"set corpus.field, corpus.label, corpus.target or corpus.group to one of them"
                )
        if row[field] is None or row[answer] is None:
            without += 1
            continue
        text, reply = (_written(row[name], name, f"{config.name} row {number}") for name in (field, answer))
        together = row[group] if group else None
        if text.strip() and reply.strip():
            yield json.dumps([text, reply, text if together is None else str(together)]).encode()
    if without:
        _LOG.warning("%s: %d rows left out: null in %r or %r", config.name, without, field, answer)


def _written(value: Any, field: str, where: str) -> str:
    """Return a text or an answer as text. Raises CorpusError for lists and objects."""
    if not isinstance(value, str | int | float):
        raise CorpusError(
            f"{where} holds {type(value).__name__} in {field!r}, not text; set corpus.field, corpus.label "
            "or corpus.target to a field of text"
        )
    # half a surrogate pair becomes ?; a zero would read as the end of a document
    return str(value).replace("\0", "?").encode("utf-8", errors="replace").decode("utf-8")


def _key(row: bytes) -> bytes:
    """Return the sorting key of a row: the hash of its group, so that groups stay together, then its own."""
    group = json.loads(row)[2].encode()
    halves = (hashlib.blake2b(part, digest_size=KEY_BYTES // 2).digest() for part in (group, row))
    return b"".join(halves)


def _padded(
    stream: np.ndarray, ends: np.ndarray, chosen: np.ndarray, width: int, pad: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return documents by number, cut or padded to `width`, and their lengths.

    Shapes: int64 (len(chosen), width) and int64 (len(chosen),).
    """
    stop = ends[chosen].astype(np.int64)
    start = np.where(chosen > 0, ends[np.maximum(chosen - 1, 0)], 0).astype(np.int64)
    lengths = np.minimum(stop - start, width)
    places = np.arange(width)
    inside = places < lengths[:, None]
    at = np.where(inside, start[:, None] + places, 0)
    return np.where(inside, stream[at], pad).astype(np.int64), lengths
