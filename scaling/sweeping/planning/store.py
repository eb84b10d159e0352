"""Register the typed config with Hydra: the schema of conf/train.yaml, and the keys of every group."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

from scaling.config import Config, CorpusConfig, DeviceConfig, FamilyConfig, StartConfig
from scaling.config.kinds import UNSET
from scaling.config.section import GROUPS, plain, shape_of
from scaling.families import registry
from scaling.training.recipes.recipe import FIELDS, TIMESCALE


def register() -> None:
    """Store every schema under the name that the files of conf/ refer to.

    Sections whose keys are all known are stored as dataclasses, so that Hydra rejects any other key and names
    its file. Families, corpora and recipes have their own keys, which they check themselves.
    """
    from hydra.core.config_store import ConfigStore

    store = ConfigStore.instance()
    store.store(name="schema", node=_node(Config), provider="scaling")
    store.store(group="device", name="base", node=_node(DeviceConfig), provider="scaling")
    store.store(group="start", name="base", node=_node(StartConfig), provider="scaling")
    store.store(group="corpus", name="base", node=plain(CorpusConfig()), provider="scaling")
    recipe = {"name": UNSET, **dict.fromkeys((*FIELDS, TIMESCALE))}
    store.store(group="recipe", name="base", node=recipe, provider="scaling")
    for name, keys in registry.KEYS.items():
        family = {"name": UNSET, "size": FamilyConfig().size, **dict.fromkeys(keys)}
        store.store(group="family", name=name, node=family, provider="scaling")


def _node(section: Any) -> Any:
    """Return a dataclass for Hydra with the same keys and defaults, but without types.

    Values are checked later by `parse`, through which every config passes.
    """
    shape, default = shape_of(section), section()
    fields: list[Any] = []
    for name in (*shape.kinds, *shape.sections):
        below = shape.sections.get(name)
        if section is Config and name in GROUPS:
            fields.append((name, Any, None))
        elif below is not None and getattr(default, name) is not None:
            fields.append((name, Any, dataclasses.field(default_factory=_node(below))))
        else:
            fields.append((name, Any, dataclasses.field(default_factory=partial(getattr, default, name))))
    return dataclasses.make_dataclass(section.__name__, fields)
