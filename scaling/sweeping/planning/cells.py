"""From resolved configs to cells: the corpus opened once, families measured once, everything without
torch.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from scaling import families
from scaling.errors import ConfigError, StorageError
from scaling.sweeping.designs.space import Space
from scaling.sweeping.planning.config import Compose, results_of
from scaling.training.cell import Cell
from scaling.training.config.text import open_data
from scaling.training.paths import RunPaths


def prepare(config: Mapping[str, Any]) -> tuple[Cell, Any, RunPaths]:
    """The cell, the corpus and the folder of one resolved config."""
    corpus = corpus_of(config)
    cell = Cell.from_config(config, corpus)
    return cell, corpus, RunPaths.of(results_of(config), cell.run_id)


def corpus_of(config: Mapping[str, Any]) -> Any:
    """What the config's corpus holds, text with answers and numbers too: prepared on first use, opened once a
    process.
    """
    root = results_of(config) / "corpora"
    # absolute, so that a process that changes its folder does not meet the corpus of the folder before
    return _corpus(json.dumps(config["corpus"], sort_keys=True, default=str), str(root.absolute()))


@lru_cache(maxsize=16)
def _corpus(text: str, root: str) -> Any:
    return open_data(json.loads(text), Path(root))


def limits(config: Mapping[str, Any]) -> tuple[float, float]:
    """Smallest and largest size of the config's family."""
    return families.from_config({**config["family"], "size": 1})[0].sizes


def measure(config: Mapping[str, Any], size: float) -> tuple[float, float]:
    """N and training FLOPs per token of the config's family at `size`. Raises ShapeError."""
    family = json.dumps({**config["family"], "size": None}, sort_keys=True)
    data = corpus_of(config)
    texts = getattr(data, "texts", data)  # texts with answers hold their texts as a corpus
    context = config["context"]
    if not isinstance(context, int):
        raise ConfigError(f"context must be a whole number from 1; not {context!r}; set context=64, say")
    return _measure(family, float(size), texts.vocab, context)


@lru_cache(maxsize=1 << 14)
def _measure(family_text: str, size: float, vocab: int, context: int) -> tuple[float, float]:
    family, size = families.from_config({**json.loads(family_text), "size": size})
    counts = family.counts(family.shape(size, vocab=vocab, context=context))
    return float(counts.params_total), float(counts.flops_per_token)


class Configs:
    """Configs of the cells of one combination of overrides. Hydra composes what selects config groups, once;
    the rest is set by hand, which gives the same and is a hundred times quicker.
    """

    def __init__(self, compose: Compose, combination: Sequence[str]) -> None:
        self._compose, self._combination = compose, list(combination)
        self._composed: dict[tuple[str, ...], dict[str, Any]] = {}

    def config(self, cell: Mapping[str, Any]) -> dict[str, Any]:
        """The resolved config of a cell. Raises ConfigError for a key that is not there."""
        base = self._with_groups(())
        groups = {key: value for key, value in cell.items() if _is_group(base, key)}
        composed = self._with_groups(tuple(overrides(groups))) if groups else base
        return merged(composed, {key: value for key, value in cell.items() if key not in groups})

    def space(self, cell: Mapping[str, Any]) -> Space:
        """What a design may ask where `cell` is already given."""
        config = self.config(cell)
        return Space(
            sweep=config["sweep"],
            measure=partial(measure, config),
            limits=limits(config),
            base=config,
            inside=lambda more: self.space({**cell, **more}),
            cell=lambda more: Cell.from_config(self.config({**cell, **more}), corpus_of(config)),
        )

    def _with_groups(self, groups: tuple[str, ...]) -> dict[str, Any]:
        if groups not in self._composed:
            self._composed[groups] = self._compose([*self._combination, *groups])
        return self._composed[groups]


def _is_group(base: Mapping[str, Any], key: str) -> bool:
    """Whether only Hydra can set this key: it selects a config group, or uses Hydra's own signs."""
    return isinstance(base.get(key), Mapping) or key.startswith(("+", "~", "/"))


def writable(results: Path) -> None:
    """Raises StorageError when the folder of results cannot be written."""
    try:
        results.mkdir(parents=True, exist_ok=True)
        trial = results / f".trial.{os.getpid()}"
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise StorageError(
            f"the results folder {results} cannot be written ({error.strerror}); make it writable, or choose "
            f"another "
            f"with results=FOLDER or SCALING_RESULTS"
        ) from error


def overrides(cell: Mapping[str, Any]) -> list[str]:
    """A cell as Hydra overrides."""
    return [f"{key}={_written(value)}" for key, value in cell.items()]


def merged(base: Mapping[str, Any], cell: Mapping[str, Any]) -> dict[str, Any]:
    """The config with dotted keys set. Raises ConfigError for a key that is not there."""
    config = copy.copy(dict(base))
    for dotted, value in cell.items():
        here = config
        *parents, last = dotted.split(".")
        for name in parents:
            if not isinstance(here.get(name), Mapping):
                raise ConfigError(
                    f"there is no key {dotted!r} for a sweep to vary; write a key of the config, such as "
                    f"family.size"
                )
            here[name] = copy.copy(dict(here[name]))
            here = here[name]
        if last not in here:
            raise ConfigError(
                f"there is no key {dotted!r} for a sweep to vary; keys beside it: {', '.join(sorted(here))}"
            )
        here[last] = value
    return config


def _written(value: Any) -> str:
    """A value as Hydra's grammar reads it back."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{','.join(_written(item) for item in value)}]"
    return repr(value) if isinstance(value, float) else str(value)
