"""The masked language model as a torch module."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scaling.errors import ShapeError
from scaling.families.decoder.layers import make_norm, rotation, sinusoids
from scaling.families.decoder.module import Block
from scaling.families.decoder.switches import Switches
from scaling.families.shape import Shape


class Encoder(nn.Module):
    """An encoder: tokens, some masked, (batch, T) int64 → logits of the original tokens (batch, T, vocab)."""

    def __init__(self, shape: Shape, switches: Switches) -> None:
        super().__init__()
        self.shape, self.switches = shape, switches
        self.mask_token = shape.vocab
        self.embedding = nn.Embedding(shape.vocab + 1, shape.width)
        self.position = nn.Embedding(shape.context, shape.width) if switches.position == "learned" else None
        post = switches.norm_position == "post"
        self.embedding_norm = make_norm(shape.width, switches) if post else None
        self.blocks = nn.ModuleList(Block(shape, switches, causal=False) for _ in range(shape.depth))
        self.norm = None if post else make_norm(shape.width, switches)
        self.transform = nn.Linear(shape.width, shape.width)
        self.transform_norm = make_norm(shape.width, switches)
        self.head_bias = nn.Parameter(torch.zeros(shape.vocab))
        for name in ("cos", "sin", "sinusoids"):
            self.register_buffer(name, None, persistent=False)
        self.fill_tables()

    def fill_tables(self) -> None:
        """Compute the tables of positions on the CPU."""
        shape, switches = self.shape, self.switches
        if switches.position == "rope":
            self.cos, self.sin = rotation(shape.context, shape.head_dim, switches.rope_base)
        if switches.position == "sinusoidal":
            self.sinusoids = sinusoids(shape.context, shape.width)

    def forward(self, tokens: Tensor, padding: Tensor | None = None) -> Tensor:
        """Return the logits of the original token at each position, (batch, T, vocab).

        Args:
            tokens: (batch, T) int64, T at most the context; `mask_token` where a token is masked.
            padding: (batch, T) bool, true where there is no token; no position attends to these.

        Raises:
            ShapeError: when there are more tokens than the context.
        """
        x = self.features(tokens, padding)
        x = self.transform_norm(F.gelu(self.transform(x)))
        return F.linear(x, self.embedding.weight[: self.shape.vocab], self.head_bias)

    def features(self, tokens: Tensor, padding: Tensor | None = None) -> Tensor:
        """Return the input of the head, (batch, T, width). Arguments and errors are those of `forward`."""
        length = tokens.shape[1]
        if length > self.shape.context:
            raise ShapeError(
                f"{length} tokens do not fit a context of {self.shape.context}; cut the sequences"
            )
        x = self.embedding(tokens)
        if self.position is not None:
            x = x + self.position.weight[:length]
        elif self.sinusoids is not None:
            x = x + self.sinusoids[:length]
        if self.embedding_norm is not None:
            x = self.embedding_norm(x)
        if self.switches.dropout and self.training:
            x = F.dropout(x, self.switches.dropout)
        cos, sin = (None, None) if self.cos is None else (self.cos[:length], self.sin[:length])
        bias = None if padding is None else hide(padding, x.dtype)
        for block in self.blocks:
            x = block(x, cos, sin, bias)
        if self.norm is not None:
            x = self.norm(x)
        features: Tensor = x
        return features


def hide(padding: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the bias that masks padding in the scores: (batch, T) bool → (batch, 1, 1, T), 0 or −inf."""
    return torch.zeros(padding.shape, dtype=dtype, device=padding.device).masked_fill(padding, -math.inf)[
        :, None, None
    ]


def component_of(parameter: str) -> str:
    """Return the component that a named parameter of the encoder belongs to."""
    first, *rest = parameter.split(".")
    if first in ("embedding", "position"):
        return first
    if first in ("transform", "head_bias", "classifier"):
        return "head"
    if first == "blocks" and rest[1] == "attention" and not rest[2].endswith("gain"):
        return "attention_projection"
    return "mlp" if first == "blocks" and rest[1] == "mlp" else "norm"


@torch.no_grad()
def initialise(module: Encoder, *, seed: int) -> None:
    """Draw all weights from one generator with this seed.

    Matrices have variance 1/fan_in; embeddings are drawn like a tied embedding of the decoder.
    """
    generator = torch.Generator().manual_seed(seed)
    table = 0.02 * math.sqrt(768 / module.shape.width)
    for name, parameter in module.named_parameters():
        if name.endswith("bias"):
            parameter.zero_()
        elif component_of(name) == "norm":
            parameter.fill_(1.0)
        elif component_of(name) in ("embedding", "position"):
            parameter.normal_(0, table, generator=generator)
        else:
            parameter.normal_(0, 1 / math.sqrt(parameter.shape[-1]), generator=generator)


def build(shape: Shape, switches: Switches, *, seed: int) -> Encoder:
    """Return an encoder on the CPU in float32; its weights depend only on shape, switches and seed."""
    with torch.device("meta"):
        module = Encoder(shape, switches)
    module.to_empty(device="cpu")
    module.fill_tables()
    initialise(module, seed=seed)
    return module
