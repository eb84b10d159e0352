"""The architecture, its hyperparameters, and what it begins with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scaling.config.kinds import ANY, NAMES, TEXT, key, rest


@dataclass(frozen=True, kw_only=True)
class FamilyConfig:
    """An architecture, and where its dial stands."""

    name: str | None = key(None, TEXT)
    """A family of `scaling families`, or path.py:Name for a class in a file of one's own."""
    size: Any = key(4, ANY)
    """The dial, which gives every shape; need not be whole. For a decoder depth = size rounded, width about
    24 × size, N ∝ size³."""
    switches: Mapping[str, Any] = rest()
    """The family's own keys; null leaves a switch to the family."""


@dataclass(frozen=True, kw_only=True)
class RecipeConfig:
    """Hyperparameters by rule; a value that is not null comes before the rule."""

    name: str | None = key(None, TEXT)
    """A recipe of conf/recipe."""
    settings: Mapping[str, Any] = rest()
    """Hyperparameters, and the recipe's own constants."""


@dataclass(frozen=True, kw_only=True)
class StartConfig:
    """The trained run that a run begins with, and what of it learns further."""

    run: str | None = key(None, TEXT)
    """A trained run: its id, or its folder."""
    sweep: str | None = key(None, TEXT)
    """Or a sweep: its run of lowest loss at this family.size."""
    adaptation: str | None = key(None, TEXT)
    """What learns: full, head, blocks, lora or adapters. null = full."""
    blocks: Any = key(None, ANY)
    """Of blocks: how many learn, from the last."""
    rank: Any = key(None, ANY)
    """Of lora: the rank of the maps beside the matrices."""
    alpha: Any = key(None, ANY)
    """Of lora: the scale of the maps. null = rank."""
    targets: list[str] | None = key(None, NAMES)
    """Of lora: which matrices, of qkv, out, up, down. null = all four."""
    bottleneck: Any = key(None, ANY)
    """Of adapters: features of the bottleneck."""
