"""Define the encoder–decoder as a family: the full Transformer of 2017, and T5. No torch.

Here a token is a pair of one source token and one target token. Both sequences are as long as the context.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scaling.errors import ConfigError, ShapeError
from scaling.families.counts import COMPONENTS, Counts, block_params, keys_seen, norm_width
from scaling.families.decoder.switches import Switches
from scaling.families.dial import (
    SIZES,
    check_size,
    choose_heads,
    dial_params,
    dividing_heads,
    hidden_width,
    nearest_width,
)
from scaling.families.encoders.switches import ALLOWED, BUCKETS, OVERRIDES, PRESETS
from scaling.families.shape import Shape, check_switches, positive_integer

if TYPE_CHECKING:
    from scaling.families.encoders.seq2seq_module import EncoderDecoder


@dataclass(frozen=True, kw_only=True)
class Seq2SeqFamily:
    """An encoder–decoder: full attention on the source, causal attention on the target."""

    name: str
    """Name of the preset."""
    blocks: Switches
    """Switches of the blocks."""
    relative: bool
    """Whether scores have T5's learned bias by distance and are not scaled by 1/√head_dim."""
    source: str
    """Source of the preset."""
    overrides: Mapping[str, int] = field(default_factory=dict)
    """Parts of the shape that do not follow the dial."""
    objective: str = "seq2seq"
    """Sequence to sequence."""
    dial: str = "N of the decoder of the same size; half of size, rounded, blocks on either side"
    """How the shape grows with size."""
    sizes: tuple[float, float] = SIZES
    """Smallest and largest size."""

    @property
    def switches(self) -> dict[str, Any]:
        """Switches and overridden parts of the shape."""
        return {name: getattr(self.blocks, name) for name in ALLOWED} | dict(self.overrides)

    def shape(self, size: float, *, vocab: int, context: int) -> Shape:
        """Return the shape whose N is nearest that of the decoder of this size; `depth` is per side.

        Raises ShapeError when the size is out of range, or the width is not a multiple of the heads.
        """
        size = check_size(size, self.name, self.sizes)
        positive_integer("vocab", vocab)
        positive_integer("context", context)
        fixed = {name: positive_integer(f"family.{name}", value) for name, value in self.overrides.items()}
        depth = fixed.get("depth", max(1, math.floor(size / 2 + 0.5)))
        heads, width = fixed.get("heads"), fixed.get("width")

        def at(w: int, h: int) -> Shape:
            return Shape(
                size=size, vocab=vocab, context=context, depth=depth, width=w, heads=h, kv_heads=h,
                head_dim=w // h, hidden=hidden_width(w, self.blocks),
            )  # fmt: skip

        if width is None:
            target = dial_params(size, vocab=vocab, context=context, switches=self.blocks)
            width = nearest_width(
                target, lambda w, h: sum(self._params(at(w, h)).values()), self.blocks, heads
            )
            heads = heads or choose_heads(width, self.blocks)
        heads = heads or dividing_heads(width, self.blocks)
        if width % heads:
            raise ShapeError(
                f"family.width={width} is not a multiple of family.heads={heads}; change one of the two"
            )
        return at(width, heads)

    def _params(self, shape: Shape) -> dict[str, int]:
        switches, width = self.blocks, shape.width
        block = block_params(width, width, width, shape.head_dim, shape.hidden, switches)
        params = {name: 0 for name in COMPONENTS if not name.startswith("attention_scores")}
        # a decoder block has a second attention layer with its own norm
        params["attention_projection"] = int(3 * shape.depth * block["attention_projection"])
        params["mlp"] = int(2 * shape.depth * block["mlp"])
        norms = 5 * shape.depth + (2 if switches.norm_position == "pre" else 0)
        params["norm"] = int(norms * norm_width(width, switches))
        # the start token is not part of the vocabulary
        params["embedding"] = (shape.vocab + 1) * width
        params["position"] = (
            2 * BUCKETS * shape.heads
            if self.relative
            else 2 * shape.context * width * (switches.position == "learned")
        )
        params["head"] = 0 if switches.tied else shape.vocab * width
        return params

    def counts(self, shape: Shape) -> Counts:
        """Return the parameters and the forward FLOPs per pair of one source and one target token."""
        params, width, depth = self._params(shape), shape.width, shape.depth
        scores = 4.0 * width * depth
        matrices = 3 if self.blocks.gated else 2
        elementwise = 4 if self.blocks.norm == "rmsnorm" else 6 + int(self.blocks.bias)
        norms = 5 * depth + (2 if self.blocks.norm_position == "pre" else 0)
        flops = {
            "attention_projection": 2.0 * 3 * depth * 4 * width * width,
            "attention_scores_full": 3 * scores * shape.context,
            "attention_scores_causal": scores * (2 * shape.context + keys_seen(shape.context, None)),
            "mlp": 2.0 * 2 * depth * matrices * width * shape.hidden,
            "norm": float(norms * width * elementwise),
            "head": 2.0 * shape.vocab * width,
        }
        return Counts(params=params, params_active=sum(params.values()), flops=flops)

    def build(self, shape: Shape, *, seed: int) -> EncoderDecoder:
        """Return the module on the CPU, initialised with `seed`."""
        from scaling.families.encoders.seq2seq_module import build

        return build(shape, self.blocks, relative=self.relative, seed=seed)


def family(name: str, changes: Mapping[str, Any]) -> Seq2SeqFamily:
    """Return a preset with some switches set. Raises ConfigError for an unknown switch or position."""
    switches, relative, source = PRESETS[name]
    check_switches(changes, (*ALLOWED, *OVERRIDES), name)
    position = changes.get("position", switches.position)
    if position not in ("none", "sinusoidal", "learned"):
        raise ConfigError(
            f"family.position of {name} must be 'none', 'sinusoidal' or 'learned'; not {position!r}"
        )
    overrides = {key: changes[key] for key in OVERRIDES if key in changes}
    rest = {key: value for key, value in changes.items() if key not in overrides}
    return Seq2SeqFamily(
        name=name, blocks=switches.with_(rest), relative=relative, source=source, overrides=overrides
    )
