"""Define the switches and presets of the encoder–decoder."""

from __future__ import annotations

from scaling.families.decoder import switches as decoder
from scaling.families.decoder.switches import Switches

BUCKETS = 32
"""Buckets of distance in T5's relative positions (arXiv:1910.10683, section 2.1)."""
PRESETS: dict[str, tuple[Switches, bool, str]] = {
    "seq2seq2017": (
        decoder.PRESETS["transformer2017"][0],
        False,
        "arXiv:1706.03762",
    ),
    "t5": (Switches(position="none", mlp="relu", tied=True), True, "arXiv:1910.10683"),
}
"""Name → switches, whether positions are relative as in T5, source."""
ALLOWED = (
    "norm",
    "norm_position",
    "position",
    "mlp",
    "mlp_ratio",
    "tied",
    "bias",
    "embedding_scale",
    "dropout",
)
"""Switches of the decoder that an encoder–decoder also has."""
OVERRIDES = ("depth", "width", "heads")
"""Parts of the shape that may be set in addition to the switches."""
