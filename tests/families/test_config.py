"""Every file of conf/family composes, names a family, and sets nothing that the family does not know."""

from __future__ import annotations

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from scaling import families, folders
from scaling.config import FamilyConfig, parse
from scaling.sweeping.planning import store

FOLDER = folders.shipped("conf") / "family"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml") if path.stem != "base")


def composed(name: str, *overrides: str) -> dict:
    store.register()
    with initialize_config_dir(str(FOLDER.parent.resolve()), version_base=None):
        config = compose(f"family/{name}", overrides=list(overrides))
    found = OmegaConf.to_container(config["family"], resolve=True)
    assert isinstance(found, dict)
    return found


def test_every_family_has_a_file() -> None:
    assert set(NAMES) == set(families.names())


@pytest.mark.parametrize("name", NAMES)
def test_composes_and_round_trips(name: str) -> None:
    overrides = ["family.model_type=gpt_neox"] if name == "hf" else []
    config = parse(FamilyConfig, composed(name, *overrides))
    family, size = families.from_config(config), config.size
    shape = family.shape(size, vocab=256, context=32)
    assert family.objective in families.OBJECTIVES
    # nothing in the file changes the family's own defaults, and a run's switches make the same family again
    assert family == families.get(name, **({"model_type": "gpt_neox"} if name == "hf" else {}))
    again = families.get(family.name, **family.switches)
    assert again.shape(size, vocab=256, context=32) == shape
    assert again.counts(shape) == family.counts(shape)


def test_switches_in_the_file_are_all_that_the_family_has() -> None:
    for name in NAMES:
        if name == "hf":
            continue
        given = set(composed(name)) - {"name", "size"}
        assert given >= set(families.get(name).switches), name


def test_listing_says_what_there_is() -> None:
    rows = {row["name"]: row for row in families.listing()}
    assert list(rows) == families.names()
    for row in rows.values():
        assert row["source"]
        assert row["dial"]
        assert row["sizes"][0] < row["sizes"][1]
    assert rows["llama"]["params"][0] == 3522
    assert rows["hf"]["params"] is None
