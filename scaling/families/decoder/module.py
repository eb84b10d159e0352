"""The decoder as a torch module."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scaling.errors import ShapeError
from scaling.families.decoder.attention import Attention
from scaling.families.decoder.experts import Experts
from scaling.families.decoder.layers import MLP, attention_bias, make_norm, rotation, sinusoids
from scaling.families.decoder.switches import Switches
from scaling.families.shape import Shape


class Block(nn.Module):
    """One block: attention and MLP with their norms and residual sums."""

    def __init__(
        self, shape: Shape, switches: Switches, *, causal: bool = True, scale: float | None = None
    ) -> None:
        super().__init__()
        self.post = switches.norm_position == "post"
        self.parallel = switches.parallel
        self.scale = 1 / math.sqrt(2 * shape.depth) if switches.residual_scale == "branch" else 1.0
        self.dropout = switches.dropout
        self.norm1 = make_norm(shape.width, switches)
        self.attention = Attention(shape, switches, causal=causal, scale=scale)
        self.norm2 = None if switches.parallel else make_norm(shape.width, switches)
        self.mlp = Experts(shape, switches) if switches.experts else MLP(shape, switches)

    def _add(self, x: Tensor, branch: Tensor) -> Tensor:
        if self.scale != 1.0:
            branch = branch * self.scale
        if self.dropout and self.training:
            branch = F.dropout(branch, self.dropout)
        return x + branch

    def forward(self, x: Tensor, cos: Tensor | None, sin: Tensor | None, bias: Tensor | None) -> Tensor:
        """Return the output of the block, (batch, context, width); arguments as in `Attention.forward`."""
        if self.norm2 is None:
            seen = x if self.post else self.norm1(x)
            x = self._add(x, self.attention(seen, cos, sin, bias) + self.mlp(seen))
            y: Tensor = self.norm1(x) if self.post else x
            return y
        if self.post:
            x = self.norm1(self._add(x, self.attention(x, cos, sin, bias)))
            y = self.norm2(self._add(x, self.mlp(x)))
            return y
        x = self._add(x, self.attention(self.norm1(x), cos, sin, bias))
        return self._add(x, self.mlp(self.norm2(x)))


class Decoder(nn.Module):
    """A decoder: tokens (batch, T ≤ context) int64 → logits of each next token (batch, T, vocab)."""

    def __init__(self, shape: Shape, switches: Switches) -> None:
        super().__init__()
        self.shape, self.switches = shape, switches
        self.embedding = nn.Embedding(shape.vocab, shape.width)
        self.position = nn.Embedding(shape.context, shape.width) if switches.position == "learned" else None
        self.blocks = nn.ModuleList(Block(shape, switches) for _ in range(shape.depth))
        self.norm = make_norm(shape.width, switches) if switches.norm_position == "pre" else None
        self.head = None if switches.tied else nn.Linear(shape.width, shape.vocab, bias=False)
        for name in ("cos", "sin", "sinusoids", "bias"):
            # buffers move to the device with the module, but are no weights
            self.register_buffer(name, None, persistent=False)
        self.auxiliary_loss: Tensor | None = None
        self.fill_tables()

    def _blocks(self) -> list[Any]:
        return list(self.blocks)

    def fill_tables(self) -> None:
        """Compute the tables of positions and masks on the CPU."""
        shape, switches = self.shape, self.switches
        if switches.position == "rope":
            self.cos, self.sin = rotation(shape.context, shape.head_dim, switches.rope_base)
        if switches.position == "sinusoidal":
            self.sinusoids = sinusoids(shape.context, shape.width)
        self.bias = attention_bias(shape, switches)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits of the token after each position, (batch, T, vocab).

        Arguments and errors are those of `features`.
        """
        x = self.features(tokens)
        return F.linear(x, self.embedding.weight) if self.head is None else self.head(x)

    def features(self, tokens: Tensor) -> Tensor:
        """Return the input of the head at each position.

        Args:
            tokens: (batch, T) int64 with T at most the context that the module was built for.

        Returns:
            (batch, T, width). Position t depends only on the tokens up to t.

        Raises:
            ShapeError: when there are more tokens than the context.
        """
        length = tokens.shape[1]
        if length > self.shape.context:
            raise ShapeError(
                f"{length} tokens do not fit a context of {self.shape.context}; give the last ones only"
            )
        x = self.embedding(tokens)
        if self.switches.embedding_scale:
            x = x * math.sqrt(self.shape.width)
        if self.position is not None:
            x = x + self.position.weight[:length]
        elif self.sinusoids is not None:
            x = x + self.sinusoids[:length]
        if self.switches.dropout and self.training:
            x = F.dropout(x, self.switches.dropout)
        cos, sin, bias = self.cos, self.sin, self.bias
        if length < self.shape.context:
            cos, sin = (None, None) if cos is None else (cos[:length], sin[:length])
            bias = None if bias is None else bias[:, :length, :length]
        for block in self.blocks:
            x = block(x, cos, sin, bias)
        if self.switches.experts:
            uneven = torch.stack([block.mlp.imbalance for block in self._blocks()])
            self.auxiliary_loss = self.switches.balance * uneven.mean()
        normed: Tensor = x if self.norm is None else self.norm(x)
        return normed


def component_of(parameter: str) -> str:
    """Return the component of `scaling.families.counts` that a named parameter belongs to."""
    first, *rest = parameter.split(".")
    if first in ("embedding", "position", "head", "norm"):
        return first
    part = rest[1]
    if part == "attention":
        return "norm" if rest[2].endswith("gain") else "attention_projection"
    if part == "mlp":
        return "other" if rest[2] == "router" else "mlp"
    return "norm"


@torch.no_grad()
def initialise(module: Decoder, *, seed: int) -> None:
    """Draw all weights from one generator with this seed.

    Matrices, including the head, are normal with variance 1/fan_in, so that activations keep their size at
    every width. A head with smaller initial weights ends at a higher loss: with deviation 1/width, or at
    zero, models of 50 k parameters end 0.05 nats higher (750 k tokens, AdamW at 0.25/width). The embedding
    has standard deviation 0.1, which is small beside the output of the blocks. A tied embedding has
    0.02·√(768/width): this is GPT-2's value at GPT-2's width, and the logits start near 0.55 at every width.
    """
    shape, switches = module.shape, module.switches
    generator = torch.Generator().manual_seed(seed)
    tied = 0.02 * math.sqrt(768 / shape.width)
    table = 1 / math.sqrt(shape.width) if switches.embedding_scale else tied if switches.tied else 0.1
    for name, parameter in module.named_parameters():
        if name.endswith("bias"):
            parameter.zero_()
        elif component_of(name) == "norm":
            parameter.fill_(1.0)
        elif name == "embedding.weight":
            parameter.normal_(0, table, generator=generator)
        elif name == "position.weight":
            parameter.normal_(0, tied if switches.tied else 0.1, generator=generator)
        else:
            deviation = 1 / math.sqrt(parameter.shape[-1])
            if switches.residual_scale == "init" and name.endswith(("out.weight", "down.weight", "down")):
                deviation /= math.sqrt(2 * shape.depth)
            parameter.normal_(0, deviation, generator=generator)


def build(shape: Shape, switches: Switches, *, seed: int) -> Decoder:
    """Return a decoder on the CPU in float32; its weights depend only on shape, switches and seed."""
    with torch.device("meta"):
        module = Decoder(shape, switches)
    module.to_empty(device="cpu")
    module.fill_tables()
    initialise(module, seed=seed)
    return module
