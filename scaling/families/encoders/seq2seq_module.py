"""The encoder–decoder as a torch module."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scaling.errors import ShapeError
from scaling.families.decoder.attention import Attention
from scaling.families.decoder.layers import MLP, make_norm, sinusoids
from scaling.families.decoder.module import Block
from scaling.families.decoder.switches import Switches
from scaling.families.encoders.masked_module import hide
from scaling.families.encoders.switches import BUCKETS
from scaling.families.shape import Shape


class CrossAttention(nn.Module):
    """Attention with queries from the target, `x`, and keys and values from the source, `memory`."""

    def __init__(self, shape: Shape, switches: Switches, *, scale: float | None) -> None:
        super().__init__()
        self.heads, self.head_dim, self.scale, self.dropout = (
            shape.heads,
            shape.head_dim,
            scale,
            switches.dropout,
        )
        self.query = nn.Linear(shape.width, shape.width, bias=switches.bias)
        self.key_value = nn.Linear(shape.width, 2 * shape.width, bias=switches.bias)
        self.out = nn.Linear(shape.width, shape.width, bias=switches.bias)

    def forward(self, x: Tensor, memory: Tensor, bias: Tensor | None) -> Tensor:
        """Return the output of the layer, (batch, T, width).

        Args:
            x: (batch, T, width).
            memory: (batch, S, width).
            bias: added to the scores, (batch, 1, 1, S), or None.
        """
        query = self.query(x).unflatten(2, (self.heads, self.head_dim)).transpose(1, 2)
        both = self.key_value(memory).unflatten(2, (2 * self.heads, self.head_dim)).transpose(1, 2)
        key, value = both.chunk(2, dim=1)
        drop = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(
            query, key, value, attn_mask=bias, dropout_p=drop, scale=self.scale
        )
        mixed: Tensor = self.out(y.transpose(1, 2).flatten(2))
        return mixed


class TargetBlock(nn.Module):
    """One decoder block: causal attention, cross-attention and MLP, each with its norm and residual sum."""

    def __init__(self, shape: Shape, switches: Switches, *, scale: float | None) -> None:
        super().__init__()
        self.post, self.dropout = switches.norm_position == "post", switches.dropout
        self.norm1, self.norm2, self.norm3 = (make_norm(shape.width, switches) for _ in range(3))
        self.attention = Attention(shape, switches, scale=scale)
        self.cross = CrossAttention(shape, switches, scale=scale)
        self.mlp = MLP(shape, switches)

    def forward(self, x: Tensor, memory: Tensor, bias: Tensor | None, hidden: Tensor | None) -> Tensor:
        """Return the output of the block, (batch, T, width).

        Args:
            x: (batch, T, width).
            memory: (batch, S, width).
            bias: added to the scores of the causal attention, or None.
            hidden: added to the scores of the cross-attention, −inf at padding, or None.
        """
        drop = self.dropout if self.training else 0.0
        if self.post:
            x = self.norm1(x + F.dropout(self.attention(x, None, None, bias), drop))
            x = self.norm2(x + F.dropout(self.cross(x, memory, hidden), drop))
            y: Tensor = self.norm3(x + F.dropout(self.mlp(x), drop))
            return y
        x = x + F.dropout(self.attention(self.norm1(x), None, None, bias), drop)
        x = x + F.dropout(self.cross(self.norm2(x), memory, hidden), drop)
        return x + F.dropout(self.mlp(self.norm3(x)), drop)


class EncoderDecoder(nn.Module):
    """An encoder–decoder: source and shifted target → logits of the target."""

    def __init__(self, shape: Shape, switches: Switches, *, relative: bool) -> None:
        super().__init__()
        self.shape, self.switches = shape, switches
        self.start_token = shape.vocab
        self.embedding = nn.Embedding(shape.vocab + 1, shape.width)
        learned = switches.position == "learned"
        self.source_position = nn.Embedding(shape.context, shape.width) if learned else None
        self.target_position = nn.Embedding(shape.context, shape.width) if learned else None
        self.source_distance = nn.Embedding(BUCKETS, shape.heads) if relative else None
        self.target_distance = nn.Embedding(BUCKETS, shape.heads) if relative else None
        # T5 does not scale its scores: its queries are initialised smaller by √head_dim instead
        scale = 1.0 if relative else None
        self.encoder = nn.ModuleList(
            Block(shape, switches, causal=False, scale=scale) for _ in range(shape.depth)
        )
        self.decoder = nn.ModuleList(TargetBlock(shape, switches, scale=scale) for _ in range(shape.depth))
        pre = switches.norm_position == "pre"
        self.source_norm = make_norm(shape.width, switches) if pre else None
        self.target_norm = make_norm(shape.width, switches) if pre else None
        self.head = None if switches.tied else nn.Linear(shape.width, shape.vocab, bias=False)
        for name in ("sinusoids", "source_bucket", "target_bucket", "future"):
            self.register_buffer(name, None, persistent=False)
        self.fill_tables()

    def fill_tables(self) -> None:
        """Compute the tables of positions and masks on the CPU."""
        if self.switches.position == "sinusoidal":
            self.sinusoids = sinusoids(self.shape.context, self.shape.width)
        if self.source_distance is not None:
            self.source_bucket = buckets(self.shape.context, both_ways=True)
            self.target_bucket = buckets(self.shape.context, both_ways=False)
            size = (self.shape.context, self.shape.context)
            self.future = torch.full(size, -math.inf).triu(1)

    def shift(self, target: Tensor) -> Tensor:
        """Return the decoder's inputs for `target` (batch, T): the start token, then all but the last."""
        start = torch.full_like(target[:, :1], self.start_token)
        return torch.cat((start, target[:, :-1]), dim=1)

    def forward(self, source: Tensor, inputs: Tensor, source_padding: Tensor | None = None) -> Tensor:
        """Return the logits of each target token.

        Args:
            source: (batch, S) int64, S at most the context.
            inputs: (batch, T) int64, the target shifted right by `shift`; logits at t predict target t.
            source_padding: (batch, S) bool, true where there is no token; no position attends to these.

        Returns:
            (batch, T, vocab). Logits at t depend on the whole source and on the inputs up to t.

        Raises:
            ShapeError: when the source or the inputs have more tokens than the context.
        """
        memory = self.encode(source, source_padding)
        return self.decode(inputs, memory, source_padding)

    def encode(self, source: Tensor, padding: Tensor | None = None) -> Tensor:
        """Return the output of the encoder: (batch, S) → (batch, S, width)."""
        x, length = self._embed(source, self.source_position), source.shape[1]
        bias = None if padding is None else hide(padding, x.dtype)
        if self.source_distance is not None:
            distance = self.source_distance(self.source_bucket[:length, :length]).permute(2, 0, 1)
            bias = distance if bias is None else distance + bias
        for block in self.encoder:
            x = block(x, None, None, bias)
        return x if self.source_norm is None else self.source_norm(x)

    def decode(self, inputs: Tensor, memory: Tensor, padding: Tensor | None = None) -> Tensor:
        """Return the logits of the target: (batch, T) and memory (batch, S, width) → (batch, T, vocab)."""
        x, length = self._embed(inputs, self.target_position), inputs.shape[1]
        bias = None
        if self.target_distance is not None:
            distance = self.target_distance(self.target_bucket[:length, :length]).permute(2, 0, 1)
            bias = distance + self.future[:length, :length]
        hidden = None if padding is None else hide(padding, x.dtype)
        for block in self.decoder:
            x = block(x, memory, bias, hidden)
        if self.target_norm is not None:
            x = self.target_norm(x)
        if self.head is not None:
            logits: Tensor = self.head(x)
            return logits
        if self.target_distance is not None:
            # T5 scales the features before a tied head (so do mesh TensorFlow and transformers)
            x = x * self.shape.width**-0.5
        return F.linear(x, self.embedding.weight[: self.shape.vocab])

    def _embed(self, tokens: Tensor, position: nn.Embedding | None) -> Tensor:
        length = tokens.shape[1]
        if length > self.shape.context:
            raise ShapeError(
                f"{length} tokens do not fit a context of {self.shape.context}; cut the sequences"
            )
        x: Tensor = self.embedding(tokens)
        if self.switches.embedding_scale:
            x = x * math.sqrt(self.shape.width)
        if position is not None:
            x = x + position.weight[:length]
        elif self.sinusoids is not None:
            x = x + self.sinusoids[:length]
        return F.dropout(x, self.switches.dropout) if self.switches.dropout and self.training else x


