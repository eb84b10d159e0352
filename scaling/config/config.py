"""The whole config of one run, and of the sweep that it belongs to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scaling.config.data import CorpusConfig
from scaling.config.device import DeviceConfig
from scaling.config.kinds import TEXT, key, mapping, whole
from scaling.config.model import FamilyConfig, RecipeConfig, StartConfig
from scaling.config.run import BudgetConfig, CheckpointConfig, CompressionConfig, EvaluationConfig
from scaling.config.sweep import SweepConfig


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every key of a run."""

    context: int = key(64, whole())
    """Tokens of one sequence."""
    seed: int = key(0, whole(0))
    """Of the weights and of the order of the data."""
    results: str = key("results", TEXT)
    """The folder of results; SCALING_RESULTS names another one."""
    budget: BudgetConfig = field(default_factory=BudgetConfig)
    """How much is spent."""
    family: FamilyConfig = field(default_factory=FamilyConfig)
    """The architecture."""
    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    """The text."""
    recipe: RecipeConfig = field(default_factory=RecipeConfig)
    """The hyperparameters."""
    start: StartConfig = field(default_factory=StartConfig)
    """What the run begins with."""
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    """When the held-out loss is measured."""
    compression: CompressionConfig = field(default_factory=CompressionConfig)
    """Rounding and pruning while the run trains."""
    checkpoint: CheckpointConfig = field(default_factory=CheckpointConfig)
    """What is written down on the way."""
    device: DeviceConfig = field(default_factory=DeviceConfig)
    """The machine."""
    sweep: SweepConfig = field(default_factory=SweepConfig)
    """The question."""

    values: Mapping[str, Any] = key({}, mapping("{NAME: VALUE}"))
    """Values of one's own, for other keys of the file to refer to: ${values.NAME}."""

    @property
    def results_folder(self) -> Path:
        """The folder of results."""
        return Path(os.path.expanduser(self.results))
