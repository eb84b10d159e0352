"""A sweep: its design, from which its cells are laid out, and what happens to cells that end badly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scaling.config.kinds import NAMES, NUMBERS, POSITIVE, SEEDS, TEXT, key, mapping, required, whole
from scaling.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class RepeatsConfig:
    """More seeds for some budgets."""

    budgets: list[float] = required(NUMBERS)
    """Budgets of the design that are repeated."""
    seeds: list[int] = required(SEEDS)
    """Seeds of the repetitions."""


@dataclass(frozen=True, kw_only=True)
class RescueConfig:
    """Diverged cells are done again as other runs, at lower learning rates."""

    factor: float = required(POSITIVE)
    """Learning rate of the next try over that of the one before; below 1."""
    times: int = required(whole())
    """How often a cell is tried again."""

    def __post_init__(self) -> None:
        if self.factor >= 1:
            raise ConfigError(
                f"sweep.rescue.factor is {self.factor:g}; a rescue lowers the learning rate, so it must be "
                "below 1"
            )


@dataclass(frozen=True, kw_only=True)
class SweepConfig:
    """The question, as a set of cells."""

    name: str | None = key(None, TEXT)
    """Of the sweep's folder in the results: the name of its file."""
    design: list[str] | None = key(None, NAMES)
    """isoflop, ladder, branches, grid, tuning, repetition, seeds or switches; a list is a cross, the first
    outermost."""
    budgets: list[float] | None = key(None, NUMBERS)
    """FLOPs (isoflop) or tokens (ladder, branches)."""
    sizes: list[float] | None = key(None, NUMBERS)
    """Settings of the family's dial."""
    ratios: list[float] | None = key(None, NUMBERS)
    """Tokens per parameter."""
    seeds: list[int] | None = key(None, SEEDS)
    """Seeds of every cell. null = the config's own seed."""
    repeats: RepeatsConfig | None = None
    """More seeds for some budgets of isoflop: {budgets: [...], seeds: [...]}."""
    axes: Mapping[str, Any] | None = key(None, mapping("{seed: [0, 1]}"))
    """Of grid: {key: [values]}."""
    switches: Mapping[str, Any] | None = key(None, mapping("{family.qk_norm: [true]}"))
    """Of switches: {key: [values]}, one change at a time."""
    learning_rate_factors: list[float] | None = key(None, NUMBERS)
    """Of tuning: learning rates over the recipe's own."""
    batch_factors: list[float] | None = key(None, NUMBERS)
    """Of tuning: batches over the recipe's own."""
    unique_tokens: list[float] | None = key(None, NUMBERS)
    """Of repetition: distinct tokens."""
    epochs: list[float] | None = key(None, NUMBERS)
    """Of repetition: how often they are seen."""
    keep: Mapping[str, Any] | None = key(None, mapping("{steps: [100, null]}"))
    """Filters on the plan's columns: {tokens_per_parameter: [low, high], memory_bytes: [null, high]}."""
    retry: list[str] | None = key(None, NAMES)
    """Do cells again that ended so: failed, out_of_memory, diverged."""
    rescue: RescueConfig | None = None
    """Do diverged cells again as other runs, at learning rates times a factor: {factor: 0.5, times: 2}."""
    mirrors: list[str] | None = key(None, NAMES)
    """Show finished runs there too: tensorboard, wandb, trackio."""
