"""Text to tokens: bytes, byte-pair encoding learnt on the training text, or any `tokenizer.json`."""

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

from scaling.errors import ConfigError, CorpusError

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Kept

FILE = "tokenizer.json"
END = "<|endoftext|>"
_ENDS = (END, "</s>", "<eos>", "<|end_of_text|>", "[SEP]", "<s>")
# byte-pair counts settle long before this much text, and the trainer holds every distinct word in memory
_LEARN_BYTES = 1 << 28


class Tokenizer(Protocol):
    """What turns documents into tokens."""

    @property
    def name(self) -> str:
        """What the manifest calls it."""
        ...

    @property
    def vocab(self) -> int:
        """Number of token ids."""
        ...

    @property
    def separator(self) -> int | None:
        """The token that ends every document."""
        ...

    @property
    def byte_lengths(self) -> np.ndarray | None:
        """Bytes of text that each token stands for, the separator for one: float64 (vocab,); None when not
        fixed."""
        ...

    def encode(self, documents: Sequence[bytes]) -> list[np.ndarray]:
        """UTF-8 documents → one array of token ids each, without the separator."""
        ...

    def decode(self, tokens: np.ndarray) -> str:
        """Token ids → text."""
        ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bytes:
    """One token a byte of UTF-8; byte 0, which text does not use, ends a document."""

    name: str = "bytes"
    vocab: int = 256
    separator: int | None = 0

    @property
    def byte_lengths(self) -> np.ndarray:
        """One each."""
        return np.ones(self.vocab)

    def encode(self, documents: Sequence[bytes]) -> list[np.ndarray]:
        """UTF-8 documents → uint8 arrays."""
        return [np.frombuffer(document, dtype=np.uint8) for document in documents]

    def decode(self, tokens: np.ndarray) -> str:
        """Token ids → text; a cut or impossible byte sequence shows as U+FFFD."""
        return np.asarray(tokens).astype(np.uint8).tobytes().decode("utf-8", errors="replace")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Symbols:
    """The symbols of a synthetic language, which is no text: ids from 0, written in decimal; no separator."""

    vocab: int
    name: str = "symbols"
    separator: int | None = None

    @property
    def byte_lengths(self) -> np.ndarray:
        """One each: bits per byte of a synthetic language are bits per symbol."""
        return np.ones(self.vocab)

    def encode(self, documents: Sequence[bytes]) -> list[np.ndarray]:
        """Decimal numbers with spaces between → ids, so that a prompt can be written."""
        return [np.array(document.split(), dtype=np.uint32) for document in documents]

    def decode(self, tokens: np.ndarray) -> str:
        """Ids → decimal numbers with spaces between."""
        return " ".join(map(str, np.asarray(tokens).tolist()))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Learned:
    """A tokeniser of the `tokenizers` library."""

    name: str
    """`bpe:SIZE` when it was learnt here, else `file:` and the beginning of its SHA-256."""
    text: str
    """The `tokenizer.json`, whole."""

    @cached_property
    def kept(self) -> Kept:
        """The library's own object."""
        try:
            from tokenizers import Tokenizer as Kept
        except ModuleNotFoundError:
            raise CorpusError(_NEEDED) from None
        try:
            return Kept.from_str(self.text)
        except Exception as error:  # the library raises a bare Exception
            raise CorpusError(
                f"tokenizer {self.name} cannot be read ({error}); give a tokenizer.json"
            ) from None

    @property
    def vocab(self) -> int:
        """Number of token ids, special ones among them."""
        return 1 + max(self.kept.get_vocab(with_added_tokens=True).values())

    @cached_property
    def separator(self) -> int:
        """The first end-of-text token that it knows."""
        found = [number for end in _ENDS if (number := self.kept.token_to_id(end)) is not None]
        if not found:
            raise CorpusError(
                f"tokenizer {self.name} has no token that ends a text; add one of {', '.join(_ENDS)}"
            )
        return found[0]

    @cached_property
    def byte_lengths(self) -> np.ndarray | None:
        """Of byte-level tokenisers: they write every byte as one letter."""
        if '"ByteLevel"' not in self.text or '"normalizer":null' not in re.sub(r"\s", "", self.text):
            return None
        lengths = np.ones(self.vocab)
        for token, number in self.kept.get_vocab(with_added_tokens=False).items():
            lengths[number] = len(token)
        lengths[self.separator] = 1
        return lengths

    def encode(self, documents: Sequence[bytes]) -> list[np.ndarray]:
        """UTF-8 documents → uint32 arrays, in the library's own batches."""
        texts = [document.decode("utf-8") for document in documents]
        encoded = self.kept.encode_batch_fast(texts, add_special_tokens=False)
        return [np.array(each.ids, dtype=np.uint32) for each in encoded]

    def decode(self, tokens: np.ndarray) -> str:
        """Token ids → text."""
        return str(self.kept.decode(np.asarray(tokens).tolist(), skip_special_tokens=False))


