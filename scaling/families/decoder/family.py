"""Define the decoder as a family: switches, dial, counts and module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scaling.families.counts import Counts, decoder_counts
from scaling.families.decoder.switches import PRESETS, Switches
from scaling.families.dial import SIZES, decoder_shape
from scaling.families.shape import Shape

if TYPE_CHECKING:
    from scaling.families.decoder.module import Decoder

OVERRIDES = ("depth", "width", "heads")
"""Parts of a shape that may be set in addition to the switches."""


@dataclass(frozen=True, kw_only=True)
class DecoderFamily:
    """A causal language model made of attention and MLP blocks."""

    name: str
    """Name of the preset."""
    decoder: Switches
    """Switches of the decoder."""
    source: str
    """Source of the preset."""
    overrides: Mapping[str, int] = field(default_factory=dict)
    """Parts of the shape that do not follow the dial."""
    objective: str = "causal"
    """Next-token prediction."""
    dial: str = "depth = size rounded, width about 24 × size, N ∝ size³"
    """How the shape grows with size."""
    sizes: tuple[float, float] = SIZES
    """Smallest and largest size."""

    @property
    def switches(self) -> dict[str, Any]:
        """Switches and overridden parts of the shape."""
        return self.decoder.as_dict() | dict(self.overrides)

    def shape(self, size: float, *, vocab: int, context: int) -> Shape:
        """Return the shape at one setting of the dial. Raises ShapeError when there is none."""
        return decoder_shape(
            size,
            vocab=vocab,
            context=context,
            switches=self.decoder,
            family=self.name,
            overrides=self.overrides,
        )

    def counts(self, shape: Shape) -> Counts:
        """Return the parameters and forward FLOPs per token by component."""
        return decoder_counts(shape, self.decoder)

    def build(self, shape: Shape, *, seed: int) -> Decoder:
        """Return the module on the CPU, initialised with `seed`."""
        from scaling.families.decoder.module import build

        return build(shape, self.decoder, seed=seed)


def family(name: str, changes: Mapping[str, Any]) -> DecoderFamily:
    """Return a preset with some switches changed and some parts of the shape fixed."""
    switches, source = PRESETS[name]
    overrides = {key: changes[key] for key in OVERRIDES if key in changes}
    rest = {key: value for key, value in changes.items() if key not in overrides}
    return DecoderFamily(name=name, decoder=switches.with_(rest), source=source, overrides=overrides)
