"""Synthetic regression as the data of a cell: examples drawn as they are asked for, nothing on disk."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from scaling.config import CorpusConfig
from scaling.errors import ConfigError, one_of

SOURCE = "regression"
"""What `corpus.source` says for it."""
TASKS: dict[str, dict[str, type]] = {
    "smooth": {"dimensions": int, "waves": int},
    "spectrum": {"features": int, "alpha": float, "noise": float},
}
"""Task → its own keys, as in `scaling.families.regression.tasks`."""
_HELDOUT = 1 << 62
_ENDLESS = 10**15


@dataclasses.dataclass(frozen=True, kw_only=True)
class Numbers:
    """Examples of a task with a known law; a token is an example."""

    name: str
    """What the config calls it."""
    task: str
    """smooth or spectrum."""
    settings: Mapping[str, Any]
    """The task's own keys and `seed`, which the function depends on."""
    vocab: int = 1
    """Outputs."""
    bytes_per_token: float = 1.0
    """Means nothing here; bits per byte are not recorded."""

    @property
    def features(self) -> int:
        """Inputs of an example: what `context` must be."""
        return 2 * self.settings["dimensions"] if self.task == "smooth" else int(self.settings["features"])

    @property
    def manifest(self) -> dict[str, Any]:
        """As of a corpus: there is no end to it."""
        return {"name": self.name, "tokens_train": _ENDLESS, "tokens_heldout": _ENDLESS}

    @property
    def hash(self) -> str:
        """Eight hex digits of the task and its settings."""
        text = json.dumps([self.task, dict(self.settings)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    def training(self, *, seed: int, step: int, examples: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs float32 (examples, features) and targets (examples, 1): a pure function of (seed, step)."""
        return self._draw((seed << 40) + step, examples)

    def heldout(self, *, examples: int) -> tuple[np.ndarray, np.ndarray]:
        """The same for evaluation, whatever the run's seed."""
        return self._draw(_HELDOUT, examples)

    def _draw(self, step: int, examples: int) -> tuple[np.ndarray, np.ndarray]:
        from scaling.families.regression import tasks

        return getattr(tasks, self.task)(examples=examples, step=step, **self.settings)  # type: ignore[no-any-return]


def numbers(config: CorpusConfig) -> Numbers:
    """Return the task of a corpus: its options task, seed and the task's own. Raises ConfigError."""
    options = config.options
    for key in options:
        known = {"task", "seed"}.union(*TASKS.values())
        if key not in known:
            raise ConfigError(one_of("a key of a regression corpus", key, known))
    task = str(options.get("task"))
    if task not in TASKS:
        raise ConfigError(one_of("corpus.task", task, TASKS))
    settings: dict[str, Any] = {"seed": int(options.get("seed") or 0)}
    for key, kind in TASKS[task].items():
        if options.get(key) is not None:
            settings[key] = kind(options[key])
    needed = "dimensions" if task == "smooth" else "alpha" if "features" in settings else "features"
    if needed not in settings:
        raise ConfigError(f"corpus.{needed} is not set; type corpus.{needed}=NUMBER")
    return Numbers(name=config.name, task=task, settings=settings)
