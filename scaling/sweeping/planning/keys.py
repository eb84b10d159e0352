"""List every key of a config with its type, default and meaning."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
from typing import Any

from scaling.config import Config
from scaling.config.kinds import PARTS, TEXT, Setting, mapping, whole
from scaling.config.section import GROUPS, plain, shape_of
from scaling.corpora import sources
from scaling.errors import ConfigError, one_of
from scaling.families import registry
from scaling.families.decoder.switches import Switches
from scaling.families.recurrent.switches import LSTMSwitches
from scaling.families.regression.switches import PerceptronSwitches
from scaling.sweeping.planning.config import Compose, of_choice
from scaling.sweeping.planning.messages import flat, nearest
from scaling.training import recipes
from scaling.training.config import regression_data
from scaling.training.recipes.recipe import SHARE_OF_RUN, TIMESCALE, Hyperparameters, Situation


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


_SHAPE = {
    "depth": Setting(PARTS, None, "Blocks or layers, taken as given. null = from the dial."),
    "width": Setting(PARTS, None, "Features of the residual stream, taken as given. null = from the dial."),
    "heads": Setting(PARTS, None, "Attention heads, taken as given. null = from the dial."),
    "classes": Setting(
        whole(2, 1_000_000), None, "Number of classes. null = as many as the corpus has labels."
    ),
    "model_type": Setting(TEXT, None, "Type of a transformers config: llama, gpt_neox, qwen2, mamba, ..."),
    "fields": Setting(
        mapping("{state_size: 8}"),
        None,
        "Fields of that config which the dial does not derive, as +family.fields.state_size=8.",
    ),
}
"""Keys of families that no class of switches describes."""

_WHOLE = {"sweep.axes", "sweep.switches", "sweep.keep", "device.peaks", "checkpoint.milestones", "values"}
"""Keys whose values are not split into further keys."""


_EXAMPLE = Situation(
    params=10_000_000,
    params_body=8_000_000,
    width=256,
    depth=4,
    context=512,
    tokens=2e8,
    flops_per_token=6e7,
    flops_per_token_body=5e7,
)
"""Any run: it shows which hyperparameters a recipe derives."""


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


def every(*, family: str = "llama", recipe: str = "small_decoder", corpus: str | None = None) -> list[Key]:
    """Return every key in the order of the config, with the keys of a family, a recipe and a source of text.

    Raises ConfigError for an unknown family or recipe.
    """
    further = {
        "family.size": lambda: _family(family),
        "recipe.name": lambda: _recipe(recipe),
        "corpus.source": lambda: _corpus(corpus) if corpus else [],
    }
    rows = []
    for row in _section(Config(), ""):
        rows += [row, *further.get(row.name, list)()]
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
    kind = {"lstm": LSTMSwitches, "mlp": PerceptronSwitches}.get(name, Switches)
    settings = {**_SHAPE, **_settings(kind)}
    if name == "hf":
        return [_key(f"family.{key}", settings[key]) for key in registry.KEYS["foreign"]]
    values = registry.get(name).switches
    shape = registry.KEYS["base"][:3] if kind is Switches else ()
    return [
        _key(f"family.{key}", settings[key]._replace(default=values.get(key)))
        for key in dict.fromkeys((*shape, *values))
    ]


def _recipe(name: str) -> list[Key]:
    recipe = recipes.get(name)
    constants = {key: setting.default for key, setting in recipe.constants.items()}
    derived = recipe.rule(_EXAMPLE, constants)
    settings = {
        key: setting._replace(default=None, meaning=f"{setting.meaning} null = by the recipe's rule.")
        if key in derived
        else setting
        for key, setting in _settings(Hyperparameters).items()
    }
    settings |= {TIMESCALE: SHARE_OF_RUN, **recipe.constants}
    return [_key(f"recipe.{key}", setting) for key, setting in settings.items()]


def _corpus(source: str) -> list[Key]:
    if source == regression_data.SOURCE:
        settings = regression_data.KEYS
    else:
        settings = sources.keys(source) if source in sources.NAMES else sources.COMMON
    return [_key(f"corpus.{key}", setting) for key, setting in settings.items()]


def _settings(section: type) -> dict[str, Setting]:
    """Return the fields of a dataclass with kinds."""
    words = meanings(section)
    return {
        field.name: Setting(field.metadata["kind"], field.default, words[field.name])
        for field in dataclasses.fields(section)
        if "kind" in field.metadata
    }


def _key(name: str, setting: Setting) -> Key:
    return Key(
        name=name,
        kind=setting.kind.description,
        default=setting.default,
        meaning=setting.meaning.replace("None", "null"),
    )


def asked(text: str | None) -> list[Key]:
    """Return the keys for a key, a section or a choice such as family=bert or corpus=hub; all keys for None.

    Raises ConfigError with the nearest names.
    """
    group, sign, choice = (text or "").partition("=")
    if sign:
        return _chosen(group, choice)
    rows = every()
    named = [
        row
        for row in rows
        if not text
        or f"{row.name}.".startswith(f"{text}.")
        or (row.name in _WHOLE and text.startswith(f"{row.name}."))
    ]
    if not named:
        names = {row.name for row in rows} | {row.name.partition(".")[0] for row in rows}
        raise ConfigError(f"there is no key {text!r}; {nearest(str(text), sorted(names))}")
    return named


def _chosen(group: str, choice: str) -> list[Key]:
    """Return the keys of a section, with the values of one of the files in conf/ as defaults."""
    if group not in GROUPS:
        raise ConfigError(one_of("a section with choices", group, GROUPS))
    if ".py:" in choice:
        values: dict[str, Any] = {"name": choice, "source": choice}
    else:
        values = of_choice(group, choice)
    family = values["name"] if group == "family" else "llama"
    recipe = values["name"] if group == "recipe" else "small_decoder"
    rows = every(family=family, recipe=recipe, corpus=values["source"] if group == "corpus" else None)
    given = {f"{group}.{key}": value for key, value in values.items() if value is not None}
    return [
        dataclasses.replace(row, default=given.get(row.name, row.default))
        for row in rows
        if row.name.startswith(f"{group}.")
    ]


def resolved(compose: Compose) -> list[tuple[str, Any, bool]]:
    """Return the rows of a sweep's base config: (dotted key, value, whether it differs from the default)."""
    config = plain(compose([]))
    default = {
        row.name: row.default
        for row in every(family=config["family"]["name"], recipe=config["recipe"]["name"])
    }
    rows = []
    for name, value in flat(config, whole=_WHOLE):
        section = name.partition(".")[0]
        if isinstance(value, dict) and name not in _WHOLE:
            continue
        if value is None and default.get(name) is None:
            continue
        if section in ("family", "recipe", "corpus") and value is None:
            continue
        rows.append((name, value, value != default.get(name)))
    return rows