_NEEDED = "this tokenizer needs the package tokenizers; type: pip install 'scaling[train]'"


def dtype(vocab: int) -> str:
    """The smallest little-endian unsigned type that holds every token id."""
    return "uint8" if vocab <= 1 << 8 else "<u2" if vocab <= 1 << 16 else "<u4"


def identity(asked: str) -> str:
    """What `corpus.tokenizer` asks for, such that equal identities give equal tokens.

    Raises ConfigError for anything but `bytes`, `symbols`, `bpe:SIZE` or the path of a tokenizer.json.
    """
    if asked in ("bytes", "symbols"):
        return asked
    if found := re.fullmatch(r"bpe:(\d+)", asked):
        if not 257 <= int(found[1]) <= 1 << 20:
            raise ConfigError(
                f"corpus.tokenizer is {asked!r}; bpe takes 257 tokens (256 bytes and an end) or more"
            )
        return asked
    if asked.endswith(".json"):
        path = Path(asked).expanduser()
        if not path.is_file():
            raise ConfigError(
                f"there is no tokenizer at {path}; set corpus.tokenizer to a tokenizer.json that exists"
            )
        return f"file:{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
    raise ConfigError(
        f"corpus.tokenizer must be bytes, bpe:SIZE or the path of a tokenizer.json; not {asked!r}"
    )


def make(asked: str, texts: Iterable[bytes]) -> Bytes | Learned:
    """The tokeniser that `corpus.tokenizer` asks for; a learnt one sees only `texts`, the training documents.

    Raises ConfigError for a name that cannot be, CorpusError when the text is too small for the size asked.
    """
    name = identity(asked)
    if name == "bytes":
        return Bytes()
    if name == "symbols":
        raise ConfigError(
            "corpus.tokenizer 'symbols' is for synthetic languages; text takes bytes or bpe:SIZE"
        )
    if name.startswith("file:"):
        return Learned(name=name, text=Path(asked).expanduser().read_text(encoding="utf-8"))
    return _learn(int(name.removeprefix("bpe:")), texts)


def load(name: str, vocab: int, folder: Path) -> Tokenizer:
    """The tokeniser of a corpus on disk."""
    if name == "bytes":
        return Bytes()
    if name == "symbols":
        return Symbols(vocab=vocab)
    return Learned(name=name, text=(folder / FILE).read_text(encoding="utf-8"))


def _learn(size: int, texts: Iterable[bytes]) -> Learned:
    """Byte-level byte-pair encoding of `size` tokens (Sennrich et al. 2016, arXiv 1508.07909), the end of
    text first."""
    try:
        from tokenizers import Tokenizer as Kept
        from tokenizers import decoders, models, pre_tokenizers, trainers
    except ModuleNotFoundError:
        raise CorpusError(_NEEDED) from None
    kept = Kept(models.BPE())
    kept.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    kept.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    kept.train_from_iterator(_first(texts, _LEARN_BYTES), trainer)
    if kept.get_vocab_size() < size:
        raise CorpusError(
            f"the training text is too small for bpe:{size}: it gives {kept.get_vocab_size():,} tokens; "
            f"ask for at most bpe:{kept.get_vocab_size()}"
        )
    return Learned(name=f"bpe:{size}", text=kept.to_str())


def _first(texts: Iterable[bytes], limit: int) -> Iterator[str]:
    """Texts until `limit` bytes have gone by."""
    lengths = accumulate(((text, len(text)) for text in texts), lambda a, b: (b[0], a[1] + b[1]))
    return (text.decode("utf-8") for text, total in takewhile(lambda pair: pair[1] <= limit, lengths))
