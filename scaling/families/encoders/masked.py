"""Define the masked language model (BERT) as a family: dial and counts without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scaling.errors import ConfigError
from scaling.families.counts import Counts, decoder_counts, norm_width
from scaling.families.decoder.switches import Switches
from scaling.families.dial import SIZES, decoder_shape
from scaling.families.shape import Shape, check_switches

if TYPE_CHECKING:
    from scaling.families.encoders.masked_module import Encoder

BERT = Switches(norm="layernorm", norm_position="post", position="learned", mlp="gelu", tied=True, bias=True)
"""Switches of BERT (arXiv:1810.04805)."""
ALLOWED = ("norm", "norm_position", "qk_norm", "position", "rope_base", "mlp", "mlp_ratio", "bias", "dropout")
"""Switches of the decoder that an encoder also has."""
OVERRIDES = ("depth", "width", "heads")
"""Parts of the shape that may be set in addition to the switches."""


@dataclass(frozen=True, kw_only=True)
class EncoderFamily:
    """An encoder that predicts masked tokens from the tokens on both sides.

    Its loss is per masked token, so it is never pooled with a causal loss.
    """

    encoder: Switches
    """Switches of the blocks."""
    overrides: Mapping[str, int] = field(default_factory=dict)
    """Parts of the shape that do not follow the dial."""
    name: str = "bert"
    """The name in a config."""
    objective: str = "masked"
    """Masked language modelling."""
    dial: str = "depth = size rounded, width about 24 × size, N ∝ size³"
    """How the shape grows with size."""
    sizes: tuple[float, float] = SIZES
    """Smallest and largest size."""
    source: str = "arXiv:1810.04805"
    """Source of the architecture."""

    @property
    def switches(self) -> dict[str, Any]:
        """Switches and overridden parts of the shape."""
        return {name: getattr(self.encoder, name) for name in ALLOWED} | dict(self.overrides)

    def shape(self, size: float, *, vocab: int, context: int) -> Shape:
        """Return the decoder's shape of this size; the mask token is not part of `vocab`."""
        return decoder_shape(
            size,
            vocab=vocab,
            context=context,
            switches=self.encoder,
            family=self.name,
            overrides=self.overrides,
        )

    def counts(self, shape: Shape) -> Counts:
        """Return the decoder's counts with full attention and the larger head (a matrix, a norm, biases)."""
        base = decoder_counts(shape, self.encoder)
        width, switches = shape.width, self.encoder
        params: dict[str, float] = dict(base.params)
        flops = dict(base.flops)
        params["embedding"] += width
        params["head"] = width * width + width + shape.vocab
        params["norm"] += norm_width(width, switches) * (1 if switches.norm_position == "pre" else 2)
        flops["attention_scores_causal"] = flops["attention_scores_full"]
        flops["head"] += 2.0 * width * width
        return Counts(
            params={k: int(v) for k, v in params.items()},
            params_active=int(sum(params.values())),
            flops=flops,
        )

    def build(self, shape: Shape, *, seed: int) -> Encoder:
        """Return the module on the CPU, initialised with `seed`."""
        from scaling.families.encoders.masked_module import build

        return build(shape, self.encoder, seed=seed)


def family(name: str, changes: Mapping[str, Any]) -> EncoderFamily:
    """Return the encoder with some switches set. Raises ConfigError for an unknown switch."""
    check_switches(changes, (*ALLOWED, *OVERRIDES), name)
    if changes.get("position") == "alibi":
        raise ConfigError(
            "family.position=alibi is for causal attention only; an encoder takes none, sinusoidal, learned "
            "or rope"
        )
    overrides = {key: changes[key] for key in OVERRIDES if key in changes}
    rest = {key: value for key, value in changes.items() if key not in overrides}
    return EncoderFamily(name=name, encoder=BERT.with_(rest), overrides=overrides)
