"""Read text from the Hugging Face hub, or from files that the package `datasets` can read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from scaling.config import CorpusConfig
from scaling.config.kinds import FLAG, TEXT, UNSET, Kind, Setting, whole
from scaling.corpora.sources import Source
from scaling.corpora.sources.shards import Shards
from scaling.errors import ConfigError, CorpusError

KEYS = {
    "dataset": Setting(
        TEXT, UNSET, "Name of a dataset of the hub; or arrow, csv, json, parquet or text with data_files."
    ),
    "subset": Setting(TEXT, None, "The dataset's config name on the hub."),
    "split": Setting(TEXT, UNSET, "Split of the dataset that is read."),
    "revision": Setting(TEXT, None, "Commit of the dataset, so that the text cannot change during a sweep."),
    "streaming": Setting(FLAG, True, "Whether only the documents that are read are downloaded."),
    "field": Setting(TEXT, "text", "Field of the text."),
    "data_files": Setting(
        Kind(description="paths or addresses", read=lambda name, value: value),
        None,
        "Local files or addresses, for dataset=arrow, csv, json, parquet or text.",
    ),
    "max_documents": Setting(whole(), None, "Number of documents that are read, from the start. null = all."),
}
_BUILDERS = {"arrow", "csv", "json", "parquet", "text"}
_TEXT = ("dataset", "subset", "split", "revision", "field", "data_files", "max_documents", "label", "target")


def source(config: CorpusConfig, root: Path) -> Source:
    """Return the source of a dataset of the hub.

    Downloaded text is stored in shards under `root`, so an interrupted download continues where it stopped.
    Raises ConfigError without a revision, CorpusError when `datasets` is missing, the hub does not answer, or
    a row lacks the field.
    """
    dataset, revision, files = (
        str(config.options["dataset"]),
        config.options.get("revision"),
        config.options.get("data_files"),
    )
    if dataset not in _BUILDERS and not revision:
        raise ConfigError(
            f"corpus.revision is not set for {dataset!r}; give the commit of the dataset, so that the text "
            f"stays the same"
        )
    remote = dataset not in _BUILDERS or "://" in json.dumps(files)
    request = json.dumps([config.options.get(key) for key in _TEXT], default=str)
    shards = Shards(root / f"fetched-{config.name}-{hashlib.sha256(request.encode()).hexdigest()[:8]}")

    def documents() -> Iterator[bytes]:
        if not remote:
            return (_text(row, config, number) for number, (row, _) in enumerate(_rows(config, 0, None)))
        shards.fetch(lambda skip, state: _packed(config, skip, state))
        return shards.documents()

    def rows() -> Iterator[Mapping[str, Any]]:
        return map(json.loads, documents()) if remote else (_flat(row) for row, _ in _rows(config, 0, None))

    kind = "read by datasets" if dataset in _BUILDERS else "Hugging Face hub"
    where = f"{kind}: {dataset} {config.options.get('subset') or ''}".strip()
    return Source(
        origin=f"{where}, split {config.options['split']}",
        licence="see the dataset's card" if dataset not in _BUILDERS else "unknown: the owner's own text",
        fingerprint={"dataset": dataset, "revision": revision, "files": _stamps(files)},
        documents=documents,
        rows=rows,
    )


def _packed(config: CorpusConfig, skip: int, state: Any) -> Iterator[tuple[bytes, Callable[[], Any]]]:
    """Yield, for a shard, the text of every row, or all its fields when the config needs an answer."""
    for number, (row, remember) in enumerate(_rows(config, skip, state), start=skip):
        if "label" in config.options or "target" in config.options:
            yield json.dumps(_flat(row), default=str).encode(), remember
        else:
            yield _text(row, config, number), remember


def _rows(
    config: CorpusConfig, skip: int, state: Any
) -> Iterator[tuple[Mapping[str, Any], Callable[[], Any]]]:
    """Yield (row, function that returns the state of the stream after it), starting at row `skip`."""
    try:
        import datasets
    except ModuleNotFoundError:
        raise CorpusError(
            "corpus 'hub' needs the package datasets; type: pip install 'scaling[train]'"
        ) from None
    dataset, limit = config.options["dataset"], config.options.get("max_documents")
    try:
        loaded = datasets.load_dataset(
            dataset,
            config.options.get("subset"),
            split=config.options["split"],
            revision=config.options.get("revision"),
            data_files=config.options.get("data_files"),
            streaming=config.options["streaming"],
        )
        remember = getattr(loaded, "state_dict", dict)
        if state and hasattr(loaded, "load_state_dict"):
            loaded.load_state_dict(state)
        elif skip:
            loaded = loaded.skip(skip)
        for row in islice(loaded, None if limit is None else max(limit - skip, 0)):
            yield row, remember
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        first = str(error).strip().split("\n")[0]
        raise CorpusError(
            f"{dataset} cannot be loaded: {first}; check corpus.dataset, subset, split, revision and the "
            f"connection"
        ) from error


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested fields under dotted names, such as `translation.en`."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        flat.update(
            {f"{key}.{k}": v for k, v in _flat(value).items()} if isinstance(value, Mapping) else {key: value}
        )
    return flat


def _text(row: Mapping[str, Any], config: CorpusConfig, number: int) -> bytes:
    field, where = config.options["field"], f"{config.options['dataset']} row {number}"
    if field not in row:
        raise CorpusError(
            f"{where} has no field {field!r}; it has {', '.join(map(repr, row))}; set corpus.field to one"
        )
    if not isinstance(row[field], str):
        raise CorpusError(
            f"{where}: field {field!r} holds {type(row[field]).__name__}, not text; set corpus.field to a "
            f"field of text"
        )
    return str(row[field]).replace("\0", "?").encode("utf-8", errors="replace")


def _stamps(files: Any) -> Any:
    """Return the size and time of every local file in `files`, so that a changed file changes the corpus."""
    if isinstance(files, Mapping):
        return {key: _stamps(value) for key, value in files.items()}
    if isinstance(files, list | tuple):
        return [_stamps(value) for value in files]
    if files is None:
        return None
    path = Path(files)
    return [path.name, path.stat().st_size, path.stat().st_mtime_ns] if path.is_file() else str(files)
