"""Parse a run's config into typed sections; every key has a type, a default and a meaning.

from scaling.config import Config, parse

config = parse(Config, {"family": {"name": "llama"}, "budget": {"flops": 1e10}, ...})
config.device.name
"""

from __future__ import annotations

from scaling.config.config import Config
from scaling.config.data import CorpusConfig
from scaling.config.device import DeviceConfig
from scaling.config.model import FamilyConfig, RecipeConfig, StartConfig
from scaling.config.run import BudgetConfig, CheckpointConfig, CompressionConfig, EvaluationConfig
from scaling.config.section import changed, parse, plain
from scaling.config.sweep import RepeatsConfig, RescueConfig, SweepConfig

__all__ = [
    "BudgetConfig",
    "CheckpointConfig",
    "CompressionConfig",
    "Config",
    "CorpusConfig",
    "DeviceConfig",
    "EvaluationConfig",
    "FamilyConfig",
    "RecipeConfig",
    "RepeatsConfig",
    "RescueConfig",
    "StartConfig",
    "SweepConfig",
    "changed",
    "parse",
    "plain",
]