def buckets(context: int, *, both_ways: bool, farthest: int = 128) -> Tensor:
    """Return the bucket of each (query, key) distance, (context, context) int64.

    Short distances have buckets of their own, long ones share logarithmic buckets (arXiv:1910.10683, section
    2.1).
    """
    positions = torch.arange(context)
    distance = positions[None, :] - positions[:, None]
    count, start = BUCKETS, torch.zeros_like(distance)
    if both_ways:
        count //= 2
        start = (distance > 0).long() * count
        distance = distance.abs()
    else:
        distance = (-distance).clamp(min=0)
    exact = count // 2
    far = (
        exact
        + (
            (distance.clamp(min=1).float() / exact).log() / math.log(farthest / exact) * (count - exact)
        ).long()
    )
    return start + torch.where(distance < exact, distance, far.clamp(max=count - 1))


def component_of(parameter: str) -> str:
    """Return the component that a named parameter belongs to."""
    first, *rest = parameter.split(".")
    if first in ("embedding", "head"):
        return first
    if first.endswith(("position", "distance")):
        return "position"
    if first in ("encoder", "decoder") and rest[1] in ("attention", "cross"):
        return "attention_projection"
    return "mlp" if first in ("encoder", "decoder") and rest[1] == "mlp" else "norm"


@torch.no_grad()
def initialise(module: EncoderDecoder, *, seed: int) -> None:
    """Draw all weights from one generator with this seed.

    Matrices have variance 1/fan_in. As in the code of T5, its queries are smaller by √head_dim and its
    embedding has standard deviation 1. Other embeddings are drawn like a tied embedding of the decoder.
    """
    generator = torch.Generator().manual_seed(seed)
    shape, relative = module.shape, module.source_distance is not None
    tied = 0.02 * math.sqrt(768 / shape.width)
    table = 1.0 if relative else 1 / math.sqrt(shape.width) if module.switches.embedding_scale else tied
    for name, parameter in module.named_parameters():
        component = component_of(name)
        if name.endswith("bias"):
            parameter.zero_()
        elif component == "norm":
            parameter.fill_(1.0)
        elif component in ("embedding", "position"):
            deviation = table if component == "embedding" else 0.1
            parameter.normal_(0, deviation, generator=generator)
        else:
            parameter.normal_(0, 1 / math.sqrt(parameter.shape[-1]), generator=generator)
            if relative and name.endswith(("qkv.weight", "query.weight")):
                parameter[: shape.width] /= math.sqrt(shape.head_dim)


def build(shape: Shape, switches: Switches, *, relative: bool, seed: int) -> EncoderDecoder:
    """Return an encoder–decoder on the CPU in float32; its weights depend only on the arguments."""
    with torch.device("meta"):
        module = EncoderDecoder(shape, switches, relative=relative)
    module.to_empty(device="cpu")
    module.fill_tables()
    initialise(module, seed=seed)
    return module
