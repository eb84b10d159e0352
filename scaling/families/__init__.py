"""Families of models: shapes from one dial (size), parameters and FLOPs by component, torch modules.

    family = families.get("llama", qk_norm=True)
    shape = family.shape(4, vocab=256, context=64)
    family.counts(shape).flops_per_token
    module = family.build(shape, seed=0)
    logits = module(tokens)

Shapes and counts need no torch. `OBJECTIVES` gives the forward pass of each objective's module. A module may
have an auxiliary loss, such as the load-balancing loss of routed experts. It stores this loss as a scalar
tensor in `module.auxiliary_loss` after each forward pass; training adds it to the loss of the objective.
"""

from __future__ import annotations

from scaling.families.counts import COMPONENTS, Counts
from scaling.families.family import Family
from scaling.families.registry import from_config, get, listing, names
from scaling.families.shape import Shape

OBJECTIVES = {
    "causal": "forward(tokens (B, T) int64) -> logits (B, T, V); the target of position t is token t + 1",
    "masked": "forward(tokens (B, T) int64, padding (B, T) bool or None) -> logits (B, T, V) of the original "
    "tokens; masked tokens are module.mask_token; families.encoders.corruption.corrupt makes inputs and "
    "labels; a label of -100 is left out of the loss",
    "seq2seq": "forward(source (B, S) int64, inputs (B, T) int64, source_padding (B, S) bool or None) -> "
    "logits (B, T, V) of the target; inputs = module.shift(target); families.encoders.decoding generates "
    "targets",
    "classification": "forward(tokens (B, T) int64, lengths (B,) int64) -> logits (B, classes) of the text; "
    "tokens at or beyond a length are padding",
    "regression": "forward(inputs (B, context) float32) -> outputs (B, vocab) float32; squared error; one "
    "example counts as one token",
}
"""Objective → arguments and result of the forward pass of its module."""

__all__ = ["COMPONENTS", "OBJECTIVES", "Counts", "Family", "Shape", "from_config", "get", "listing", "names"]
