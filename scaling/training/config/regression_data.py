"""Draw the examples of synthetic regression tasks; nothing is stored on disk."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from scaling.config import CorpusConfig
from scaling.config.kinds import SEED, UNSET, Setting, choice, number, whole
from scaling.errors import ConfigError, one_of

SOURCE = "regression"
"""Value of `corpus.source` for regression."""
TASKS: dict[str, dict[str, Setting]] = {
    "smooth": {
        "dimensions": Setting(
            whole(1, 10_000), None, "For smooth: dimensions of the torus; context = 2 × dimensions."
        ),
        "waves": Setting(whole(1, 10_000), 16, "For smooth: number of sines in the function."),
    },
    "spectrum": {
        "features": Setting(
            whole(1, 1_048_576), None, "For spectrum: inputs of an example; context = features."
        ),
        "alpha": Setting(
            number(0.001, 100),
            None,
            "For spectrum: exponent of the law, N^(−alpha).",
        ),
        "noise": Setting(number(0), 0.0, "For spectrum: variance of the target that no model can explain."),
    },
}
"""Task → its keys, as in `scaling.families.regression.tasks`."""
KEYS = {
    "task": Setting(choice(*TASKS), UNSET, "Task that draws the examples."),
    "seed": Setting(SEED, 0, "Random seed of the function and its examples."),
    **TASKS["smooth"],
    **TASKS["spectrum"],
}
"""Options of a regression corpus."""
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
    given = {key: value for key, value in config.options.items() if value is not None}
    for key in config.options:
        if key not in KEYS:
            raise ConfigError(one_of("a key of a regression corpus", key, KEYS))
    options = {key: KEYS[key].kind.read(f"corpus.{key}", value) for key, value in given.items()}
    if "task" not in options:
        raise ConfigError(one_of("corpus.task", None, TASKS))
    task = options["task"]
    settings: dict[str, Any] = {"seed": options.get("seed", 0)}
    settings |= {key: options[key] for key in TASKS[task] if key in options}
    needed = "dimensions" if task == "smooth" else "alpha" if "features" in settings else "features"
    if needed not in settings:
        raise ConfigError(f"corpus.{needed} is not set; type corpus.{needed}=NUMBER")
    return Numbers(name=config.name, task=task, settings=settings)
