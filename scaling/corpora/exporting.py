"""Convert the tokeniser of a corpus to a `transformers` tokeniser, for the folder of an exported model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaling.corpora.tokenizers import END, Bytes, Learned, Tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer as LibraryTokenizer
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


def to_transformers(tokenizer: Tokenizer, *, context: int) -> PreTrainedTokenizerFast | None:
    """Return a `transformers` tokeniser with the same tokens; None for a synthetic language.

    The separator of the corpus becomes the begin, end and padding token, because our models are trained with
    no other special token.

    Args:
        tokenizer: tokeniser of a corpus.
        context: most tokens that the model reads.
    """
    from transformers import PreTrainedTokenizerFast

    if isinstance(tokenizer, Bytes):
        library, end = _bytes(tokenizer), END
    elif isinstance(tokenizer, Learned):
        library = tokenizer.library
        end = str(library.id_to_token(tokenizer.separator))
    else:
        return None
    fast: PreTrainedTokenizerFast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=library,
        bos_token=end,
        eos_token=end,
        pad_token=end,
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )
    return fast


def ends_as(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> None:
    """Set the end token of a causal model, so that `generate` stops there. Other models are not changed."""
    if model.config.is_encoder_decoder or not model.can_generate():
        return
    end = tokenizer.eos_token_id
    for settings in (model.config, model.generation_config):
        settings.bos_token_id = settings.eos_token_id = end
    # set in the generation config only: a padding token in the model's config would freeze its embedding
    model.generation_config.pad_token_id = end


def _bytes(tokenizer: Bytes) -> LibraryTokenizer:
    """Return byte-pair encoding without merges: the token id of a byte is its value; byte 0 is the end."""
    from tokenizers import Tokenizer as LibraryTokenizer
    from tokenizers import decoders, models, pre_tokenizers
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    alphabet: dict[int, str] = bytes_to_unicode()  # type: ignore[no-untyped-call]
    letters = {letter: byte for byte, letter in alphabet.items() if byte != tokenizer.separator}
    library = LibraryTokenizer(models.BPE(vocab={END: int(tokenizer.separator or 0), **letters}, merges=[]))
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    library.decoder = decoders.ByteLevel()
    return library
