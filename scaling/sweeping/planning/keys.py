"""List every key of a config with its type, default and meaning."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any

from scaling.config import Config
from scaling.config.section import plain, shape_of
from scaling.errors import ConfigError, one_of
from scaling.families import registry
from scaling.families.decoder.switches import Switches
from scaling.families.recurrent.switches import LSTMSwitches
from scaling.families.regression.switches import PerceptronSwitches
from scaling.sweeping.planning.config import Compose
from scaling.training import recipes
from scaling.training.recipes.recipe import FIELDS, TIMESCALE, Hyperparameters


@dataclasses.dataclass(frozen=True, kw_only=True)
class Key:
    """One key of a config."""

    name: str
    """Dotted name."""
    kind: str
    """Allowed type of the value, in words."""
    default: Any
    """Value if nothing sets the key."""
    meaning: str
    """Meaning, in one or two sentences."""


_PARTS = {
    "depth": "Blocks or layers, taken as given. null = from the dial.",
    "width": "Features of the residual stream or of the state, taken as given. null = from the dial.",
    "heads": "Attention heads, taken as given. null = from the dial.",
    "classes": "As many as the corpus has labels.",
    "model_type": "The type of a transformers config: llama, gpt_neox, qwen2, mamba, ...",
    "fields": "Fields of that config which the dial does not derive, as +family.fields.state_size=8.",
}
"""Keys of families that no switch class describes."""

_WHOLE = {"sweep.axes", "sweep.switches", "sweep.keep", "device.peaks", "checkpoint.milestones", "values"}
"""Keys whose values are not split into further keys."""


def meanings(section: type) -> dict[str, str]:
    """Return the docstring of each field of a dataclass, on one line."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(section))).body[0]
    assert isinstance(tree, ast.ClassDef)
    texts: dict[str, str] = {}
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                texts[name] = " ".join(words.split())
    return texts


def every(*, family: str = "llama", recipe: str = "small_decoder") -> list[Key]:
    """Return every key in the order of the config, with the keys of one family and of one recipe.

    Raises ConfigError for an unknown family or recipe.
    """
    rows = []
    for row in _section(Config(), ""):
        rows.append(row)
        if row.name == "family.size":
            rows += _family(family)
        if row.name == "recipe.name":
            rows += _recipe(recipe)
    return rows


def _section(section: Any, where: str) -> list[Key]:
    shape, words = shape_of(type(section)), meanings(type(section))
    rows = []
    for field in dataclasses.fields(section):
        name, value = f"{where}{field.name}", getattr(section, field.name)
        if field.name in shape.kinds:
            kind = shape.kinds[field.name].description
            rows.append(Key(name=name, kind=kind, default=value, meaning=words.get(field.name, "")))
        elif field.name in shape.sections and value is not None:
            rows += _section(value, f"{name}.")
        elif field.name in shape.sections:
            kind = "keys with values"
            rows.append(Key(name=name, kind=kind, default=None, meaning=words.get(field.name, "")))
    return rows


def _family(name: str) -> list[Key]:
    words = {**_PARTS, **meanings(Switches)}
    if name == "lstm":
        words |= meanings(LSTMSwitches)
    if name == "mlp":
        words |= meanings(PerceptronSwitches)
    switches: dict[str, Any] = {"model_type": None, "fields": {}}
    if name != "hf":
        made = registry.get(name)
        switches = {
            **dict.fromkeys(registry.KEYS["base"][:3] if name not in ("lstm", "mlp") else ()),
            **made.switches,
        }
    return [
        Key(name=f"family.{key}", kind=_kind(value), default=value, meaning=words.get(key, ""))
        for key, value in switches.items()
    ]


def _recipe(name: str) -> list[Key]:
    recipe, words = recipes.get(name), meanings(Hyperparameters)
    rows = [
        Key(
            name=f"recipe.{key}",
            kind=str(field.type),
            default=None,
            meaning=f"{words[key]} null = by the recipe's rule.",
        )
        for key, field in FIELDS.items()
    ]
    timescale = "Instead of a weight decay: the share of the run over which AdamW forgets a weight."
    rows.append(Key(name=f"recipe.{TIMESCALE}", kind="number", default=None, meaning=timescale))
    for key, value in recipe.constants.items():
        rows.append(
            Key(
                name=f"recipe.{key}",
                kind="number",
                default=value,
                meaning=f"A constant of the recipe {name}.",
            )
        )
    return rows


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    return {int: "whole number", float: "number", str: "text", dict: "keys with values"}.get(
        type(value), "number"
    )


def asked(text: str | None) -> list[Key]:
    """Return the keys for a key, a section or a choice such as family=bert; all keys for None.

    Raises ConfigError with the nearest names.
    """
    group, sign, choice = (text or "").partition("=")
    if sign:
        if group not in ("family", "recipe"):
            raise ConfigError(one_of("a group with keys of its own", group, ("family", "recipe")))
        return [row for row in every(**{group: choice}) if row.name.startswith(f"{group}.")]
    rows = every()
    named = [row for row in rows if not text or row.name == text or row.name.startswith(f"{text}.")]
    if not named:
        sections = {row.name.partition(".")[0] for row in rows}
        raise ConfigError(one_of("a key", str(text), [*(row.name for row in rows), *sections]))
    return named


def resolved(compose: Compose) -> list[tuple[str, Any, bool]]:
    """Return the rows of a sweep's base config: (dotted key, value, whether it differs from the default)."""
    config = plain(compose([]))
    default = {
        row.name: row.default
        for row in every(family=config["family"]["name"], recipe=config["recipe"]["name"])
    }
    rows = []
    for name, value in _flat(config, ""):
        section = name.partition(".")[0]
        if value is None and default.get(name) is None:
            continue
        if section in ("family", "recipe") and value is None:
            continue
        rows.append((name, value, value != default.get(name)))
    return rows


def _flat(values: dict[str, Any], where: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        name = f"{where}{key}"
        if isinstance(value, dict) and name not in _WHOLE:
            yield from _flat(value, f"{name}.")
        else:
            yield name, value
