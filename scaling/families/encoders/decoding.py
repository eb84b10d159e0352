"""Generate the target of an encoder–decoder, by greedy or beam search."""

from __future__ import annotations

import torch
from torch import Tensor

from scaling.errors import ConfigError
from scaling.families.encoders.seq2seq_module import EncoderDecoder


@torch.no_grad()
def greedy(
    module: EncoderDecoder,
    source: Tensor,
    *,
    length: int,
    end: int | None = None,
    padding: Tensor | None = None,
) -> Tensor:
    """Return the targets of greedy search: the most likely token at every step.

    Args:
        module: in evaluation mode.
        source: (batch, S) int64.
        length: most tokens to generate, at most the context.
        end: the token that ends a target; it also fills the positions after the end.
        padding: (batch, S) bool, true where the source has no token.

    Returns:
        (batch, ≤ length) int64, without the start token.
    """
    return beam(module, source, width=1, length=length, end=end, padding=padding)


@torch.no_grad()
def beam(
    module: EncoderDecoder,
    source: Tensor,
    *,
    width: int,
    length: int,
    end: int | None = None,
    padding: Tensor | None = None,
    penalty: float = 0.0,
) -> Tensor:
    """Return the targets of beam search, which keeps the best `width` targets at every step.

    Args:
        module, source, length, end, padding: as in `greedy`.
        width: number of targets kept for each source.
        penalty: exponent of the length penalty: log-likelihoods are divided by length ** penalty. 0 = none.

    Returns:
        (batch, ≤ length) int64, without the start token.

    Raises:
        ConfigError: when width or length is below 1, or length exceeds the context.
    """
    if width < 1 or not 1 <= length <= module.shape.context:
        raise ConfigError(
            f"a beam needs a width from 1 and a length from 1 to the context {module.shape.context}; "
            f"not {width} and {length}"
        )
    batch, vocab, device = source.shape[0], module.shape.vocab, source.device
    memory = module.encode(source, padding).repeat_interleave(width, dim=0)
    hidden = None if padding is None else padding.repeat_interleave(width, dim=0)
    written = torch.full((batch * width, 1), module.start_token, device=device)
    scores = torch.full((batch, width), float("-inf"), device=device)
    # all beams of a source start with the same token, so only the first beam may branch
    scores[:, 0] = 0.0
    lengths = torch.zeros(batch, width, device=device)
    done = torch.zeros(batch, width, dtype=torch.bool, device=device)
    for _ in range(length):
        logits = (
            module.decode(written, memory, hidden)[:, -1]
            .float()
            .log_softmax(dim=-1)
            .view(batch, width, vocab)
        )
        if end is not None:
            # a target that has ended continues with the end token, at probability 1
            logits = logits.masked_fill(done[..., None], float("-inf"))
            logits[..., end] = torch.where(done, 0.0, logits[..., end])
        total = scores[..., None] + logits
        grown = (lengths + ~done)[..., None].expand_as(total)
        best = (total / grown.clamp(min=1) ** penalty).flatten(1).topk(width, dim=1).indices
        beams, tokens = best // vocab, best % vocab
        scores, lengths = total.flatten(1).gather(1, best), grown.flatten(1).gather(1, best)
        done = done.gather(1, beams)
        rows = (torch.arange(batch, device=device)[:, None] * width + beams).flatten()
        written = torch.cat((written[rows], tokens.flatten()[:, None]), dim=1)
        if end is not None:
            done = done | (tokens == end)
            if bool(done.all()):
                break
    winner = (scores / lengths.clamp(min=1) ** penalty).argmax(dim=1)
    return written.view(batch, width, -1)[torch.arange(batch, device=device), winner, 1:]
