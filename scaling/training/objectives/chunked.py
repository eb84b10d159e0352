"""Compute the cross-entropy in chunks of tokens, without the logits of all tokens in memory.

The backward pass computes the logits again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from scaling.errors import ConfigError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Deferred:
    """Logits (n, vocab) of a language model that are computed only when the loss needs them.

    For a vocabulary of 50 257 and a micro-batch of 16 384 tokens, the logits, their float32 copy and their
    gradient take 3 × 3.3 GB. A chunk of 1 024 tokens takes a sixteenth, for one more pass of the head.
    """

    features: Tensor
    """Inputs of the head, (n, width)."""
    weight: Tensor
    """Weight of the head, (vocab, width)."""
    tokens: int
    """Tokens per chunk."""
    ndim: int = 2
    """Number of dimensions of the logits."""

    def losses(self, loss: Callable[[Tensor, Tensor], Tensor], targets: Tensor) -> Tensor:
        """Return the loss of every target (n,); `loss` takes logits (c, vocab) and targets (c,)."""

        def chunk(features: Tensor, weight: Tensor, some: Tensor) -> Tensor:
            return loss(F.linear(features, weight), some)

        pairs = list(
            zip(torch.split(self.features, self.tokens), torch.split(targets, self.tokens), strict=True)
        )
        if not torch.is_grad_enabled():
            return torch.cat([chunk(features, self.weight, some) for features, some in pairs])
        # a chunk draws no random numbers, so the state of the generator is not saved
        again = partial(checkpoint, chunk, use_reentrant=False, preserve_rng_state=False)
        return torch.cat([again(features, self.weight, some) for features, some in pairs])

    def argmax(self, axis: int = -1) -> Tensor:
        """Return the likeliest class of every token: int64 (n,)."""
        del axis
        parts = torch.split(self.features, self.tokens)
        return torch.cat([F.linear(features, self.weight).argmax(-1) for features in parts])


class Headless(nn.Module):
    """A decoder without its output layer, whose forward pass returns the fields of a Deferred."""

    def __init__(self, module: nn.Module, tokens: int) -> None:
        super().__init__()
        if not hasattr(module, "features"):
            raise ConfigError(
                f"device.loss_chunk is {tokens!r} and {type(module).__name__} does not support a loss in "
                f"chunks; set device.loss_chunk=null, or choose a family of our own decoder, such as llama"
            )
        if not (isinstance(tokens, int) and tokens >= 1):
            raise ConfigError(
                f"device.loss_chunk is {tokens!r}; it must be a number of tokens, 1 or more, or null"
            )
        self.module, self.tokens = module, tokens

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor, int]:
        """Return features (sequences, context, width), head weight (vocab, width) and tokens per chunk."""
        module: Any = self.module
        head = module.embedding if module.head is None else module.head
        return module.features(tokens), head.weight, self.tokens
