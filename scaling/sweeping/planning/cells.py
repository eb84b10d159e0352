"""Turn resolved configs into cells. Corpora and family counts are cached. No torch."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from scaling import families
from scaling.config import Config, CorpusConfig, FamilyConfig, changed, parse, plain
from scaling.errors import StorageError
from scaling.files import temporary
from scaling.sweeping.designs.space import Space
from scaling.sweeping.planning.config import Compose
from scaling.training.cell import Cell
from scaling.training.config.text import open_data
from scaling.training.paths import RunPaths


def prepare(config: Config) -> tuple[Cell, Any, RunPaths]:
    """Return the cell, the corpus and the folder of a resolved config. Raises ConfigError."""
    corpus = corpus_of(config)
    cell = Cell.from_config(config, corpus)
    return cell, corpus, RunPaths.of(config.results_folder, cell.run_id)


def corpus_of(config: Config) -> Any:
    """Return the data of the config's corpus: text, text with answers, or numbers.

    A corpus is prepared on first use and opened once per process.
    """
    root = config.results_folder / "corpora"
    # absolute, so that the cache stays correct when the process changes its folder
    return _corpus(json.dumps(plain(config.corpus), sort_keys=True, default=str), str(root.absolute()))


@lru_cache(maxsize=16)
def _corpus(text: str, root: str) -> Any:
    return open_data(parse(CorpusConfig, json.loads(text), where="corpus"), Path(root))


def limits(config: Config) -> tuple[float, float]:
    """Return the smallest and the largest size of the config's family."""
    return families.from_config(config.family).sizes


def measure(config: Config, size: float) -> tuple[float, float]:
    """Return N and training FLOPs per token of the config's family at `size`. Raises ShapeError."""
    family = json.dumps({**plain(config.family), "size": 1}, sort_keys=True)
    data = corpus_of(config)
    texts = getattr(data, "texts", data)  # a corpus with answers has its texts in an attribute
    return _measure(family, float(size), texts.vocab, config.context)


@lru_cache(maxsize=1 << 14)
def _measure(family_text: str, size: float, vocab: int, context: int) -> tuple[float, float]:
    family = families.from_config(parse(FamilyConfig, json.loads(family_text), where="family"))
    counts = family.counts(family.shape(size, vocab=vocab, context=context))
    return float(counts.params_total), float(counts.flops_per_token)


class Configs:
    """The configs of the cells of one combination of overrides.

    Hydra composes each choice of config groups once. Other keys are set directly, which gives the same config
    a hundred times faster.
    """

    def __init__(self, compose: Compose, combination: Sequence[str]) -> None:
        self._compose, self._combination = compose, list(combination)
        self._composed: dict[tuple[str, ...], Config] = {}

    def config(self, cell: Mapping[str, Any]) -> Config:
        """Return the config of a cell. Raises ConfigError for an unknown key."""
        base = self._with_groups(())
        groups = {key: value for key, value in cell.items() if _is_group(base, key)}
        composed = self._with_groups(tuple(overrides(groups))) if groups else base
        return merged(composed, {key: value for key, value in cell.items() if key not in groups})

    def space(self, cell: Mapping[str, Any]) -> Space:
        """Return the space of a design in which the keys of `cell` are set."""
        config = self.config(cell)
        return Space(
            measure=partial(measure, config),
            limits=limits(config),
            base=config,
            inside=lambda more: self.space({**cell, **more}),
            cell=lambda more: Cell.from_config(self.config({**cell, **more}), corpus_of(config)),
        )

    def _with_groups(self, groups: tuple[str, ...]) -> Config:
        if groups not in self._composed:
            self._composed[groups] = self._compose([*self._combination, *groups])
        return self._composed[groups]


def _is_group(base: Config, key: str) -> bool:
    """Return whether only Hydra can set this key, since it is a config group or has a sign of Hydra."""
    return dataclasses.is_dataclass(getattr(base, key, None)) or key.startswith(("+", "~", "/"))


def writable(results: Path) -> None:
    """Raise StorageError if the folder of results cannot be written."""
    try:
        results.mkdir(parents=True, exist_ok=True)
        trial = temporary(results / "trial")
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise StorageError(
            f"the results folder {results} cannot be written ({error.strerror}); make it writable, or choose "
            f"another with results=FOLDER or SCALING_RESULTS"
        ) from error


def overrides(cell: Mapping[str, Any]) -> list[str]:
    """Return a cell as Hydra overrides."""
    return [f"{key}={_written(value)}" for key, value in cell.items()]


def merged(base: Config, cell: Mapping[str, Any]) -> Config:
    """Return the config with dotted keys set. Raises ConfigError for an unknown key."""
    for dotted, value in cell.items():
        base = changed(base, dotted, value)
    return base


def _written(value: Any) -> str:
    """Return a value in Hydra's grammar."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{','.join(_written(item) for item in value)}]"
    return repr(value) if isinstance(value, float) else str(value)
