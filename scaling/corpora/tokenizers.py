"""Turn text into tokens: bytes, byte-pair encoding learnt on the training text, or any `tokenizer.json`."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from scaling import files
from scaling.errors import ConfigError, CorpusError

if TYPE_CHECKING:
    from tokenizers import Tokenizer as LibraryTokenizer

FILE = "tokenizer.json"
END = "<|endoftext|>"
_ENDS = (END, "</s>", "<eos>", "<|end_of_text|>", "[SEP]", "<s>")
# byte-pair counts converge on far less text, and the trainer holds every distinct word in memory
_LEARN_BYTES = 1 << 28


class Tokenizer(Protocol):
    """A tokeniser: it turns documents into tokens."""

    @property
    def name(self) -> str:
        """Name in the manifest."""
        ...

    @property
    def vocab(self) -> int:
        """Number of token ids."""
        ...

    @property
    def separator(self) -> int | None:
        """Token that ends every document; None for a synthetic language."""
        ...

    @property
    def byte_lengths(self) -> np.ndarray | None:
        """Bytes of text of each token, float64 (vocab,); the separator counts as one byte.

        None when the bytes of a token are not fixed.
        """
        ...

    def encode(self, documents: Sequence[bytes]) -> list[np.ndarray]:
        """Return one array of token ids for each UTF-8 document, without the separator."""
        ...

    def decode(self, tokens: np.ndarray) -> str:
        """Return the text of token ids."""
        ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bytes:
    """A tokeniser with one token for each byte of UTF-8; byte 0, which text does not use, ends a document."""

    name: str = "bytes"
    vocab: int = 256
    separator: int | None = 0

    @property
    def byte_lengths(self) -> np.ndarray:
        """One byte for each token."""
        return np.ones(self.vocab)

    def encode(self, documents: Sequence[bytes]) -> list[np.ndarray]:
        """Return one uint8 array for each UTF-8 document."""
        return [np.frombuffer(document, dtype=np.uint8) for document in documents]

    def decode(self, tokens: np.ndarray) -> str:
        """Return the text of token ids; an incomplete or invalid byte sequence becomes U+FFFD."""
        return np.asarray(tokens).astype(np.uint8).tobytes().decode("utf-8", errors="replace")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Symbols:
    """The tokeniser of a synthetic language: symbols are ids from 0, written in decimal; no separator."""

    vocab: int
    name: str = "symbols"
    separator: int | None = None

    @property
    def byte_lengths(self) -> np.ndarray:
        """One byte for each symbol, so the bits per byte of a synthetic language are bits per symbol."""
        return np.ones(self.vocab)

    def encode(self, documents: Sequence[bytes]) -> list[np.ndarray]:
        """Return the ids of decimal numbers separated by spaces, so that a user can write a prompt."""
        return [np.array(document.split(), dtype=np.uint32) for document in documents]

    def decode(self, tokens: np.ndarray) -> str:
        """Return ids as decimal numbers separated by spaces."""
        return " ".join(map(str, np.asarray(tokens).tolist()))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Learned:
    """A tokeniser of the `tokenizers` library."""

    name: str
    """`bpe:SIZE` when it was learnt on the corpus, else `file:` and the first 16 digits of its SHA-256."""
    text: str
    """Content of the `tokenizer.json`."""

    @cached_property
    def library(self) -> LibraryTokenizer:
        """Tokeniser object of the library."""
        try:
            from tokenizers import Tokenizer as LibraryTokenizer
        except ModuleNotFoundError:
            raise CorpusError(_NEEDED) from None
        try:
            return LibraryTokenizer.from_str(self.text)
        except Exception as error:  # the library raises a bare Exception
            raise CorpusError(
                f"tokenizer {self.name} cannot be read ({error}); give a tokenizer.json"
            ) from None

    @property
    def vocab(self) -> int:
        """Number of token ids, including special tokens."""
        return 1 + max(self.library.get_vocab(with_added_tokens=True).values())

    @cached_property
    def separator(self) -> int:
        """Id of the first end-of-text token in the vocabulary. Raises CorpusError when there is none."""
        ends = [number for end in _ENDS if (number := self.library.token_to_id(end)) is not None]
        if not ends:
            raise CorpusError(
                f"tokenizer {self.name} has no token that ends a text; add one of {', '.join(_ENDS)}"
            )
        return ends[0]

    @cached_property
    def byte_lengths(self) -> np.ndarray | None:
        """Bytes of each token, for byte-level tokenisers, which write every byte as one letter; else None."""
        if '"ByteLevel"' not in self.text or '"normalizer":null' not in re.sub(r"\s", "", self.text):
            return None
        lengths = np.ones(self.vocab)
        for token, number in self.library.get_vocab(with_added_tokens=False).items():
            lengths[number] = len(token)
        lengths[self.separator] = 1
        return lengths

    def encode(self, documents: Sequence[bytes]) -> list[np.ndarray]:
        """Return one uint32 array for each UTF-8 document."""
        texts = [document.decode("utf-8") for document in documents]
        encoded = self.library.encode_batch_fast(texts, add_special_tokens=False)
        return [np.array(each.ids, dtype=np.uint32) for each in encoded]

    def decode(self, tokens: np.ndarray) -> str:
        """Return the text of token ids."""
        return str(self.library.decode(np.asarray(tokens).tolist(), skip_special_tokens=False))


_NEEDED = "this tokenizer needs the package tokenizers; type: pip install 'scaling[train]'"


def dtype(vocab: int) -> str:
    """Return the smallest little-endian unsigned type that holds every token id."""
    return "uint8" if vocab <= 1 << 8 else "<u2" if vocab <= 1 << 16 else "<u4"


def identity(name: str) -> str:
    """Return the identity of a `corpus.tokenizer`; equal identities give equal tokens.

    Raises ConfigError for anything but `bytes`, `symbols`, `bpe:SIZE` or the path of a tokenizer.json.
    """
    if name in ("bytes", "symbols"):
        return name
    if match := re.fullmatch(r"bpe:(\d+)", name):
        if not 257 <= int(match[1]) <= 1 << 20:
            raise ConfigError(
                f"corpus.tokenizer is {name!r}; bpe takes 257 tokens (256 bytes and an end) or more"
            )
        return name
    if name.endswith(".json"):
        path = Path(name).expanduser()
        if not path.is_file():
            raise ConfigError(
                f"there is no tokenizer at {path}; set corpus.tokenizer to a tokenizer.json that exists"
            )
        return f"file:{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
    raise ConfigError(
        f"corpus.tokenizer must be bytes, bpe:SIZE or the path of a tokenizer.json; not {name!r}"
    )


def make(name: str, texts: Iterable[bytes]) -> Bytes | Learned:
    """Return the tokeniser of a `corpus.tokenizer`; `bpe` learns from `texts`, the training documents.

    Raises ConfigError for an unknown name, CorpusError when the text is too small for the vocabulary.
    """
    kind = identity(name)
    if kind == "bytes":
        return Bytes()
    if kind == "symbols":
        raise ConfigError(
            "corpus.tokenizer 'symbols' is for synthetic languages; text takes bytes or bpe:SIZE"
        )
    if kind.startswith("file:"):
        return Learned(name=kind, text=Path(name).expanduser().read_text(encoding="utf-8"))
    return _learn(int(kind.removeprefix("bpe:")), texts)


def load(name: str, vocab: int, folder: Path) -> Tokenizer:
    """Return the tokeniser of a corpus on disk."""
    if name == "bytes":
        return Bytes()
    if name == "symbols":
        return Symbols(vocab=vocab)
    return Learned(name=name, text=files.content(folder / FILE).decode())


def _learn(size: int, texts: Iterable[bytes]) -> Learned:
    """Learn byte-level byte-pair encoding with `size` tokens; token 0 ends a text.

    Source: Sennrich et al. 2016, arXiv 1508.07909.
    """
    try:
        from tokenizers import Tokenizer as LibraryTokenizer
        from tokenizers import decoders, models, pre_tokenizers, trainers
    except ModuleNotFoundError:
        raise CorpusError(_NEEDED) from None
    library = LibraryTokenizer(models.BPE())
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    library.train_from_iterator(_first(texts, _LEARN_BYTES), trainer)
    if library.get_vocab_size() < size:
        raise CorpusError(
            f"the training text is too small for bpe:{size}: it gives {library.get_vocab_size():,} tokens; "
            f"ask for at most bpe:{library.get_vocab_size()}"
        )
    return Learned(name=f"bpe:{size}", text=library.to_str())


def _first(texts: Iterable[bytes], limit: int) -> Iterator[str]:
    """Return texts up to a total of `limit` bytes."""
    lengths = accumulate(((text, len(text)) for text in texts), lambda a, b: (b[0], a[1] + b[1]))
    return (text.decode("utf-8") for text, total in takewhile(lambda pair: pair[1] <= limit, lengths))
