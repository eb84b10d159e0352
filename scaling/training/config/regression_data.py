"""Draw the examples of synthetic regression tasks; nothing is stored on disk."""

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
"""Value of `corpus.source` for regression."""
TASKS: dict[str, dict[str, type]] = {
    "smooth": {"dimensions": int, "waves": int},
    "spectrum": {"features": int, "alpha": float, "noise": float},
}
"""Task → its keys and their types, as in `scaling.families.regression.tasks`."""
_HELDOUT = 1 << 62
_ENDLESS = 10**15


@dataclasses.dataclass(frozen=True, kw_only=True)
class Numbers:
    """The examples of a regression task with a known law. One example counts as one token."""

    name: str
    """Name in the config."""
    task: str
    """smooth or spectrum."""
    settings: Mapping[str, Any]
    """The task's settings and the `seed` of its target function."""
    vocab: int = 1
    """Number of outputs."""
    bytes_per_token: float = 1.0
    """Unused: regression has no bits per byte."""

    @property
    def features(self) -> int:
        """Number of inputs of an example; `context` must equal it."""
        return 2 * self.settings["dimensions"] if self.task == "smooth" else int(self.settings["features"])

    @property
    def manifest(self) -> dict[str, Any]:
        """Manifest as of a corpus; the number of examples is unlimited."""
        return {"name": self.name, "tokens_train": _ENDLESS, "tokens_heldout": _ENDLESS}

    @property
    def hash(self) -> str:
        """First eight hex digits of the SHA-256 of the task and its settings."""
        text = json.dumps([self.task, dict(self.settings)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    def training(self, *, seed: int, step: int, examples: int) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs (examples, features) and targets (examples, 1), float32, of one step of a seed."""
        return self._draw((seed << 40) + step, examples)

    def heldout(self, *, examples: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the inputs and targets of the evaluation set, which is the same for every seed."""
        return self._draw(_HELDOUT, examples)

    def _draw(self, step: int, examples: int) -> tuple[np.ndarray, np.ndarray]:
        from scaling.families.regression import tasks

        return getattr(tasks, self.task)(examples=examples, step=step, **self.settings)  # type: ignore[no-any-return]


def numbers(config: CorpusConfig) -> Numbers:
    """Return the regression task of a corpus config. Raises ConfigError for unknown or missing keys."""
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
