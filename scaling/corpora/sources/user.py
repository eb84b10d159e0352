"""Open a source in a user's own file: `corpus=path.py:name`.

    from pathlib import Path
    from scaling.corpora.sources import Source

    def novels(folder="novels"):
        files = sorted(Path(folder).glob("*.txt"))
        return Source(
            origin="my novels",
            licence="mine",
            fingerprint={"sizes": [file.stat().st_size for file in files]},
            documents=lambda: (file.read_bytes() for file in files),
        )

The name in the file is a function that returns a `Source`. Its arguments are keys of the corpus:
`corpus=path.py:novels +corpus.folder=drafts`. The corpus has the function's name unless `corpus.name` is set.
A source with `rows` also serves classification, with `+corpus.label=FIELD`, and translation, with
`+corpus.target=FIELD`. In a sweep file: `corpus: {name: novels, source: "path.py:novels"}`. The path is
looked up in the working folder, then in the checkout. The text is prepared again when the file changes.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from scaling import user_file
from scaling.config import CorpusConfig
from scaling.corpora.sources import COMMON, Source
from scaling.errors import ConfigError, CorpusError, one_of


def source(config: CorpusConfig, root: Path) -> Source:
    """Return the source that the user's function returns.

    Raises CorpusError when the file is missing; ConfigError for a function that is missing, does not take
    the keys, or does not return a `Source`.
    """
    del root
    path, _, name = config.source.rpartition(":")
    file = user_file.find(path)
    if file is None:
        raise CorpusError(
            f"there is no file {path!r} for the corpus; give corpus=path.py:name with a file that exists "
            f"(those below analysis/ come with a checkout of the project, not with the package)"
        )
    module = user_file.run(file)
    functions = {
        key: value
        for key, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not key.startswith("_")
    }
    if name not in functions:
        raise ConfigError(one_of(f"a function of {path}", name, functions or ["(none)"]))
    arguments = {key: value for key, value in config.options.items() if key not in COMMON}
    signature = inspect.signature(functions[name])
    try:
        signature.bind(**arguments)
    except TypeError as error:
        raise ConfigError(
            f"{name} in {path} does not take these keys of the corpus: {error}; its arguments are "
            f"{', '.join(signature.parameters) or '(none)'}"
        ) from None
    with user_file.blamed(f"{name} in {path} fails"):
        result = functions[name](**arguments)
    if not isinstance(result, Source):
        raise ConfigError(f"{name} in {path} must return a Source; not {type(result).__name__}")
    fingerprint = {**result.fingerprint, "file": user_file.digest(file)[:16]}
    return dataclasses.replace(
        result,
        fingerprint=fingerprint,
        documents=result.documents and (lambda: _documents(config.source, result)),
        rows=result.rows and (lambda: _rows(config.source, result)),
    )


def _documents(name: str, source: Source) -> Iterator[bytes]:
    """Yield the documents of a user's source. Raises ConfigError when its code fails or yields no text."""
    assert source.documents is not None
    for number, document in enumerate(_yielded(name, source.documents), start=1):
        try:
            document.decode("utf-8")
        except (AttributeError, TypeError):
            raise ConfigError(
                f"document {number} of {name} is {type(document).__name__}; a document is bytes of UTF-8"
            ) from None
        except UnicodeDecodeError as error:
            raise ConfigError(f"document {number} of {name} is not UTF-8 ({error.reason})") from None
        yield document


def _rows(name: str, source: Source) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a user's source. Raises ConfigError when its code fails or yields no mappings."""
    assert source.rows is not None
    for number, row in enumerate(_yielded(name, source.rows), start=1):
        if not isinstance(row, Mapping):
            raise ConfigError(f"row {number} of {name} is {type(row).__name__}; its rows must be mappings")
        yield row


def _yielded(name: str, make: Callable[[], Iterable[Any]]) -> Iterator[Any]:
    """Yield what a user's function makes. Raises ConfigError when it fails."""
    with user_file.blamed(f"{name} fails"):
        source = iter(make())
    while True:
        with user_file.blamed(f"{name} fails"):
            try:
                item = next(source)
            except StopIteration:
                return
        yield item
