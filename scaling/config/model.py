"""Define the config of the architecture, the hyperparameters and the initial weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scaling.config.kinds import NAME, PARTS, PATH, POSITIVE, TEXT, key, rest
from scaling.config.lists import NAMES


@dataclass(frozen=True, kw_only=True)
class FamilyConfig:
    """An architecture and its size."""

    name: str | None = key(None, PATH)
    """A family that `scaling families` lists, or path.py:Name for a class in your own file."""
    size: float = key(4, POSITIVE)
    """The family's dial, from which width, depth and heads follow; need not be whole. In a decoder, depth is
    size rounded, width is about 24 × size, and N grows as size³."""
    switches: Mapping[str, Any] = rest()
    """Further keys, which depend on the family. null = the family's default."""


@dataclass(frozen=True, kw_only=True)
class RecipeConfig:
    """A recipe for the hyperparameters; a value that is not null replaces the recipe's."""

    name: str | None = key(None, TEXT)
    """Name of a recipe in conf/recipe."""
    settings: Mapping[str, Any] = rest()
    """Hyperparameters and constants of the recipe."""


@dataclass(frozen=True, kw_only=True)
class StartConfig:
    """The trained run whose weights a run starts from, and which of them it trains."""

    run: str | None = key(None, PATH)
    """Id or folder of a trained run."""
    sweep: str | None = key(None, NAME)
    """Name of a sweep, in place of `run`: its run of lowest loss at this family.size is taken."""
    adaptation: str | None = key(None, TEXT)
    """Which weights are trained: full, head, blocks, lora or adapters. null = full."""
    blocks: int | None = key(None, PARTS)
    """For adaptation=blocks: number of trained blocks, counted from the last."""
    rank: int | None = key(None, PARTS)
    """For adaptation=lora: rank of the low-rank updates."""
    alpha: float | None = key(None, POSITIVE)
    """For adaptation=lora: scale of the low-rank updates. null = rank."""
    targets: list[str] | None = key(None, NAMES)
    """For adaptation=lora: updated matrices, among qkv, out, up and down. null = all four."""
    bottleneck: int | None = key(None, PARTS)
    """For adaptation=adapters: width of the bottleneck."""
