"""A corpus's tokeniser as `transformers` has them: an exported folder then reads and writes text anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaling.corpora.tokenizers import END, Bytes, Learned, Tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Kept
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


def to_transformers(tokenizer: Tokenizer, *, context: int) -> PreTrainedTokenizerFast | None:
    """The same tokens for the same text; None for the symbols of a synthetic language, which are no text.

    Args:
        tokenizer: of a corpus.
        context: the most tokens that the model reads.

    The token between documents ends and begins a text, and fills up a batch: a model of ours has never seen
    another that could.
    """
    from transformers import PreTrainedTokenizerFast

    if isinstance(tokenizer, Bytes):
        kept, end = _bytes(tokenizer), END
    elif isinstance(tokenizer, Learned):
        kept = tokenizer.kept
        end = str(kept.id_to_token(tokenizer.separator))
    else:
        return None
    made: PreTrainedTokenizerFast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=kept,
        bos_token=end,
        eos_token=end,
        pad_token=end,
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )
    return made


def ends_as(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> None:
    """Tells a causal model which token ends a text, so that `generate` stops there; others keep the tokens
    of their own that they begin and fill up with."""
    if model.config.is_encoder_decoder or not model.can_generate():
        return
    end = tokenizer.eos_token_id
    for settings in (model.config, model.generation_config):
        settings.bos_token_id = settings.eos_token_id = end
    # not in the config of the model, whose embedding of that token would then learn no more
    model.generation_config.pad_token_id = end


def _bytes(tokenizer: Bytes) -> Kept:
    """Byte-pair encoding without a pair: each byte is a token whose number is the byte, byte 0 the end."""
    from tokenizers import Tokenizer as Kept
    from tokenizers import decoders, models, pre_tokenizers
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    alphabet: dict[int, str] = bytes_to_unicode()  # type: ignore[no-untyped-call]
    letters = {letter: byte for byte, letter in alphabet.items() if byte != tokenizer.separator}
    kept = Kept(models.BPE(vocab={END: int(tokenizer.separator or 0), **letters}, merges=[]))
    kept.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    kept.decoder = decoders.ByteLevel()
    return kept
